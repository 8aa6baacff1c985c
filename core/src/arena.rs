//! Gives out parts of the arena and of device-local memory.
//!
//! At most `N` blocks are in use at once, one for each slot, so that a sorted table of them is all there is: a scan of 32 entries, half
//! a KiB, finds the first gap that is large enough in less time than a tree or a set of free lists would take to keep up to date, and free
//! space needs no coalescing because it is never recorded.

use crate::address::{ArenaOffset, round_down, round_up};

/// Unit and alignment of all blocks, a cache line.
const UNIT: u64 = 64;

/// A block in use. One of length 0 takes no place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// First byte, a multiple of 64.
    pub offset: ArenaOffset,
    /// Bytes, a multiple of 64.
    pub length: u64,
}

impl Block {
    const NONE: Self = Self {
        offset: ArenaOffset(0),
        length: 0,
    };

    const fn end(&self) -> u64 {
        self.offset.0.saturating_add(self.length)
    }
}

/// Why there is no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllocateError {
    /// Not even an arena with nothing in use has room.
    NeverFits,
    /// There is no room until other blocks have been freed.
    NotNow,
}

/// A block that is not in use was to be freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAllocated;

/// Allocator of offsets below a capacity, for at most `N` blocks at once. Zeroed memory is one with no capacity.
#[derive(Debug)]
pub struct OffsetAllocator<const N: usize> {
    capacity: u64,
    used: u64,
    peak: u64,
    live: usize,
    /// The first `live` are in use, in ascending order.
    blocks: [Block; N],
}

impl<const N: usize> OffsetAllocator<N> {
    /// An allocator of `capacity` bytes, rounded down to a multiple of 64.
    pub const fn new(capacity: u64) -> Self {
        Self {
            capacity: round_down(capacity, UNIT),
            used: 0,
            peak: 0,
            live: 0,
            blocks: [Block::NONE; N],
        }
    }

    /// Takes `length` bytes, rounded up to a multiple of 64, in the first gap that is large enough.
    pub fn allocate(&mut self, length: u64) -> Result<Block, AllocateError> {
        let length = Some(round_up(length, UNIT))
            .filter(|rounded| *rounded >= length)
            .ok_or(AllocateError::NeverFits)?;
        if length == 0 {
            return Ok(Block::NONE);
        }
        if length > self.capacity || N == 0 {
            return Err(AllocateError::NeverFits);
        }
        let (position, offset) = self.first_gap(length).ok_or(AllocateError::NotNow)?;
        let block = Block {
            offset: ArenaOffset(offset),
            length,
        };
        let tail = self.blocks.get_mut(position..=self.live).ok_or(AllocateError::NotNow)?;
        tail.rotate_right(1);
        if let Some(place) = tail.first_mut() {
            *place = block;
        }
        self.live = self.live.saturating_add(1);
        self.used = self.used.saturating_add(length);
        self.peak = self.peak.max(self.used);
        Ok(block)
    }

    /// Gives a block back.
    pub fn free(&mut self, block: Block) -> Result<(), NotAllocated> {
        if block.length == 0 {
            return Ok(());
        }
        let position = self
            .in_use()
            .iter()
            .position(|used| *used == block)
            .ok_or(NotAllocated)?;
        let tail = self.blocks.get_mut(position..self.live).ok_or(NotAllocated)?;
        tail.rotate_left(1);
        self.live = self.live.saturating_sub(1);
        self.used = self.used.saturating_sub(block.length);
        Ok(())
    }

    /// Bytes that can be given out in all.
    pub const fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Bytes in use.
    pub const fn used(&self) -> u64 {
        self.used
    }

    /// Most bytes that were ever in use at once.
    pub const fn peak(&self) -> u64 {
        self.peak
    }

    /// Blocks in use.
    pub const fn live(&self) -> usize {
        self.live
    }

    /// Bytes of the largest gap.
    pub fn largest_free(&self) -> u64 {
        self.gaps()
            .map(|(_, start, end)| end.saturating_sub(start))
            .max()
            .unwrap_or(0)
    }

    fn in_use(&self) -> &[Block] {
        self.blocks.get(..self.live).unwrap_or_default()
    }

    /// Where the first gap of `length` bytes is in the table and in the arena.
    fn first_gap(&self, length: u64) -> Option<(usize, u64)> {
        let large_enough = |(_, start, end): &(usize, u64, u64)| end.saturating_sub(*start) >= length;
        self.gaps()
            .find(large_enough)
            .map(|(position, start, _)| (position, start))
    }

    /// The gaps before each block and after the last, some of them empty: position in the table, start and end.
    fn gaps(&self) -> impl Iterator<Item = (usize, u64, u64)> {
        let starts = core::iter::once(0).chain(self.in_use().iter().map(Block::end));
        let ends = self
            .in_use()
            .iter()
            .map(|block| block.offset.0)
            .chain(core::iter::once(self.capacity));
        starts
            .zip(ends)
            .enumerate()
            .map(|(position, (start, end))| (position, start, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    #[test]
    fn what_can_never_fit_is_told_from_what_does_not_fit_now() {
        let mut arena = OffsetAllocator::<2>::new(200);
        assert_eq!(arena.capacity(), 192);
        assert_eq!(arena.allocate(193), Err(AllocateError::NeverFits));
        assert_eq!(arena.allocate(u64::MAX), Err(AllocateError::NeverFits));
        let first = arena.allocate(1).expect("the arena is empty");
        assert_eq!(
            first,
            Block {
                offset: ArenaOffset(0),
                length: 64
            }
        );
        assert_eq!(arena.allocate(192), Err(AllocateError::NotNow));
        let second = arena.allocate(64).expect("two lines are free");
        assert_eq!(arena.allocate(64), Err(AllocateError::NotNow), "the table is full");
        assert_eq!(arena.free(first), Ok(()));
        assert_eq!(arena.free(first), Err(NotAllocated));
        assert_eq!(arena.free(Block { length: 128, ..second }), Err(NotAllocated));
        assert_eq!(arena.allocate(64), Ok(first));
    }

    #[test]
    fn an_empty_block_takes_no_place() {
        let mut arena = OffsetAllocator::<1>::new(64);
        let whole = arena.allocate(64).expect("the arena is empty");
        let empty = arena.allocate(0).expect("nothing was asked for");
        assert_eq!((empty.length, arena.live(), arena.used()), (0, 1, 64));
        assert_eq!((arena.free(empty), arena.free(whole)), (Ok(()), Ok(())));
    }

    proptest! {
        #[test]
        fn blocks_never_overlap_and_everything_comes_back(
            operations in proptest::collection::vec((any::<bool>(), 0_u64..700, any::<prop::sample::Index>()), 0..200)
        ) {
            const CAPACITY: u64 = 64 * 40;
            let mut arena = OffsetAllocator::<8>::new(CAPACITY);
            let mut model: Vec<Block> = Vec::new();
            let mut peak = 0;
            for (free, length, index) in operations {
                if free && !model.is_empty() {
                    let block = model.swap_remove(index.index(model.len()));
                    prop_assert_eq!(arena.free(block), Ok(()));
                    prop_assert_eq!(arena.free(block), Err(NotAllocated));
                } else if length > 0 {
                    let rounded = length.div_ceil(64) * 64;
                    let fits = model.len() < 8 && rounded <= arena.largest_free();
                    match arena.allocate(length) {
                        Ok(block) => {
                            prop_assert!(fits);
                            prop_assert_eq!((block.length, block.offset.0 % 64), (rounded, 0));
                            prop_assert!(block.end() <= CAPACITY);
                            prop_assert!(model.iter().all(|b| b.end() <= block.offset.0 || block.end() <= b.offset.0));
                            model.push(block);
                        }
                        Err(error) => {
                            prop_assert!(!fits);
                            prop_assert_eq!(error, AllocateError::NotNow);
                        }
                    }
                }
                let used: u64 = model.iter().map(|block| block.length).sum();
                peak = peak.max(used);
                prop_assert_eq!((arena.used(), arena.peak(), arena.live()), (used, peak, model.len()));
            }
            for block in model {
                prop_assert_eq!(arena.free(block), Ok(()));
            }
            prop_assert_eq!((arena.used(), arena.live(), arena.largest_free()), (0, 0, CAPACITY));
        }
    }
}
