//! How a request's block of the arena is divided.

use hawser_abi::descriptor::{Binding, Descriptor, DeviceStep, Segment};

use crate::address::{BlockOffset, round_up};

/// Bindings of a descriptor: what is read, and what is written.
pub(crate) const BINDINGS: u32 = 2;
/// Alignment of every part of the block, and of the block.
pub(crate) const PART_ALIGNMENT: u64 = 64;

/// Where the parts of a request's block of the arena begin, all of them at multiples of 64.
///
/// The tables have room for the most segments that the mappings can turn out to have, so that the block is carved before anything is
/// mapped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArenaLayout {
    /// The [`Descriptor`].
    pub descriptor: BlockOffset,
    /// Its two [`Binding`]s.
    pub bindings: BlockOffset,
    /// The [`DeviceStep`]s.
    pub steps: BlockOffset,
    /// The copied pieces.
    pub copies: BlockOffset,
    /// Bytes from the first copied piece to the end of the last.
    pub copies_length: u64,
    /// The [`Segment`]s of what is read.
    pub read_table: BlockOffset,
    /// Segments that it has room for.
    pub read_capacity: u32,
    /// The [`Segment`]s of what is written.
    pub write_table: BlockOffset,
    /// Segments that it has room for.
    pub write_capacity: u32,
    /// Bytes of the block.
    pub total: u64,
}

impl ArenaLayout {
    /// Bytes of descriptor, bindings and steps.
    pub const fn descriptor_length(&self) -> u64 {
        self.copies.0.saturating_sub(self.descriptor.0)
    }

    /// Where the copied pieces of a program begin.
    pub(crate) const fn copies_of(step_count: u32) -> BlockOffset {
        let steps = (step_count as u64).saturating_mul(size_of::<DeviceStep>() as u64);
        STEPS.plus(steps)
    }

    pub(crate) fn new(step_count: u32, copies_end: BlockOffset, read_capacity: u32, write_capacity: u32) -> Self {
        let copies = Self::copies_of(step_count);
        let read_table = BlockOffset(round_up(copies_end.0, PART_ALIGNMENT));
        let write_table = after(read_table, read_capacity);
        Self {
            descriptor: BlockOffset(0),
            bindings: BINDINGS_AT,
            steps: STEPS,
            copies,
            copies_length: copies_end.0.saturating_sub(copies.0),
            read_table,
            read_capacity,
            write_table,
            write_capacity,
            total: after(write_table, write_capacity).0,
        }
    }
}

const BINDINGS_AT: BlockOffset = BlockOffset(round_up(size_of::<Descriptor>() as u64, PART_ALIGNMENT));
const STEPS: BlockOffset = BINDINGS_AT.plus(round_up(
    (BINDINGS as u64).saturating_mul(size_of::<Binding>() as u64),
    PART_ALIGNMENT,
));

/// The first aligned offset behind a table.
fn after(table: BlockOffset, capacity: u32) -> BlockOffset {
    let bytes = u64::from(capacity).saturating_mul(size_of::<Segment>() as u64);
    BlockOffset(round_up(table.plus(bytes).0, PART_ALIGNMENT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_aligned_and_follow_each_other() {
        let layout = ArenaLayout::new(3, BlockOffset(128 + 192 + 7), 5, 1);
        assert_eq!((layout.descriptor.0, layout.bindings.0, layout.steps.0), (0, 64, 128));
        assert_eq!((layout.copies.0, layout.copies_length), (320, 7));
        assert_eq!(
            (layout.read_table.0, layout.write_table.0, layout.total),
            (384, 512, 576)
        );
        assert_eq!(layout.descriptor_length(), 128 + 3 * 64);
    }
}
