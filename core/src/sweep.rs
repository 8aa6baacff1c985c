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
    reads: &'a [Interval],
    writes: &'a [Interval],
    at: u32,
}

impl<'a> Sweep<'a> {
    /// Both lists ascend, and intervals of one list do not touch.
    pub(crate) fn new(reads: &'a [Interval], writes: &'a [Interval]) -> Self {
        Self { reads, writes, at: 0 }
    }
}

/// What is left of `list` from byte `at` on, and its first interval.
fn ahead(list: &[Interval], at: u32) -> (&[Interval], Option<Interval>) {
    match list {
        [first, rest @ ..] if first.end() <= at => (rest, rest.first().copied()),
        _ => (list, list.first().copied()),
    }
}

/// Where the access of a list changes next, seen from `at`, and whether `at` is accessed.
fn change(next: Option<Interval>, at: u32) -> (u32, bool) {
    match next {
        None => (u32::MAX, false),
        Some(interval) if interval.start() <= at => (interval.end(), true),
        Some(interval) => (interval.start(), false),
    }
}

impl Iterator for Sweep<'_> {
    type Item = (Interval, Access);

    fn next(&mut self) -> Option<Self::Item> {
        let (reads, read) = ahead(self.reads, self.at);
        let (writes, write) = ahead(self.writes, self.at);
        (self.reads, self.writes) = (reads, writes);
        let nearest = read.into_iter().chain(write).map(Interval::start).min()?;
        let start = nearest.max(self.at);
        let ((read_until, reading), (write_until, writing)) = (change(read, start), change(write, start));
        self.at = read_until.min(write_until);
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
