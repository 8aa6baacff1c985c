//! The record of one submission, asked for by cookie.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::assert_size;

/// Submissions of a handle whose records are kept.
pub const KEPT_RESULTS: usize = 64;
/// Version of [`ResultQuery`] and [`ResultRecord`].
pub const VERSION: u32 = 1;
/// A field does not apply.
pub const NOT_APPLICABLE: u32 = u32::MAX;

/// Input of a result query. An unknown cookie ends with `STATUS_NOT_FOUND`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct ResultQuery {
    /// Size of this structure in bytes: 16.
    pub size: u32,
    /// [`VERSION`].
    pub version: u32,
    /// Cookie of the submission, on the same handle.
    pub cookie: u64,
}

/// Times at which a request passed the stages of its life, in nanoseconds after its arrival; 0 where a stage was not reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Timeline {
    /// The program was accepted.
    pub submitted: u64,
    /// All DMA mappings existed.
    pub mapped: u64,
    /// The doorbell was written.
    pub started: u64,
    /// The completion was found after the interrupt.
    pub interrupt: u64,
    /// All mappings were released.
    pub let_go: u64,
    /// The request was completed.
    pub completed: u64,
}

/// Output of a result query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct ResultRecord {
    /// Size of this structure in bytes: 168.
    pub size: u32,
    /// [`VERSION`].
    pub version: u32,
    /// Cookie of the submission.
    pub cookie: u64,
    /// [`state`].
    pub state: u32,
    /// NTSTATUS that the request was completed with.
    pub status: u32,
    /// A [`Reason`](crate::reason::Reason).
    pub reason: u32,
    /// Step that was refused or faulted, or [`NOT_APPLICABLE`].
    pub step: u32,
    /// Operand (0 destination, 1 to 3 sources), or [`NOT_APPLICABLE`].
    pub operand: u32,
    /// DMA mappings: those to the device in bits 0-15, those from the device in bits 16-31.
    pub mappings: u32,
    /// Byte offset that was refused or faulted, or 0.
    pub offset: u64,
    /// Length in bytes of the access that was refused, or the value that was wrong, or 0.
    pub length: u64,
    /// The limit that it broke, or 0.
    pub limit: u64,
    /// Cycles that the device took.
    pub device_cycles: u64,
    /// Bytes mapped for the device to read.
    pub bytes_to_device: u64,
    /// Bytes mapped for the device to write.
    pub bytes_from_device: u64,
    /// Bytes copied into the arena before the run.
    pub bytes_copied_in: u64,
    /// Bytes copied out of the arena after the run.
    pub bytes_copied_out: u64,
    /// Scatter-gather elements of all mappings.
    pub elements: u64,
    /// When the stages were passed.
    pub timeline: Timeline,
    /// Zero.
    pub reserved: u64,
}

assert_size!(ResultQuery = 16, Timeline = 48, ResultRecord = 168);

/// Values of [`ResultRecord::state`].
pub mod state {
    /// The request has not been completed.
    pub const IN_FLIGHT: u32 = 1;
    /// The request has been completed.
    pub const COMPLETED: u32 = 2;
}
