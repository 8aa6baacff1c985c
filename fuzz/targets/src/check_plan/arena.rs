//! A block of the arena that remembers what was written, whatever its length.

use std::collections::BTreeMap;

use hawser_core::{ArenaWriter, BlockOffset, OutsideArena};

/// Most bytes of one write.
const MOST: usize = 2048;

/// The block.
pub(super) struct Arena {
    length: u64,
    /// What was written, by offset; no two writes overlap.
    written: BTreeMap<u64, Vec<u8>>,
}

impl Arena {
    pub(super) fn new(length: u64) -> Self {
        Self {
            length,
            written: BTreeMap::new(),
        }
    }

    /// `length` bytes from `offset`, which have been written without a gap.
    pub(super) fn read(&self, offset: u64, length: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let end = offset + length;
        for (start, written) in self.written.range(offset..end) {
            if *start != offset + bytes.len() as u64 {
                return None;
            }
            bytes.extend_from_slice(written);
        }
        (bytes.len() as u64 == length).then_some(bytes)
    }
}

impl ArenaWriter for Arena {
    fn write(&mut self, offset: BlockOffset, bytes: &[u8]) -> Result<(), OutsideArena> {
        assert!(bytes.len() <= MOST, "a write of {} bytes", bytes.len());
        let end = offset.0 + bytes.len() as u64;
        if end > self.length {
            return Err(OutsideArena);
        }
        let before = self.written.range(..end).next_back();
        let free = before.is_none_or(|(start, written)| start + written.len() as u64 <= offset.0);
        assert!(free, "bytes {}..{end} of the block are written twice", offset.0);
        self.written.insert(offset.0, bytes.to_vec());
        Ok(())
    }
}
