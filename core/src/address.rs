//! Offsets and addresses that must not be mixed up.

use core::fmt;

/// Bytes of a page of host memory.
pub const PAGE_SIZE: u64 = 4096;

/// Byte offset in the whole arena (a common buffer, or device-local memory): what the allocator deals in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArenaOffset(pub u64);

/// Byte offset in the block of the arena that was carved for one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockOffset(pub u64);

impl BlockOffset {
    /// The offset `bytes` further on.
    pub const fn plus(self, bytes: u64) -> Self {
        Self(self.0.saturating_add(bytes))
    }
}

/// Address that the device puts on the bus (a logical address in terms of Windows' DMA).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceAddress(pub u64);

impl DeviceAddress {
    /// The address of `offset` in a block that starts here.
    pub const fn at(self, offset: BlockOffset) -> Self {
        Self(self.0.saturating_add(offset.0))
    }
}

impl fmt::Debug for DeviceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceAddress({:#x})", self.0)
    }
}

/// A run of bytes of the data buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataRange {
    /// Bytes from the start of the data buffer to the first byte of the run.
    pub offset: u64,
    /// Bytes of the run.
    pub length: u64,
}

impl DataRange {
    /// Offset of the first byte after the run.
    pub const fn end(self) -> u64 {
        self.offset.saturating_add(self.length)
    }
}

/// Position in the list of a plan's mappings, which ascend by offset in the data buffer, both directions mixed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MappingIndex(pub u8);

/// `value` rounded up to a multiple of `unit`, a power of two; the largest such multiple where that does not fit.
pub(crate) const fn round_up(value: u64, unit: u64) -> u64 {
    round_down(value.saturating_add(unit.saturating_sub(1)), unit)
}

/// `value` rounded down to a multiple of `unit`, a power of two.
pub(crate) const fn round_down(value: u64, unit: u64) -> u64 {
    value & !unit.saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding() {
        assert_eq!((round_up(0, 64), round_up(1, 64), round_up(64, 64)), (0, 64, 64));
        assert_eq!((round_down(63, 64), round_down(64, 64)), (0, 64));
        assert_eq!(round_up(u64::MAX, 64), u64::MAX - 63);
    }
}
