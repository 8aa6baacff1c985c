//! The seam through which everything reaches the arena.

use crate::address::BlockOffset;

/// Writes into the block of the arena that was carved for one request.
///
/// The arena is memory that the device reads, so it is never a slice here: the driver's writer is a volatile view, a test's a vector.
pub trait ArenaWriter {
    /// Writes `bytes`, at most two KiB of them, at `offset` of the block.
    fn write(&mut self, offset: BlockOffset, bytes: &[u8]) -> Result<(), OutsideArena>;
}

/// A write did not fit into the block: the block is not the one that the plan was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutsideArena;
