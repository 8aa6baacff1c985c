//! Device-local memory: what BAR 2 shows and what programs use as scratch.

use std::ops::Range;

use hawser_abi::pci::MEMORY_BAR_SIZE;

const SIZE: usize = MEMORY_BAR_SIZE as usize;

/// The memory. It reads as zero until it is written; the allocator hands out zeroed pages on first use.
pub(crate) struct LocalMemory {
    bytes: Vec<u8>,
}

impl LocalMemory {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0; SIZE] }
    }

    /// The bytes from `offset` on, or `None` where they are not all inside the memory.
    pub(crate) fn get(&self, offset: u64, length: usize) -> Option<&[u8]> {
        self.bytes.get(range(offset, length)?)
    }

    /// The bytes from `offset` on for writing, or `None` where they are not all inside the memory.
    pub(crate) fn get_mut(&mut self, offset: u64, length: usize) -> Option<&mut [u8]> {
        self.bytes.get_mut(range(offset, length)?)
    }
}

fn range(offset: u64, length: usize) -> Option<Range<usize>> {
    let start = usize::try_from(offset).ok()?;
    Some(start..start.checked_add(length)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_exact() {
        let mut memory = LocalMemory::new();
        assert!(memory.get(MEMORY_BAR_SIZE - 4, 4).is_some());
        assert!(memory.get(MEMORY_BAR_SIZE - 4, 5).is_none());
        assert!(memory.get_mut(u64::MAX, 1).is_none());
        assert!(memory.get(u64::MAX, usize::MAX).is_none());
    }
}
