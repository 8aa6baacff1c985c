//! The ranges of a plan that are mapped, cut out of pieces that were to be copied.

use crate::address::{BlockOffset, MappingIndex};
use crate::intervals::Interval;
use crate::limits::MAX_MAPPINGS;
use crate::pieces::{Piece, Route, Why};
use crate::plan::Direction;
use crate::selection::{Chosen, Largest};

/// Mappings of both directions.
pub(crate) const ALL_MAPPINGS: usize = 2 * MAX_MAPPINGS;
/// Pieces that all mappings together can add: a partial line on either side of each that is from the device, and in each direction the end of one that finds no map registers.
pub(crate) const MOST_ADDED: usize = 2 * MAX_MAPPINGS + 2;
/// Most pieces that a piece is cut into: a partial line, what is mapped, what finds no map registers, another partial line.
const MOST_PARTS: usize = 4;

/// Where copied pieces are until they are placed.
const UNPLACED: BlockOffset = BlockOffset(0);

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
    pub(crate) fn parts(&self, index: MappingIndex) -> impl Iterator<Item = Piece> + use<> {
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
