//! Device-local memory in use and free: what is given back is handed out again.

use std::collections::BTreeMap;

use super::{ARRAY_ALIGNMENT, ProgramError};

/// A space whose bytes are taken in blocks that begin at cache lines.
///
/// A block is put into the first gap that is large enough, or behind everything that was ever taken.
#[derive(Clone, Debug)]
pub(super) struct Blocks {
    limit: u64,
    /// Bytes up to the end of the block that reached farthest.
    used: u64,
    /// Blocks in use: the bytes of each, by offset.
    taken: BTreeMap<u64, u64>,
    /// Gaps before `used`: the end of each, by offset. No two touch.
    gaps: BTreeMap<u64, u64>,
}

impl Blocks {
    pub(super) fn of(limit: u64) -> Self {
        Self {
            limit,
            used: 0,
            taken: BTreeMap::new(),
            gaps: BTreeMap::new(),
        }
    }

    /// Bytes that have ever been in use.
    pub(super) fn used(&self) -> u64 {
        self.used
    }

    /// The offset of a block of `length` bytes; `None` stands for more than 64 bits can tell.
    pub(super) fn take(&mut self, length: Option<u64>) -> Result<u64, ProgramError> {
        let too_large = |length| ProgramError::TooLarge {
            length,
            limit: self.limit,
        };
        let length = length.ok_or(too_large(u64::MAX))?;
        let offset = self.place_for(length);
        let end = offset.checked_add(length).ok_or(too_large(u64::MAX))?;
        if end > self.limit {
            return Err(too_large(end));
        }
        if let Some((start, gap_end)) = self.gap_at(offset) {
            self.gaps.remove(&start);
            let rest = end.next_multiple_of(ARRAY_ALIGNMENT);
            if rest < gap_end {
                self.gaps.insert(rest, gap_end);
            }
        }
        self.used = self.used.max(end);
        if length > 0 {
            self.taken.insert(offset, length);
        }
        Ok(offset)
    }

    /// Gives a block back; says whether these bytes are one.
    pub(super) fn give_back(&mut self, offset: u64, length: u64) -> bool {
        if length == 0 {
            return true;
        }
        if self.taken.get(&offset) != Some(&length) {
            return false;
        }
        self.taken.remove(&offset);
        let (mut start, mut end) = (offset, (offset + length).next_multiple_of(ARRAY_ALIGNMENT));
        if let Some((&before, &before_end)) = self.gaps.range(..start).next_back()
            && before_end == start
        {
            start = before;
        }
        if let Some(after_end) = self.gaps.remove(&end) {
            end = after_end;
        }
        if end > start {
            self.gaps.insert(start, end);
        }
        true
    }

    /// The first gap that is large enough, or the end, with the gap before it.
    fn place_for(&self, length: u64) -> u64 {
        let end = self.used.next_multiple_of(ARRAY_ALIGNMENT);
        let fits = |(start, gap_end): (&u64, &u64)| (gap_end - start >= length || *gap_end >= end).then_some(*start);
        self.gaps.iter().find_map(fits).unwrap_or(end)
    }

    fn gap_at(&self, offset: u64) -> Option<(u64, u64)> {
        self.gaps.get(&offset).map(|end| (offset, *end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_given_back_is_taken_again() {
        let mut blocks = Blocks::of(1024);
        assert_eq!(
            [100, 64, 1].map(|length| blocks.take(Some(length)).unwrap()),
            [0, 128, 192]
        );
        assert!(blocks.give_back(0, 100));
        assert!(!blocks.give_back(0, 100), "it is free already");
        assert!(!blocks.give_back(128, 63), "not the whole block");
        assert_eq!(blocks.take(Some(65)).unwrap(), 0);
        assert_eq!((blocks.take(Some(1)).unwrap(), blocks.used()), (256, 257));
        for (offset, length) in [(192, 1), (128, 64), (256, 1)] {
            assert!(blocks.give_back(offset, length));
        }
        assert_eq!(blocks.take(Some(800)).unwrap(), 128, "gaps are joined, up to the end");
    }

    #[test]
    fn nothing_is_taken_beyond_the_limit() {
        let mut blocks = Blocks::of(128);
        let too_large = |length| ProgramError::TooLarge { length, limit: 128 };
        assert_eq!(blocks.take(Some(129)), Err(too_large(129)));
        assert_eq!(blocks.take(None), Err(too_large(u64::MAX)));
        assert_eq!(blocks.take(Some(100)), Ok(0));
        assert_eq!(blocks.take(Some(1)), Err(too_large(129)));
        assert_eq!(blocks.take(Some(u64::MAX)), Err(too_large(u64::MAX)));
        assert_eq!(blocks.used(), 100);
    }

    proptest! {
        #[test]
        fn blocks_are_aligned_disjoint_and_inside(
            actions in prop::collection::vec((0..2_u8, 0..500_u64), 1..60),
            limit in 1..5_000_u64,
        ) {
            let mut blocks = Blocks::of(limit);
            let mut live: Vec<(u64, u64)> = Vec::new();
            for (action, number) in actions {
                if action == 0 && !live.is_empty() {
                    let (offset, length) = live.swap_remove(number as usize % live.len());
                    prop_assert!(blocks.give_back(offset, length));
                } else if let Ok(offset) = blocks.take(Some(number + 1)) {
                    let end = offset + number + 1;
                    prop_assert!(offset.is_multiple_of(ARRAY_ALIGNMENT) && end <= blocks.used() && end <= limit);
                    prop_assert!(live.iter().all(|(other, length)| end <= *other || other + length <= offset));
                    live.push((offset, number + 1));
                }
            }
            for (offset, length) in live {
                prop_assert!(blocks.give_back(offset, length));
            }
            prop_assert_eq!(blocks.take(Some(limit)), Ok(0), "everything is one gap again");
        }
    }
}
