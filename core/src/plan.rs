//! Decides for each byte of the data buffer how the device gets at it.

use crate::address::{BlockOffset, DataRange, MappingIndex, round_down, round_up};
use crate::check::{Accepted, BufferShape, Checked};
use crate::intervals::Interval;
use crate::layout::ArenaLayout;
use crate::limits::{Limits, MAX_MAPPINGS};
use crate::pieces::{Piece, Pieces, Route, Why};
use crate::placement;
use crate::refusal::Refusal;
use crate::selection::{Largest, Share};
use crate::sweep::{Access, Sweep};
use crate::views::{View, most_segments};
use hawser_abi::reason::Reason;

/// Mappings of both directions.
const ALL_MAPPINGS: usize = 2 * MAX_MAPPINGS;
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
/// There are few mappings in each direction; the largest ranges get them, the others are copied in or out. Where map registers are few, the largest ranges get those
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
    let (reads, writes) = accepted.accesses();
    let sweep = Sweep::new(reads, writes);
    let mut choice = Choice::of(sweep.clone(), limits, lines);
    let mut draft = Draft {
        pieces,
        count: 0,
        plan: Plan::default(),
    };
    for (interval, access) in sweep {
        draft.add(interval, access, lines, &mut choice);
    }
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
        let ahead = u64::from(self.shape.page_offset);
        let first = round_up(ahead.saturating_add(interval.start().into()), self.line).saturating_sub(ahead);
        let end = round_down(ahead.saturating_add(interval.end().into()), self.line).saturating_sub(ahead);
        match (u32::try_from(first), u32::try_from(end)) {
            (Ok(first), Ok(end)) if first < end => Interval::new(first, end),
            _ => Interval::new(interval.end(), interval.end()),
        }
    }
}

/// The ranges that are mapped.
struct Choice {
    to_device: Largest,
    from_device: Largest,
}

impl Choice {
    fn of(sweep: Sweep<'_>, limits: &Limits, lines: Lines) -> Self {
        let most = limits.mapping_limit();
        let mut choice = Self {
            to_device: Largest::new(most),
            from_device: Largest::new(most),
        };
        for (interval, access) in sweep {
            match access {
                Access::Read => choice.to_device.offer(interval),
                Access::Write if !lines.whole(interval).is_empty() => choice.from_device.offer(lines.whole(interval)),
                Access::Write | Access::ReadAndWrite => {}
            }
        }
        let page_offset = lines.shape.page_offset;
        choice.to_device.share(limits.map_registers, page_offset);
        choice.from_device.share(limits.map_registers, page_offset);
        choice
    }
}

/// Where copied pieces are until they are placed.
const UNPLACED: BlockOffset = BlockOffset(0);

/// A plan in the making.
struct Draft<'p> {
    pieces: &'p mut [Piece],
    count: usize,
    plan: Plan,
}

impl Draft<'_> {
    fn add(&mut self, interval: Interval, access: Access, lines: Lines, choice: &mut Choice) {
        match access {
            Access::Read => {
                let Share { mapped, rest } = choice.to_device.take(interval);
                self.map(mapped, Direction::ToDevice);
                self.copy(behind(mapped, interval), Route::CopyIn(UNPLACED), rest);
            }
            Access::ReadAndWrite => self.copy(interval, Route::CopyInOut(UNPLACED), Why::ReadAndWritten),
            Access::Write => {
                let body = lines.whole(interval);
                if body.is_empty() {
                    self.copy(interval, Route::CopyOut(UNPLACED), Why::PartialLine);
                    return;
                }
                let out = Route::CopyOut(UNPLACED);
                let Share { mapped, rest } = choice.from_device.take(body);
                if mapped.is_empty() {
                    return self.copy(interval, out, rest);
                }
                self.copy(Interval::new(interval.start(), body.start()), out, Why::PartialLine);
                self.map(mapped, Direction::FromDevice);
                self.copy(behind(mapped, body), out, rest);
                self.copy(behind(body, interval), out, Why::PartialLine);
            }
        }
    }

    fn map(&mut self, interval: Interval, direction: Direction) {
        if interval.is_empty() {
            return;
        }
        let plan = &mut self.plan;
        let index = plan.to_device.saturating_add(plan.from_device);
        let mapping = MappingIndex(index);
        let length = u64::from(interval.length());
        let (route, why, count, bytes) = match direction {
            Direction::ToDevice => (
                Route::ToDevice(mapping),
                Why::OnlyRead,
                &mut plan.to_device,
                &mut plan.bytes_to_device,
            ),
            Direction::FromDevice => (
                Route::FromDevice(mapping),
                Why::OnlyWritten,
                &mut plan.from_device,
                &mut plan.bytes_from_device,
            ),
        };
        *count = count.saturating_add(1);
        *bytes = bytes.saturating_add(length);
        if let Some(place) = plan.mappings.get_mut(usize::from(index)) {
            *place = Mapping {
                range: DataRange {
                    offset: interval.start().into(),
                    length,
                },
                direction,
            };
        }
        self.push(Piece::new(interval, route, why));
    }

    fn copy(&mut self, interval: Interval, route: Route, why: Why) {
        if interval.is_empty() {
            return;
        }
        let length = u64::from(interval.length());
        if !matches!(route, Route::CopyOut(_)) {
            self.plan.bytes_copied_in = self.plan.bytes_copied_in.saturating_add(length);
        }
        if !matches!(route, Route::CopyIn(_)) {
            self.plan.bytes_copied_out = self.plan.bytes_copied_out.saturating_add(length);
        }
        self.push(Piece::new(interval, route, why));
    }

    /// Counts the piece even where there is no room, so that a refusal can say how many there are.
    fn push(&mut self, piece: Piece) {
        if let Some(place) = self.pieces.get_mut(self.count) {
            *place = piece;
        }
        self.count = self.count.saturating_add(1);
    }

    fn finish(self, checked: &Checked, limits: &Limits) -> Result<Plan, Refusal> {
        let room = self.pieces.len();
        let pieces = self
            .pieces
            .get_mut(..self.count)
            .ok_or_else(|| too_small(self.count as u64, room as u64))?;
        let copies_end = placement::place(pieces, ArenaLayout::copies_of(checked.step_count()));
        let [read, write] = [View::Read, View::Write].map(|view| most_segments(view, Pieces(pieces), checked.shape()));
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

/// What of an interval lies behind a part of it.
fn behind(part: Interval, interval: Interval) -> Interval {
    Interval::new(part.end(), interval.end())
}

fn too_small(needed: u64, limit: u64) -> Refusal {
    Refusal::new(Reason::ArenaTooSmall).length(needed).limit(limit)
}

#[cfg(test)]
mod tests;
