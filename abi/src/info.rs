//! What the driver tells about the device and about itself.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::assert_size;

/// Version of [`DeviceInfo`] and [`Stats`].
pub const VERSION: u32 = 1;

/// Output of `IOCTL_HAWSER_GET_INFO`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct DeviceInfo {
    /// Size of this structure in bytes: 96.
    pub size: u32,
    /// [`VERSION`].
    pub version: u32,
    /// Driver version: major, minor, patch, build, 16 bits each from the top.
    pub driver_version: u64,
    /// Interface version of the device, as its register reads.
    pub device_version: u32,
    /// Submission/completion queue pairs in use.
    pub queues: u32,
    /// Interrupt messages in use; 0 stands for one line-based interrupt.
    pub messages: u32,
    /// Requests that can be on the device at once.
    pub slots: u32,
    /// Most steps of one program.
    pub max_steps: u32,
    /// Most mappings of one request in each direction.
    pub max_mappings: u32,
    /// Most bytes of one data buffer.
    pub max_data: u64,
    /// Bytes of device-local memory.
    pub scratch_size: u64,
    /// Bytes of the arena for copies, tables and translated programs.
    pub arena_size: u64,
    /// Operations that the device runs: bit `n` stands for opcode `n`.
    pub operations: u64,
    /// Element types that the device computes with: bit `n` stands for type `n`.
    pub element_types: u32,
    /// Milliseconds that a program may run where it does not ask for a time.
    pub default_timeout_ms: u32,
    /// Bytes to which a mapping from the device is aligned.
    pub dma_alignment: u32,
    /// Zero.
    pub reserved: [u32; 3],
}

/// A kind of resource that the ledger counts. The value indexes [`Stats::ledger`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(usize)]
pub enum LedgerKind {
    /// Device registers mapped into system address space.
    IoSpace = 0,
    /// MDLs mapped into system address space.
    MappedMdl = 1,
    /// MDLs the driver allocated.
    Mdl = 2,
    /// Scatter-gather lists.
    ScatterGather = 3,
    /// Common buffers.
    CommonBuffer = 4,
    /// Pool blocks.
    Pool = 5,
}

impl LedgerKind {
    /// All kinds, in the order of [`Stats::ledger`].
    pub const ALL: [LedgerKind; 6] = [
        Self::IoSpace,
        Self::MappedMdl,
        Self::Mdl,
        Self::ScatterGather,
        Self::CommonBuffer,
        Self::Pool,
    ];

    /// The name in messages.
    pub const fn name(self) -> &'static str {
        [
            "io space",
            "mapped mdl",
            "mdl",
            "scatter-gather list",
            "common buffer",
            "pool",
        ][self as usize]
    }
}

/// Live resources of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct LedgerEntry {
    /// Objects alive.
    pub live: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects made since the driver was loaded.
    pub made: u64,
}

/// Output of `IOCTL_HAWSER_GET_STATS`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub struct Stats {
    /// Size of this structure in bytes: 288.
    pub size: u32,
    /// [`VERSION`].
    pub version: u32,
    /// Submissions that arrived.
    pub submitted: u64,
    /// Submissions that ended with success.
    pub succeeded: u64,
    /// Submissions refused before they reached the device.
    pub refused: u64,
    /// Submissions that the device ended with a fault.
    pub faulted: u64,
    /// Submissions that were cancelled, timed out or lost with the device.
    pub abandoned: u64,
    /// Submissions on the device now.
    pub in_flight: u64,
    /// Submissions that wait for a slot or for arena space now.
    pub waiting: u64,
    /// Completion entries that matched no command.
    pub stray_completions: u64,
    /// Interrupts that found nothing to do.
    pub spurious_interrupts: u64,
    /// Bytes mapped for the device since the driver was loaded.
    pub bytes_mapped: u64,
    /// Bytes copied through the arena since the driver was loaded.
    pub bytes_copied: u64,
    /// Bytes of the arena in use now.
    pub arena_used: u64,
    /// Most bytes of the arena ever in use.
    pub arena_peak: u64,
    /// Controller resets since the driver was loaded.
    pub resets: u64,
    /// Zero.
    pub reserved: [u64; 3],
    /// Live resources by [`LedgerKind`].
    pub ledger: [LedgerEntry; 6],
}

assert_size!(DeviceInfo = 96, LedgerEntry = 24, Stats = 288);
