//! Walks over what a program reads and writes, in ascending order, in runs of bytes that are accessed alike.

use core::hint::select_unpredictable;

use zerocopy::{FromBytes, IntoBytes};

use crate::intervals::Interval;
use crate::pieces::Piece;
use crate::placement::Placing;

/// How a program accesses a byte: a bit for reading, a bit for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Access(u8);

impl Access {
    pub(crate) const UNTOUCHED: Self = Self(0);
    pub(crate) const READ: Self = Self(1);
    pub(crate) const WRITE: Self = Self(2);
    pub(crate) const READ_AND_WRITE: Self = Self(3);

    /// The bits.
    pub(crate) const fn bits(self) -> u8 {
        self.0
    }
}

/// Iterator over the longest runs of bytes with the same access; untouched bytes are left out.
///
/// It goes from boundary to boundary: each is where reading begins or ends, where writing does, or both. Which it is next has no pattern, so there is no branch on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sweep<'a> {
    reads: Boundaries<'a>,
    writes: Boundaries<'a>,
    /// The boundary that was passed last.
    from: u32,
}

/// The starts and ends of the intervals of a list.
#[derive(Clone, Copy, Debug)]
struct Boundaries<'a> {
    words: &'a [u32],
    /// The number of the first that was not passed.
    number: usize,
    /// Where it is.
    next: u32,
}

/// Behind all boundaries.
const BEYOND: u32 = u32::MAX;

impl<'a> Boundaries<'a> {
    fn new(list: &'a [Interval]) -> Self {
        let all = Self {
            words: <[u32]>::ref_from_bytes(list.as_bytes()).unwrap_or_default(),
            number: 0,
            next: BEYOND,
        };
        Self { next: all.at(0), ..all }
    }

    #[inline(always)]
    fn at(&self, number: usize) -> u32 {
        // The end is the lower half of an interval, and comes first in memory.
        self.words.get(number ^ 1).copied().unwrap_or(BEYOND)
    }

    /// Whether the last boundary that was passed is the start of an interval: 1 in that case, or 0. Starts and ends take turns.
    #[inline(always)]
    const fn inside(&self) -> u8 {
        self.number as u8 & 1
    }

    /// Passes the next boundary if it is here.
    #[inline(always)]
    fn pass(&mut self, here: u32) {
        let passed = self.next == here;
        self.number = self.number.wrapping_add(passed.into());
        self.next = self.at(self.number);
    }
}

impl<'a> Sweep<'a> {
    /// Both lists ascend, and intervals of one list do not touch.
    pub(crate) fn new(reads: &'a [Interval], writes: &'a [Interval]) -> Self {
        Self {
            reads: Boundaries::new(reads),
            writes: Boundaries::new(writes),
            from: 0,
        }
    }

    /// Turns the next runs into pieces, as many as there are places, and places them if that is not left for later; returns how many they are.
    ///
    /// A function of its own even in an optimised build, so that what it needs finds room in registers.
    #[inline(never)]
    pub(crate) fn list<P: Placing>(&mut self, places: &mut [Piece], placing: &mut P) -> usize {
        // What a local variable has need not be written to memory each time.
        let (mut sweep, mut last, mut count) = (*self, *placing, 0_usize);
        while let Some(place) = places.get_mut(count) {
            let Some((interval, access)) = sweep.step() else { break };
            let mut piece = Piece::copied(interval, access);
            let next = last.with(&mut piece);
            // What is not touched is written over.
            *place = piece;
            let untouched = access == Access::UNTOUCHED;
            last = select_unpredictable(untouched, last, next);
            count = count.wrapping_add(usize::from(!untouched));
        }
        (*self, *placing) = (sweep, last);
        count
    }

    /// The bytes up to the next boundary, which may be none, and how they are accessed; nothing behind the last.
    #[inline(always)]
    fn step(&mut self) -> Option<(Interval, Access)> {
        let (read, write) = (self.reads.next, self.writes.next);
        let here = select_unpredictable(read < write, read, write);
        if here == BEYOND {
            return None;
        }
        let access = Access(self.reads.inside() | self.writes.inside() << 1);
        let run = (Interval::new(self.from, here), access);
        self.from = here;
        self.reads.pass(here);
        self.writes.pass(here);
        Some(run)
    }
}

impl Iterator for Sweep<'_> {
    type Item = (Interval, Access);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let run = self.step()?;
            if run.1 != Access::UNTOUCHED {
                return Some(run);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::Later;
    use crate::testing::runs;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn a_sweep_says_of_each_byte_how_it_is_accessed(bytes in proptest::collection::vec(0_u8..4, 0..120)) {
            let reads = runs(&bytes, |byte| byte & 1 != 0);
            let writes = runs(&bytes, |byte| byte & 2 != 0);
            let mut seen = vec![0_u8; bytes.len()];
            let found: Vec<_> = Sweep::new(&reads, &writes).collect();
            for (interval, access) in &found {
                seen[interval.start() as usize..interval.end() as usize].fill(access.bits());
            }
            prop_assert_eq!(seen, bytes);
            for pair in found.windows(2) {
                prop_assert!(pair[0].0.end() < pair[1].0.start() || pair[0].1 != pair[1].1, "not the longest runs");
            }
            let (mut sweep, mut listed) = (Sweep::new(&reads, &writes), Vec::new());
            loop {
                let mut places = [Piece::default(); 7];
                let count = sweep.list(&mut places, &mut Later);
                listed.extend_from_slice(&places[..count]);
                if count < places.len() {
                    break;
                }
            }
            let expected: Vec<_> = found.iter().map(|(interval, access)| Piece::copied(*interval, *access)).collect();
            prop_assert_eq!(listed, expected);
        }
    }
}
