//! The memory that a check needs, which the caller provides.

use zerocopy::{FromBytes, IntoBytes};

use crate::check::temporaries::{Temporaries, temporaries_words};
use crate::check::units::{Units, unit_words};
use crate::coverage::{Coverage, coverage_words};
use crate::digest::digest;
use crate::intervals::{Interval, IntervalLog, SortBench};
use crate::sort::COUNTS;
use crate::trusted::{BLOCK, Rest, Row, TrustedBlock, TrustedCopy};

/// Sources of a step that can each add an interval to what the program reads.
const READS_PER_STEP: usize = 3;
/// Words for counting while intervals are sorted.
const COUNT_WORDS: usize = COUNTS / 2;
/// Words for what one step reads, and what it writes.
const LOG_WORDS: usize = READS_PER_STEP + 1;
/// Words of a step of the trusted copy for where it reaches, and for all else.
const ROW_WORDS: usize = size_of::<Row>() / size_of::<u64>();
const REST_WORDS: usize = size_of::<Rest>() / size_of::<u64>();

/// The programs that a [`Workspace`] has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Most steps.
    pub steps: u32,
    /// Most bytes of device-local memory.
    pub scratch: u64,
}

impl Room {
    /// Words that the workspace needs: 104 bytes for each step, a bit and some more for each byte of device-local memory, and 260 KiB.
    pub const fn words(self) -> usize {
        (self.steps as usize)
            .saturating_mul(LOG_WORDS)
            .saturating_add(self.blocks_of(ROW_WORDS))
            .saturating_add(self.blocks_of(REST_WORDS))
            .saturating_add(coverage_words(self.scratch))
            .saturating_add(unit_words(self.scratch))
            .saturating_add(COUNT_WORDS)
            .saturating_add(temporaries_words(self.steps))
    }

    /// Words for whole blocks of the trusted copy, of so many words for each step.
    const fn blocks_of(self, words: usize) -> usize {
        (self.steps as usize)
            .div_ceil(BLOCK)
            .saturating_mul(BLOCK)
            .saturating_mul(words)
    }
}

/// What a check records of a program while it runs, in memory of the caller.
///
/// Making one costs nothing: the memory's content does not matter. It serves one program at a time, until that program is translated.
#[derive(Debug)]
pub struct Workspace<'a> {
    room: Room,
    reads: IntervalLog<'a>,
    writes: IntervalLog<'a>,
    copy: TrustedCopy<'a>,
    temporaries: Temporaries<'a>,
    counts: &'a mut [u32],
}

impl<'a> Workspace<'a> {
    /// A workspace in `words`, as many as [`Room::words`] says; with fewer it has no room at all.
    pub fn new(words: &'a mut [u64], room: Room) -> Self {
        let room = if words.len() < room.words() {
            Room { steps: 0, scratch: 0 }
        } else {
            room
        };
        let steps = room.steps as usize;
        let (reads, rest) = split(words, steps.saturating_mul(READS_PER_STEP));
        let (writes, rest) = split(rest, steps);
        let (rows, rest) = split(rest, room.blocks_of(ROW_WORDS));
        let (rests, rest) = split(rest, room.blocks_of(REST_WORDS));
        let (temporaries, rest) = split(rest, temporaries_words(room.steps));
        let (scratch, rest) = split(rest, coverage_words(room.scratch));
        let (units, rest) = split(rest, unit_words(room.scratch));
        let (counts, _) = split(rest, COUNT_WORDS);
        Self {
            room,
            reads: IntervalLog::new(intervals(reads)),
            writes: IntervalLog::new(intervals(writes)),
            copy: TrustedCopy::new(
                <[[Row; BLOCK]]>::mut_from_bytes(rows.as_mut_bytes()).unwrap_or_default(),
                <[[Rest; BLOCK]]>::mut_from_bytes(rests.as_mut_bytes()).unwrap_or_default(),
            ),
            temporaries: Temporaries::new(
                Coverage::new(scratch, room.scratch),
                Units::new(intervals(units)),
                intervals(temporaries),
            ),
            counts: numbers(counts),
        }
    }

    /// The programs that there is room for.
    pub const fn room(&self) -> Room {
        self.room
    }

    /// Starts to record a program of `steps` steps that uses `window` bytes of device-local memory: the blocks of its trusted copy.
    pub(crate) fn start(
        &mut self,
        steps: u32,
        window: u64,
    ) -> (impl Iterator<Item = TrustedBlock<'_>>, &mut Temporaries<'a>) {
        self.temporaries.clear(window);
        (self.copy.start(steps as usize), &mut self.temporaries)
    }

    /// The trusted copy.
    pub(crate) const fn copy(&self) -> &TrustedCopy<'a> {
        &self.copy
    }

    /// What was recorded to be read and to be written, sorted with the help of `spare`, as ascending intervals that do not touch.
    pub(crate) fn sorted(&mut self, spare: &mut [Interval]) -> (&[Interval], &[Interval]) {
        self.reads.clear();
        self.writes.clear();
        digest(self.copy.rows(), &mut self.reads, &mut self.writes);
        let mut bench = SortBench {
            spare,
            counts: self.counts,
        };
        (self.reads.sorted(&mut bench), self.writes.sorted(&mut bench))
    }
}

fn split(words: &mut [u64], at: usize) -> (&mut [u64], &mut [u64]) {
    words.split_at_mut_checked(at).unwrap_or_default()
}

fn numbers(words: &mut [u64]) -> &mut [u32] {
    <[u32]>::mut_from_bytes(words.as_mut_bytes()).unwrap_or_default()
}

fn intervals(words: &mut [u64]) -> &mut [Interval] {
    <[Interval]>::mut_from_bytes(words.as_mut_bytes()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn there_is_room_for_what_was_promised() {
        for (steps, scratch) in [(0, 0), (1, 0), (5, 1), (64, 1), (65, 1), (7, 70_000)] {
            let room = Room { steps, scratch };
            let mut words = std::vec![u64::MAX; room.words()];
            let mut workspace = Workspace::new(&mut words, room);
            assert_eq!(workspace.room(), room);
            let (blocks, _) = workspace.start(steps, scratch);
            let rows: Vec<_> = blocks.flat_map(|block| block.rows).collect();
            assert_eq!(rows.len(), (steps as usize).next_multiple_of(BLOCK));
            for (row, number) in rows.into_iter().zip((0..).step_by(4)) {
                let start = [0, 1, 2, 3].map(|lane| (number + lane) * 8);
                *row = Row {
                    start,
                    end: start.map(|start| start + 4),
                };
            }
            let (reads, writes) = workspace.sorted(&mut []);
            let found = (reads.to_vec(), writes.to_vec());
            assert_eq!((found.0.len(), found.1.len()), (steps as usize * 3, steps as usize));
            let (reads, writes) = workspace.sorted(&mut []);
            assert_eq!((reads, writes), (&found.0[..], &found.1[..]), "a second time");
        }
    }

    #[test]
    fn too_few_words_are_no_room() {
        let room = Room { steps: 2, scratch: 64 };
        let mut words = std::vec![0; room.words() - 1];
        assert_eq!(Workspace::new(&mut words, room).room(), Room { steps: 0, scratch: 0 });
    }
}
