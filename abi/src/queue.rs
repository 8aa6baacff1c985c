//! Entries of submission and completion queues.
//!
//! Queues are rings in host common buffers, as in NVMe: the driver writes entries and then the tail doorbell; the device writes completions
//! whose phase bit flips on every lap of the ring.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::assert_size;

/// Fewest entries of a ring.
pub const MIN_ENTRIES: u32 = 2;
/// Most entries of a ring.
pub const MAX_ENTRIES: u32 = 1024;
/// The device runs the program of a descriptor.
pub const COMMAND_RUN: u8 = 1;

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct SubmissionEntry {
    /// [`COMMAND_RUN`].
    pub command: u8,
    /// Zero.
    pub reserved0: u8,
    /// Chosen by the driver, below the number of its slots; returned in the completion.
    pub tag: u16,
    /// Chosen by the driver; returned in the completion, so that a stale one is recognised.
    pub generation: u32,
    /// Device address of the [`Descriptor`](crate::descriptor::Descriptor), 64-byte aligned.
    pub descriptor: u64,
    /// Bytes of the descriptor with its bindings and steps.
    pub descriptor_length: u32,
    /// Zero.
    pub reserved1: [u8; 44],
}

/// The end of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct CompletionEntry {
    /// Tag of the command.
    pub tag: u16,
    /// Entry of the submission queue that the device reads next.
    pub sq_head: u16,
    /// Generation of the command.
    pub generation: u32,
    /// Device cycles that the command took.
    pub cycles: u64,
    /// Byte offset within the operand, for a fault of an access.
    pub offset: u64,
    /// Step that faulted, or [`NO_STEP`].
    pub step: u32,
    /// A [`CompletionStatus`].
    pub status: u8,
    /// Operand that faulted (0 to 3), or [`NO_OPERAND`].
    pub operand: u8,
    /// Bit 0: phase. Written last. Other bits zero.
    pub phase: u16,
}

assert_size!(SubmissionEntry = 64, CompletionEntry = 32);

/// No step is meant.
pub const NO_STEP: u32 = u32::MAX;
/// No operand is meant.
pub const NO_OPERAND: u8 = u8::MAX;
/// The phase bit of [`CompletionEntry::phase`].
pub const PHASE: u16 = 1;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum CompletionStatus {
    /// Every step ran.
    Success = 0,
    /// The descriptor or the command is malformed.
    BadDescriptor = 1,
    /// An operand reaches outside its binding or outside device-local memory.
    OutOfBounds = 2,
    /// An operand reads a binding that may only be written, or the reverse.
    Direction = 3,
    /// An integer was divided by zero.
    DivideByZero = 4,
    /// The operation or element type is not one that the device runs.
    Unsupported = 5,
    /// The host did not answer a memory access, or refused it.
    BusError = 6,
    /// The driver aborted the command.
    Aborted = 7,
}

impl CompletionStatus {
    /// The status with this byte; a device may send any byte.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::Success,
            1 => Self::BadDescriptor,
            2 => Self::OutOfBounds,
            3 => Self::Direction,
            4 => Self::DivideByZero,
            5 => Self::Unsupported,
            6 => Self::BusError,
            7 => Self::Aborted,
            _ => return None,
        })
    }
}
