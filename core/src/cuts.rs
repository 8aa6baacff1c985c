//! The ranges of a plan that are mapped, cut out of pieces that were to be copied.

use core::cell::Cell;
use core::ops::Range;

use crate::address::{BlockOffset, MappingIndex};
use crate::intervals::Interval;
use crate::limits::MAX_MAPPINGS;
use crate::pieces::{Piece, Route, Why};
use crate::plan::Direction;
use crate::selection::{Chosen, Largest};

/// Mappings of both directions.
pub(crate) const ALL_MAPPINGS: usize = 2 * MAX_MAPPINGS;
/// Their indices.
const INDICES: Range<u8> = 0..ALL_MAPPINGS as u8;
/// Most pieces that a piece is cut into: a partial line, what is mapped, what finds no map registers, another partial line.
const MOST_PARTS: usize = 4;

/// Where copied pieces are until they are placed.
pub(crate) const UNPLACED: BlockOffset = BlockOffset(0);

/// A range that is mapped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cut {
    pub(crate) direction: Direction,
    pub(crate) chosen: Chosen,
}

impl Cut {
    pub(crate) const NONE: Self = Self {
        direction: Direction::ToDevice,
        chosen: Chosen::NONE,
    };

    /// The pieces that come of it, where it is mapping `index`.
    fn parts(&self, index: MappingIndex) -> impl Iterator<Item = Piece> + use<> {
        let Chosen { whole, body, .. } = self.chosen;
        let mapped = self.chosen.mapped();
        let (route, why, copied) = match self.direction {
            Direction::ToDevice => (Route::ToDevice(index), Why::OnlyRead, Route::CopyIn(UNPLACED)),
            Direction::FromDevice => (Route::FromDevice(index), Why::OnlyWritten, Route::CopyOut(UNPLACED)),
        };
        let parts: [(Interval, Route, Why); MOST_PARTS] = [
            (Interval::new(whole.start(), body.start()), copied, Why::PartialLine),
            (mapped, route, why),
            (Interval::new(mapped.end(), body.end()), copied, Why::TooFewRegisters),
            (Interval::new(body.end(), whole.end()), copied, Why::PartialLine),
        ];
        let parts = parts.into_iter().filter(|(interval, ..)| !interval.is_empty());
        parts.map(|(interval, route, why)| Piece::new(interval, route, why))
    }

    /// Pieces that there are more then.
    fn added(&self) -> usize {
        self.parts(MappingIndex(0)).count().saturating_sub(1)
    }
}

/// What was chosen in both directions, in ascending order.
pub(crate) fn ascending(to_device: &Largest, from_device: &Largest) -> [Option<Cut>; ALL_MAPPINGS] {
    let cuts = |direction, largest: &Largest| {
        let cut = |chosen: &Chosen| Cut {
            direction,
            chosen: *chosen,
        };
        core::array::from_fn::<_, MAX_MAPPINGS, _>(|place| largest.chosen().get(place).map(cut))
    };
    let mut all = [None; ALL_MAPPINGS];
    let both = cuts(Direction::ToDevice, to_device)
        .into_iter()
        .chain(cuts(Direction::FromDevice, from_device));
    for (place, cut) in all.iter_mut().zip(both) {
        *place = cut;
    }
    all.sort_unstable_by_key(|cut| cut.map_or(u32::MAX, |cut| cut.chosen.number));
    all
}

/// Puts the parts of each cut in the place of the piece that it is cut out of, of the first `count` pieces; returns how many there are then. Where there is
/// not room for so many, nothing is changed.
///
/// `cuts` ascend, and their positions are the indices of the mappings.
pub(crate) fn cut_out(cuts: &[Cut], pieces: &mut [Piece], count: usize) -> usize {
    let mut shift: usize = cuts.iter().map(Cut::added).fold(0, usize::saturating_add);
    let total = count.saturating_add(shift);
    let Some(pieces) = pieces.get_mut(..total) else {
        return total;
    };
    let cells = Cell::from_mut(pieces).as_slice_of_cells();
    let mut end = count;
    for (index, cut) in INDICES.zip(cuts).rev() {
        let number = cut.chosen.number as usize;
        move_up(cells, number.saturating_add(1)..end, shift);
        shift = shift.saturating_sub(cut.added());
        let places = cells.get(number.saturating_add(shift)..).unwrap_or_default();
        for (place, part) in places.iter().zip(cut.parts(MappingIndex(index))) {
            place.set(part);
        }
        end = number;
    }
    total
}

/// Moves the pieces of a range `by` places towards the end.
fn move_up(pieces: &[Cell<Piece>], range: Range<usize>, by: usize) {
    if by == 0 {
        return;
    }
    let from = pieces.get(range.clone()).unwrap_or_default();
    let to = pieces.get(range.start.saturating_add(by)..).unwrap_or_default();
    for (from, to) in from.iter().zip(to).rev() {
        to.set(from.get());
    }
}
