//! The memory that a check needs, which the caller provides.

use zerocopy::FromBytes;

use crate::coverage::{Coverage, Node};
use crate::intervals::{Interval, IntervalLog};

/// Sources of a step that can each add an interval to what the program reads.
const READS_PER_STEP: usize = 3;
/// Words of an interval in the log of reads or writes.
const INTERVAL_WORDS: usize = size_of::<Interval>() / 8;
/// Words of a node in the set of written device-local memory.
const NODE_WORDS: usize = size_of::<Node>() / 8;
/// Words for one step: what it reads and writes of the data buffer, and what it writes of device-local memory.
const STEP_WORDS: usize = READS_PER_STEP * INTERVAL_WORDS + INTERVAL_WORDS + NODE_WORDS;

/// Words with which a [`Workspace`] has room for programs of `max_steps` steps: 48 bytes for each.
pub const fn workspace_words(max_steps: u32) -> usize {
    (max_steps as usize).saturating_mul(STEP_WORDS)
}

/// What a check records of a program while it runs, in memory of the caller.
///
/// Making one costs nothing: the memory's content does not matter. It serves one program at a time, until that program is planned.
#[derive(Debug)]
pub struct Workspace<'a> {
    max_steps: u32,
    pub(crate) reads: IntervalLog<'a>,
    pub(crate) writes: IntervalLog<'a>,
    pub(crate) scratch: Coverage<'a>,
}

impl<'a> Workspace<'a> {
    /// A workspace in `words`, with room for as many steps as [`workspace_words`] says.
    pub fn new(words: &'a mut [u64]) -> Self {
        let max_steps = words.len() / STEP_WORDS;
        let (reads, rest) = split(words, max_steps.saturating_mul(READS_PER_STEP * INTERVAL_WORDS));
        let (writes, rest) = split(rest, max_steps.saturating_mul(INTERVAL_WORDS));
        let (scratch, _) = split(rest, max_steps.saturating_mul(NODE_WORDS));
        Self {
            max_steps: u32::try_from(max_steps).unwrap_or(u32::MAX),
            reads: IntervalLog::new(<[Interval]>::mut_from_bytes(bytes(reads)).unwrap_or_default()),
            writes: IntervalLog::new(<[Interval]>::mut_from_bytes(bytes(writes)).unwrap_or_default()),
            scratch: Coverage::new(<[Node]>::mut_from_bytes(bytes(scratch)).unwrap_or_default()),
        }
    }

    /// Most steps of a program that there is room for.
    pub const fn max_steps(&self) -> u32 {
        self.max_steps
    }

    pub(crate) fn clear(&mut self) {
        self.reads.clear();
        self.writes.clear();
        self.scratch.clear();
    }
}

fn split(words: &mut [u64], at: usize) -> (&mut [u64], &mut [u64]) {
    words.split_at_mut_checked(at).unwrap_or_default()
}

fn bytes(words: &mut [u64]) -> &mut [u8] {
    zerocopy::IntoBytes::as_mut_bytes(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intervals::Full;

    #[test]
    fn there_is_room_for_the_steps_promised_and_no_more() {
        for steps in [0, 1, 5] {
            let mut words = std::vec![u64::MAX; workspace_words(steps)];
            let mut workspace = Workspace::new(&mut words);
            assert_eq!(workspace.max_steps(), steps);
            let apart = |i: u32| Interval::new(i * 8, i * 8 + 4);
            for i in 0..steps {
                assert_eq!(workspace.writes.add(apart(i)), Ok(()));
                assert_eq!(workspace.scratch.insert(apart(i)), Ok(()));
            }
            for i in 0..steps * 3 {
                assert_eq!(workspace.reads.add(apart(i)), Ok(()));
            }
            assert_eq!(workspace.reads.add(apart(steps * 3)), Err(Full));
            assert_eq!(workspace.writes.add(apart(steps)), Err(Full));
            assert_eq!(workspace.scratch.insert(apart(steps)), Err(Full));
        }
    }

    #[test]
    fn a_step_costs_48_bytes() {
        assert_eq!(workspace_words(1) * 8, 48);
    }
}
