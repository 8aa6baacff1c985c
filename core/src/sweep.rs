//! Walks over what a program reads and writes, in ascending order, in runs of bytes that are accessed alike.

use crate::intervals::Interval;

/// How a program accesses a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
    ReadAndWrite,
}

/// Iterator over the longest runs of bytes with the same access; untouched bytes are left out.
#[derive(Clone, Debug)]
pub(crate) struct Sweep<'a> {
    reads: Ahead<'a>,
    writes: Ahead<'a>,
    at: u32,
}

impl<'a> Sweep<'a> {
    /// Both lists ascend, and intervals of one list do not touch.
    pub(crate) fn new(reads: &'a [Interval], writes: &'a [Interval]) -> Self {
        Self {
            reads: Ahead::new(reads),
            writes: Ahead::new(writes),
            at: 0,
        }
    }
}

/// What is ahead of a list.
#[derive(Clone, Debug)]
struct Ahead<'a> {
    list: &'a [Interval],
    position: usize,
    /// The first interval that does not lie behind, or one beyond all bytes.
    next: Interval,
}

/// An interval that begins behind all bytes.
const BEYOND: Interval = Interval::new(u32::MAX, u32::MAX);

impl<'a> Ahead<'a> {
    fn new(list: &'a [Interval]) -> Self {
        Self {
            list,
            position: 0,
            next: list.first().copied().unwrap_or(BEYOND),
        }
    }

    /// Where the access changes next, seen from `at`, and whether `at` is accessed.
    #[inline(always)]
    fn change(&self, at: u32) -> (u32, bool) {
        let inside = self.next.start() <= at;
        (if inside { self.next.end() } else { self.next.start() }, inside)
    }

    /// Leaves behind what ends at `at`. No branch: in which list something ends cannot be predicted.
    #[inline(always)]
    fn leave(&mut self, at: u32) {
        self.position = self.position.wrapping_add(usize::from(self.next.end() <= at));
        self.next = self.list.get(self.position).copied().unwrap_or(BEYOND);
    }
}

impl Iterator for Sweep<'_> {
    type Item = (Interval, Access);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let nearest = self.reads.next.start().min(self.writes.next.start());
        if nearest == u32::MAX {
            return None;
        }
        let start = nearest.max(self.at);
        let (read_until, reading) = self.reads.change(start);
        let (write_until, writing) = self.writes.change(start);
        self.at = read_until.min(write_until);
        self.reads.leave(self.at);
        self.writes.leave(self.at);
        let access = match (reading, writing) {
            (true, true) => Access::ReadAndWrite,
            (true, false) => Access::Read,
            (false, _) => Access::Write,
        };
        Some((Interval::new(start, self.at), access))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
                let bits = match access {
                    Access::Read => 1,
                    Access::Write => 2,
                    Access::ReadAndWrite => 3,
                };
                seen[interval.start() as usize..interval.end() as usize].fill(bits);
            }
            prop_assert_eq!(seen, bytes);
            for pair in found.windows(2) {
                prop_assert!(pair[0].0.end() < pair[1].0.start() || pair[0].1 != pair[1].1, "not the longest runs");
            }
        }
    }
}
