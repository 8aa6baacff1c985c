//! What mappings between devices and memory are described by.

use crate::mem::Frame;

/// Who may move data through a mapping, seen from the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The device only reads memory.
    ToDevice,
    /// The device only writes memory.
    FromDevice,
    /// Both.
    Both,
}

impl Direction {
    /// The direction that a `WriteToDevice` parameter means.
    #[must_use]
    pub const fn of(write_to_device: u8) -> Self {
        if write_to_device == 0 {
            Self::FromDevice
        } else {
            Self::ToDevice
        }
    }

    /// Whether the device may do this.
    #[must_use]
    pub fn allows(self, access: DeviceAccess) -> bool {
        match access {
            DeviceAccess::Read => self != Self::FromDevice,
            DeviceAccess::Write => self != Self::ToDevice,
        }
    }
}

/// What a device does to memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceAccess {
    /// It reads.
    Read,
    /// It writes.
    Write,
}

/// Why a device address means nothing, or not this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// It was mapped before; the mapping is gone.
    Unmapped,
    /// It was never mapped.
    NeverMapped,
    /// It is the physical address of memory: nobody translated it.
    Untranslated,
    /// The mapping is for the other direction.
    Direction,
    /// The page is mapped, but the bytes are outside the buffer.
    OutsideBuffer,
    /// It is memory that was freed, or none.
    NoMemory,
}

/// Consecutive bytes of memory behind a device address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The page.
    pub frame: Frame,
    /// Where in the page the bytes begin.
    pub offset: usize,
    /// How many bytes go on from there under the same mapping, at most to the end of the page.
    pub length: usize,
}

/// A piece of memory as a device sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// The device address.
    pub address: u64,
    /// The length in bytes.
    pub length: u32,
}

/// Bytes to be made visible: `length` bytes from `offset` in the first of `frames` on.
#[derive(Debug, Clone)]
pub struct Buffer {
    /// The pages, in order.
    pub frames: Vec<Frame>,
    /// Where the buffer begins in the first page.
    pub offset: usize,
    /// The length in bytes.
    pub length: usize,
}

/// How the elements of scatter/gather lists are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Elements {
    /// As long as device addresses are consecutive.
    #[default]
    Coalesced,
    /// One for each page.
    PerPage,
}
