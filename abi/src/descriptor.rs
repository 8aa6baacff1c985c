//! What a command points to: a descriptor with bindings and translated steps.
//!
//! A *binding* is a linear view of host memory, put together from the segments of its table; the segments may come from any number of
//! DMA mappings and copied pieces, and *holes* stand for bytes that the program does not reach through this binding. The driver uses
//! [`READ_BINDING`] for what the program reads of the data buffer and [`WRITE_BINDING`] for what it writes, so that an operand keeps its
//! offset however the plan has cut the buffer. The device checks bounds and direction of every access as a second fence.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::assert_size;

/// Most bindings of a descriptor.
pub const MAX_BINDINGS: u32 = 32;
/// Binding through which programs read the data buffer.
pub const READ_BINDING: u8 = 0;
/// Binding through which programs write the data buffer.
pub const WRITE_BINDING: u8 = 1;
/// `where_` byte: the operand is in device-local memory, relative to the window of the descriptor.
pub const IN_SCRATCH: u8 = 0xFE;
/// `where_` byte: the operand is the step's immediate.
pub const IN_IMMEDIATE: u8 = 0xFD;
/// `where_` byte: there is no such operand.
pub const NOWHERE: u8 = 0xFF;

/// Head of a descriptor, 64-byte aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Descriptor {
    /// Bytes of descriptor, bindings and steps together.
    pub length: u32,
    /// Number of bindings, 1 to [`MAX_BINDINGS`], which follow at `bindings_offset`.
    pub binding_count: u32,
    /// Byte offset of the first [`Binding`] from the start of the descriptor, a multiple of 8.
    pub bindings_offset: u32,
    /// Number of steps, at least 1.
    pub step_count: u32,
    /// Byte offset of the first [`DeviceStep`] from the start of the descriptor, a multiple of 8.
    pub steps_offset: u32,
    /// Zero.
    pub reserved0: u32,
    /// First byte of the program's window of device-local memory.
    pub scratch_base: u64,
    /// Bytes of that window; nothing outside it can be reached.
    pub scratch_length: u64,
    /// Zero.
    pub reserved1: [u8; 24],
}

/// A view of host memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Binding {
    /// Device address of the table of [`Segment`]s, 16-byte aligned.
    pub segment_table: u64,
    /// Bytes of the view: the sum of the lengths of all segments.
    pub length: u64,
    /// Number of segments.
    pub segments: u32,
    /// [`binding_flags`].
    pub flags: u32,
    /// Zero.
    pub reserved: u64,
}

/// A run of bytes of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Segment {
    /// Device address of the first byte, or [`HOLE`].
    pub address: u64,
    /// Bytes, at least 1.
    pub length: u64,
}

/// A step whose operands are (binding, offset).
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct DeviceStep {
    /// As in [`Step`](crate::program::Step).
    pub opcode: u8,
    /// As in [`Step`](crate::program::Step).
    pub element_type: u8,
    /// As in [`Step`](crate::program::Step).
    pub aux_type: u8,
    /// As in [`Step`](crate::program::Step).
    pub flags: u8,
    /// Binding of destination, first, second and third source, or one of [`IN_SCRATCH`], [`IN_IMMEDIATE`], [`NOWHERE`].
    pub where_: [u8; 4],
    /// As in [`Step`](crate::program::Step).
    pub count: u64,
    /// Byte offsets of the operands within their bindings or the scratch window.
    pub offsets: [u64; 4],
    /// As in [`Step`](crate::program::Step).
    pub immediate: u64,
    /// As in [`Step`](crate::program::Step).
    pub aux: [u32; 2],
}

assert_size!(Descriptor = 64, Binding = 32, Segment = 16, DeviceStep = 64);

/// [`Segment::address`] of bytes that no access may reach.
pub const HOLE: u64 = u64::MAX;

/// Bits of [`Binding::flags`].
pub mod binding_flags {
    /// The device may read through the binding.
    pub const DEVICE_READ: u32 = 1;
    /// The device may write through the binding.
    pub const DEVICE_WRITE: u32 = 2;
    /// Every bit that the contract defines.
    pub const ALL: u32 = DEVICE_READ | DEVICE_WRITE;
}
