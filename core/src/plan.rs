//! Decides for each byte of the data buffer how the device gets at it.

use crate::address::{DataRange, MappingIndex, round_down, round_up};
use crate::check::{Accepted, BufferShape, Checked};
use crate::cost::Costs;
use crate::cuts::{ALL_MAPPINGS, Cut, UNPLACED, ascending, cut_out};
use crate::intervals::Interval;
use crate::layout::ArenaLayout;
use crate::limits::{Limits, MAX_MAPPINGS};
use crate::pieces::{Piece, Route, Why};
use crate::placement;
use crate::refusal::Refusal;
use crate::selection::{Chosen, Largest};
use crate::sweep::{Access, Sweep};
use crate::views::Need;
use hawser_abi::reason::Reason;

/// Most runs of bytes with the same access that one step can add: three sources and a destination, each with two ends.
const RUNS_PER_STEP: usize = 8;

/// Pieces with which every program of `max_steps` steps can be planned.
pub const fn max_pieces(max_steps: u32) -> usize {
    // Each mapping from the device can leave a partial line on either side, and one mapping in each direction can end where map registers do.
    (max_steps as usize)
        .saturating_mul(RUNS_PER_STEP)
        .saturating_add(2 * MAX_MAPPINGS + 2)
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
    cost: u64,
    layout: ArenaLayout,
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

    /// What mapping and copying cost by [`Limits::costs`], in bytes copied.
    pub const fn cost(&self) -> u64 {
        self.cost
    }

    /// How the block of the arena is divided.
    pub const fn layout(&self) -> &ArenaLayout {
        &self.layout
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
/// Takes time in proportion to the number of pieces. Refuses, with `ArenaTooSmall`, a program whose block cannot fit into the arena even
/// if it is empty, and one that has more pieces than `pieces` holds; with [`max_pieces`] of them that cannot happen.
pub fn plan(accepted: &mut Accepted<'_, '_>, limits: &Limits, pieces: &mut [Piece]) -> Result<Plan, Refusal> {
    let checked = accepted.checked();
    let lines = Lines {
        shape: checked.shape(),
        line: limits.line(),
    };
    let most = limits.mapping_limit();
    let mut draft = Draft {
        pieces,
        count: 0,
        plan: Plan::default(),
        lines,
        costs: limits.costs,
        to_device: Largest::new(most),
        from_device: Largest::new(most),
    };
    let (reads, writes) = accepted.accesses();
    for (interval, access) in Sweep::new(reads, writes) {
        draft.add(interval, access);
    }
    draft.map_chosen(limits.map_registers);
    draft.finish(&checked, limits)
}

/// Cache lines of memory, seen from the data buffer.
#[derive(Clone, Copy)]
struct Lines {
    shape: BufferShape,
    line: u64,
}

impl Lines {
    /// The whole cache lines within `interval`; empty if there are none.
    fn whole(self, interval: Interval) -> Interval {
        // The numbers have 32 bits, so that nothing wraps; the first line can begin behind the interval, and behind what 32 bits can tell.
        let ahead = u64::from(self.shape.page_offset);
        let first = round_up(ahead.wrapping_add(interval.start().into()), self.line).wrapping_sub(ahead);
        let end = round_down(ahead.wrapping_add(interval.end().into()), self.line).wrapping_sub(ahead);
        if first < end && end <= u64::from(interval.end()) {
            Interval::new(first as u32, end as u32)
        } else {
            Interval::new(interval.end(), interval.end())
        }
    }
}

/// A plan in the making: first everything is copied, then what is to be mapped is cut out.
struct Draft<'p> {
    pieces: &'p mut [Piece],
    count: usize,
    plan: Plan,
    lines: Lines,
    costs: Costs,
    to_device: Largest,
    from_device: Largest,
}

impl Draft<'_> {
    /// Adds a range, to be copied unless it is chosen later.
    fn add(&mut self, interval: Interval, access: Access) {
        let (route, why) = match access {
            Access::ReadAndWrite => (Route::CopyInOut(UNPLACED), Why::ReadAndWritten),
            Access::Read => (
                Route::CopyIn(UNPLACED),
                self.offer(interval, interval, Direction::ToDevice),
            ),
            Access::Write => {
                let body = self.lines.whole(interval);
                (
                    Route::CopyOut(UNPLACED),
                    self.offer(interval, body, Direction::FromDevice),
                )
            }
        };
        let cost = self.costs.copy(interval, self.lines.shape.page_offset);
        let length = u64::from(interval.length());
        let (read, written) = (u64::from(access != Access::Write), u64::from(access != Access::Read));
        let plan = &mut self.plan;
        plan.cost = plan
            .cost
            .saturating_add(cost.saturating_mul(read.saturating_add(written)));
        plan.bytes_copied_in = plan.bytes_copied_in.saturating_add(length.saturating_mul(read));
        plan.bytes_copied_out = plan.bytes_copied_out.saturating_add(length.saturating_mul(written));
        // It is counted even where there is no room, so that a refusal can say how many there are.
        if let Some(place) = self.pieces.get_mut(self.count) {
            *place = Piece::new(interval, route, why);
        }
        self.count = self.count.saturating_add(1);
    }

    /// Offers a range of which `body` could be mapped; why it is copied if it is not chosen.
    fn offer(&mut self, whole: Interval, body: Interval, direction: Direction) -> Why {
        if body.is_empty() {
            return Why::PartialLine;
        }
        if !self.costs.pays(whole, body, self.lines.shape.page_offset) {
            return Why::CheaperToCopy;
        }
        let largest = match direction {
            Direction::ToDevice => &mut self.to_device,
            Direction::FromDevice => &mut self.from_device,
        };
        largest.offer(whole, body, self.count as u32);
        Why::TooManyMappings
    }

    /// Maps what was chosen, as far as there are map registers and that is still cheaper.
    fn map_chosen(&mut self, registers: u32) {
        let page_offset = self.lines.shape.page_offset;
        self.to_device.share(registers, page_offset);
        self.from_device.share(registers, page_offset);
        let mut cuts = [Cut::NONE; ALL_MAPPINGS];
        let mut places = cuts.iter_mut();
        let mut used: usize = 0;
        for cut in ascending(&self.to_device, &self.from_device).into_iter().flatten() {
            let Chosen { whole, number, .. } = cut.chosen;
            if !self.costs.pays(whole, cut.chosen.mapped(), page_offset) {
                if let Some(piece) = self.pieces.get_mut(number as usize) {
                    piece.explain(Why::TooFewRegisters);
                }
            } else if let Some(place) = places.next() {
                *place = cut;
                used = used.saturating_add(1);
                self.map(cut);
            }
        }
        self.count = cut_out(cuts.get(..used).unwrap_or_default(), self.pieces, self.count);
    }

    /// Counts a mapping in place of a copy.
    fn map(&mut self, cut: Cut) {
        let (plan, page_offset) = (&mut self.plan, self.lines.shape.page_offset);
        let (whole, mapped) = (cut.chosen.whole, cut.chosen.mapped());
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
        let copying = self.costs.copy(whole, page_offset);
        let mapping = self.costs.split(whole, mapped, page_offset);
        plan.cost = plan.cost.saturating_sub(copying).saturating_add(mapping);
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

    fn finish(self, checked: &Checked, limits: &Limits) -> Result<Plan, Refusal> {
        let room = self.pieces.len();
        let pieces = self
            .pieces
            .get_mut(..self.count)
            .ok_or_else(|| too_small(self.count as u64, room as u64))?;
        let mut need = Need::new(checked.shape());
        let start = ArenaLayout::copies_of(checked.step_count());
        let copies_end = placement::place(pieces, start, |piece| need.add(piece));
        let [read, write] = need.segments();
        let layout = ArenaLayout::new(checked.step_count(), copies_end, read, write);
        let arena = limits.arena_size.min(u32::MAX.into());
        if layout.total > arena {
            return Err(too_small(layout.total, arena));
        }
        Ok(Plan {
            pieces: self.count,
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
