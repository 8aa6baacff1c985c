//! Decides for each byte of the data buffer how the device gets at it.

use core::ops::Range;

use crate::address::{DataRange, MappingIndex};
use crate::appraisal::Appraiser;
use crate::check::Accepted;
use crate::choice::Choice;
use crate::cuts::{ALL_MAPPINGS, Cut, MOST_ADDED, ascending};
use crate::intervals::{Interval, bytes};
use crate::layout::ArenaLayout;
use crate::limits::Limits;
use crate::need::Need;
use crate::pieces::{Piece, Why};
use crate::placement::{Later, Placer};
use crate::refusal::Refusal;
use crate::selection::Chosen;
use crate::sweep::Sweep;
use hawser_abi::reason::Reason;
use zerocopy::{FromBytes, IntoBytes};

/// Most runs of bytes with the same access that one step can add: three sources and a destination, each with two ends.
const RUNS_PER_STEP: usize = 8;

/// Pieces with which every program of `max_steps` steps can be planned.
pub const fn max_pieces(max_steps: u32) -> usize {
    (max_steps as usize)
        .saturating_mul(RUNS_PER_STEP)
        .saturating_add(MOST_ADDED)
}

/// Direction of a mapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The device reads memory (`WriteToDevice` is `TRUE`).
    #[default]
    ToDevice,
    /// The device writes memory.
    FromDevice,
}

/// A run of the data buffer to map for DMA.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// What to map.
    pub range: DataRange,
    /// In which direction.
    pub direction: Direction,
}

/// What was decided, beside the pieces themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pieces: usize,
    mappings: [Mapping; ALL_MAPPINGS],
    to_device: u8,
    from_device: u8,
    bytes_to_device: u64,
    bytes_from_device: u64,
    bytes_copied_in: u64,
    bytes_copied_out: u64,
    layout: ArenaLayout,
    appraiser: Appraiser,
}

impl Plan {
    /// Number of pieces, which are the first ones of the slice that was given to [`plan`].
    pub const fn pieces(&self) -> usize {
        self.pieces
    }

    /// The mappings, ascending; a [`MappingIndex`] is a position in this list.
    pub fn mappings(&self) -> &[Mapping] {
        let count = usize::from(self.to_device).saturating_add(self.from_device.into());
        self.mappings.get(..count).unwrap_or_default()
    }

    /// The mapping at `index`.
    pub fn mapping(&self, index: MappingIndex) -> Option<Mapping> {
        self.mappings().get(usize::from(index.0)).copied()
    }

    /// Number of mappings to the device.
    pub const fn to_device(&self) -> u8 {
        self.to_device
    }

    /// Number of mappings from the device.
    pub const fn from_device(&self) -> u8 {
        self.from_device
    }

    /// Both numbers as a [`ResultRecord`](hawser_abi::result::ResultRecord) has them.
    pub const fn packed_mappings(&self) -> u32 {
        (self.from_device as u32) << 16 | self.to_device as u32
    }

    /// Bytes mapped for the device to read.
    pub const fn bytes_to_device(&self) -> u64 {
        self.bytes_to_device
    }

    /// Bytes mapped for the device to write.
    pub const fn bytes_from_device(&self) -> u64 {
        self.bytes_from_device
    }

    /// Bytes copied before the run.
    pub const fn bytes_copied_in(&self) -> u64 {
        self.bytes_copied_in
    }

    /// Bytes copied after the run.
    pub const fn bytes_copied_out(&self) -> u64 {
        self.bytes_copied_out
    }

    /// How the block of the arena is divided.
    pub const fn layout(&self) -> &ArenaLayout {
        &self.layout
    }

    /// Why a piece of the plan takes its route.
    pub fn why(&self, piece: &Piece) -> Why {
        piece.why().unwrap_or_else(|| self.appraiser.why(piece))
    }
}

/// Plans an accepted program. The pieces are written to the front of `pieces`.
///
/// | the program | bytes | the device |
/// |---|---|---|
/// | only reads | all | reads them through a mapping to the device |
/// | only writes | whole cache lines | writes them through a mapping from the device |
/// | only writes | the rest of a cache line at either edge | writes a copy, which is copied out |
/// | reads and writes | all | reads and writes one copy, which is copied in and out |
/// | does not touch | all | cannot reach them |
///
/// A range is mapped only where that is cheaper than copying it ([`Costs`](crate::Costs)). There are few mappings in each direction; the largest ranges get them, the others are copied in or out. Where map registers are few, the largest ranges get those
/// too, and what is left of the next range is cut at the end of a page: its start is mapped, the rest is copied.
///
/// *Why this is safe.* No byte is in two mappings, and none is used against the direction of its mapping: one mapping per run of bytes with
/// the same access. A mapping from the device is written completely, so that a bounce buffer that is copied back whole carries nothing
/// but what the program wrote. On a machine whose caches are not coherent, ending a mapping from the device discards whole cache
/// lines; since such a mapping consists of whole lines (by address in memory, hence `page_offset`), no byte beside it is lost: neither
/// bytes that the processor copies out, nor bytes of a mapping to the device, nor the user's. A mapping to the device only causes
/// lines to be written back, which harms no neighbour, so that its edges may lie anywhere. A byte that the program does not write is
/// never copied out, since user threads may be changing it meanwhile.
///
/// Takes time in proportion to the number of steps, if there is room for [`max_pieces`]; with less, what is read and written may have to be sorted by comparing. Refuses, with `ArenaTooSmall`, a program whose block cannot fit into the arena even
/// if it is empty, and one for which `pieces` has no room: for each range that the program accesses alike, and for what mappings can add. With [`max_pieces`] of them that cannot happen.
pub fn plan(accepted: &mut Accepted<'_, '_>, limits: &Limits, pieces: &mut [Piece]) -> Result<Plan, Refusal> {
    let checked = accepted.checked();
    let choice = Choice::new(checked.shape(), limits);
    // Nothing is in the pieces yet, and they will be where this was: memory that is near anyway.
    let spare = <[Interval]>::mut_from_bytes(pieces.as_mut_bytes()).unwrap_or_default();
    let (reads, writes) = accepted.accesses(spare);
    let plan = Plan {
        // Until something is mapped, everything is copied.
        bytes_copied_in: bytes(reads),
        bytes_copied_out: bytes(writes),
        appraiser: choice.appraiser(),
        ..Plan::default()
    };
    let mut draft = Draft {
        pieces,
        choice,
        placer: Placer::new(ArenaLayout::copies_of(checked.step_count())),
        plan,
    };
    let listed = draft.list(Sweep::new(reads, writes))?;
    let (cuts, used) = draft.map_chosen(limits);
    let need = Need {
        shape: checked.shape(),
        reads,
        writes,
        cuts: cuts.get(..used).unwrap_or_default(),
    };
    draft.place(listed, need, checked.step_count(), limits)
}

/// Ranges that are listed before they are looked at: few enough for the nearest cache.
const TOGETHER: usize = 256;

/// A plan in the making: first everything is copied, then what is to be mapped is cut out.
struct Draft<'p> {
    pieces: &'p mut [Piece],
    choice: Choice,
    placer: Placer,
    plan: Plan,
}

impl Draft<'_> {
    /// Lists all ranges, to be copied unless they are chosen, and chooses among them; returns which pieces those are that have no place yet.
    ///
    /// A few are listed, then looked at: short loops keep what they need in registers, which one loop cannot, and what the one has written the other finds in the
    /// nearest cache. Soon, there are few among which there is one to choose.
    fn list(&mut self, mut ranges: Sweep<'_>) -> Result<Range<usize>, Refusal> {
        let mut unplaced = self.list_until_chosen(&mut ranges);
        let room = self.pieces.len();
        loop {
            let places = unplaced.end..unplaced.end.saturating_add(TOGETHER).min(room);
            let count = ranges.list(self.pieces.get_mut(places.clone()).unwrap_or_default(), &mut Later);
            if count == 0 {
                break;
            }
            unplaced.end = places.start.saturating_add(count);
            self.choose_among(places.start..unplaced.end, places.start);
        }
        let needed = unplaced.end.saturating_add(ranges.count());
        if needed > room {
            return Err(too_small(needed as u64, room as u64));
        }
        Ok(unplaced)
    }

    /// The same up to the first range that is chosen. Whatever is in front of it can be placed at once: nothing there will be mapped, and add pieces.
    fn list_until_chosen(&mut self, ranges: &mut Sweep<'_>) -> Range<usize> {
        let room = self.pieces.len().saturating_sub(MOST_ADDED);
        loop {
            let before = self.placer;
            let start = before.placed();
            let places = start..start.saturating_add(TOGETHER).min(room);
            let places = self.pieces.get_mut(places).unwrap_or_default();
            let count = self.placer.list(ranges, places);
            // Where ranges are mapped, so many pieces are added in front of those that are listed.
            let behind = start.saturating_add(MOST_ADDED);
            if count == 0 {
                return behind..behind;
            }
            let listed = start..start.saturating_add(count);
            self.choose_among(listed.clone(), behind);
            if !self.choice.has_none() {
                self.pieces.copy_within(listed, behind);
                self.placer = before;
                return behind..behind.saturating_add(count);
            }
        }
    }

    /// Chooses among the pieces that were `listed` last. The first of them is numbered `first`.
    fn choose_among(&mut self, listed: Range<usize>, first: usize) {
        let listed = self.pieces.get(listed).unwrap_or_default();
        self.choice.appraise(listed, first as u32);
    }

    /// Maps what was chosen, as far as there are map registers and that is still cheaper; returns what is to be cut out, and how much of it there is.
    fn map_chosen(&mut self, limits: &Limits) -> ([Cut; ALL_MAPPINGS], usize) {
        let [to_device, from_device] = self.choice.shared(limits.map_registers);
        let mut cuts = [Cut::NONE; ALL_MAPPINGS];
        let mut places = cuts.iter_mut();
        let mut used: usize = 0;
        for cut in ascending(&to_device, &from_device).into_iter().flatten() {
            let Chosen { whole, number, .. } = cut.chosen;
            if !self.choice.pays(whole, cut.chosen.mapped()) {
                if let Some(piece) = self.pieces.get_mut(number as usize) {
                    piece.explain(Why::TooFewRegisters);
                }
            } else if let Some(place) = places.next() {
                *place = cut;
                used = used.saturating_add(1);
                self.map(cut);
            }
        }
        (cuts, used)
    }

    /// Counts a mapping in place of a copy.
    fn map(&mut self, cut: Cut) {
        let plan = &mut self.plan;
        let mapped = cut.chosen.mapped();
        let length = u64::from(mapped.length());
        let index = plan.to_device.saturating_add(plan.from_device);
        let (count, bytes, copied) = match cut.direction {
            Direction::ToDevice => (
                &mut plan.to_device,
                &mut plan.bytes_to_device,
                &mut plan.bytes_copied_in,
            ),
            Direction::FromDevice => (
                &mut plan.from_device,
                &mut plan.bytes_from_device,
                &mut plan.bytes_copied_out,
            ),
        };
        *count = count.saturating_add(1);
        *bytes = bytes.saturating_add(length);
        *copied = copied.saturating_sub(length);
        if let Some(place) = plan.mappings.get_mut(usize::from(index)) {
            *place = Mapping {
                range: DataRange {
                    offset: mapped.start().into(),
                    length,
                },
                direction: cut.direction,
            };
        }
    }

    /// Places what was listed, and divides the block.
    fn place(self, listed: Range<usize>, need: Need<'_>, steps: u32, limits: &Limits) -> Result<Plan, Refusal> {
        let placed = self.placer.place(self.pieces, listed, need.cuts);
        let [read, write] = need.segments();
        let layout = ArenaLayout::new(steps, placed.end, read, write);
        let arena = limits.arena_size.min(u32::MAX.into());
        if layout.total > arena {
            return Err(too_small(layout.total, arena));
        }
        Ok(Plan {
            pieces: placed.pieces,
            layout,
            ..self.plan
        })
    }
}

fn too_small(needed: u64, limit: u64) -> Refusal {
    Refusal::new(Reason::ArenaTooSmall).length(needed).limit(limit)
}

#[cfg(test)]
mod tests;
