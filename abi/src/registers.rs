//! Registers in BAR 0.
//!
//! Registers are accessed with naturally aligned loads and stores of their own width. All read as ones when the device is gone; no
//! register reads as all ones otherwise, so that one comparison tells.

/// Register that identifies the device: [`ID_VALUE`].
pub const ID: u64 = 0x0000;
/// Value of [`ID`]: `HWSR`.
pub const ID_VALUE: u32 = u32::from_le_bytes(*b"HWSR");
/// Interface version, 32 bits: [`VERSION_VALUE`].
pub const VERSION: u64 = 0x0004;
/// Value of [`VERSION`].
pub const VERSION_VALUE: u32 = 0x0001_0000;
/// Capabilities, 64 bits; see [`cap`].
pub const CAP: u64 = 0x0008;
/// Bytes of device-local memory, 64 bits.
pub const SCRATCH_SIZE: u64 = 0x0010;
/// Control, 32 bits; see [`control`].
pub const CONTROL: u64 = 0x0018;
/// Status, 32 bits; see [`status`].
pub const STATUS: u64 = 0x001C;
/// Counts up while the device is alive, 32 bits, never all ones.
pub const HEARTBEAT: u64 = 0x0020;
/// Write `queue << 16 | tag` to abort a command; 32 bits. The command ends with a completion.
pub const ABORT: u64 = 0x0024;
/// Code of the first fatal fault since it was cleared, 32 bits; see [`fault`]. Write 0 to clear.
pub const FAULT_CODE: u64 = 0x0030;
/// `queue << 16 | tag` of that fault, 32 bits.
pub const FAULT_SOURCE: u64 = 0x0034;
/// Device address of that fault, 64 bits; 0 where none is meant.
pub const FAULT_ADDRESS: u64 = 0x0038;
/// Pending interrupt causes, 32 bits: bit 0 errors, bit `1 + n` queue `n`. Write ones to clear. Drives the INTx line.
pub const INT_STATUS: u64 = 0x0050;
/// Write ones to mask causes, 32 bits; reads the mask.
pub const INT_MASK_SET: u64 = 0x0054;
/// Write ones to unmask causes, 32 bits; reads the mask.
pub const INT_MASK_CLEAR: u64 = 0x0058;
/// Interrupt moderation, 32 bits: bits 0-15 completions to collect (0 and 1: none), bits 16-31 microseconds to wait at most.
pub const MODERATION: u64 = 0x0060;

/// First queue's configuration; see [`queue_register`].
pub const QUEUE_BASE: u64 = 0x1000;
/// Bytes between two queues' configurations.
pub const QUEUE_STRIDE: u64 = 0x40;
/// Offsets within a queue's configuration. They may be written only while the queue is disabled.
pub mod queue_offset {
    /// Device address of the submission ring, 64 bits, page aligned.
    pub const SQ_BASE: u64 = 0x00;
    /// Device address of the completion ring, 64 bits, page aligned.
    pub const CQ_BASE: u64 = 0x08;
    /// Entries of the submission ring, 32 bits, a power of two.
    pub const SQ_ENTRIES: u64 = 0x10;
    /// Entries of the completion ring, 32 bits, a power of two.
    pub const CQ_ENTRIES: u64 = 0x14;
    /// MSI-X message of the queue, 32 bits.
    pub const MESSAGE: u64 = 0x18;
    /// Bit 0 enables the queue, 32 bits. Disabling stops all its commands without completions.
    pub const ENABLE: u64 = 0x1C;
}
/// First doorbell; see [`sq_tail_doorbell`].
pub const DOORBELL_BASE: u64 = 0x2000;
/// Bytes between two queues' doorbells.
pub const DOORBELL_STRIDE: u64 = 8;

/// Offset of a register of queue `queue`'s configuration.
pub const fn queue_register(queue: u16, offset: u64) -> u64 {
    QUEUE_BASE + queue as u64 * QUEUE_STRIDE + offset
}

/// Offset of the doorbell that takes the new tail of a submission ring, 32 bits.
pub const fn sq_tail_doorbell(queue: u16) -> u64 {
    DOORBELL_BASE + queue as u64 * DOORBELL_STRIDE
}

/// Offset of the doorbell that takes the new head of a completion ring, 32 bits.
pub const fn cq_head_doorbell(queue: u16) -> u64 {
    DOORBELL_BASE + queue as u64 * DOORBELL_STRIDE + 4
}

/// Fields of [`CAP`].
pub mod cap {
    /// Number of queue pairs in bits 0-7.
    pub const fn queues(cap: u64) -> u16 {
        (cap & 0xFF) as u16
    }
    /// Most entries of a ring in bits 8-23.
    pub const fn max_entries(cap: u64) -> u32 {
        ((cap >> 8) & 0xFFFF) as u32
    }
    /// Most bindings of a descriptor in bits 24-31.
    pub const fn max_bindings(cap: u64) -> u32 {
        ((cap >> 24) & 0xFF) as u32
    }
    /// Bits of a device address in bits 32-39.
    pub const fn address_bits(cap: u64) -> u32 {
        ((cap >> 32) & 0xFF) as u32
    }
    /// Bit 40: the device checks bounds and direction of every operand. The driver does not rely on it.
    pub const CHECKS_BINDINGS: u64 = 1 << 40;
}

/// Bits of [`CONTROL`].
pub mod control {
    /// The device runs commands.
    pub const ENABLE: u32 = 1;
    /// Starts a reset; reads as zero when it is over. All queues are disabled and every access to host memory has ended by then.
    pub const RESET: u32 = 2;
    /// Interrupts are sent as MSI-X messages; without it [`super::INT_STATUS`] drives INTx.
    pub const MSIX: u32 = 4;
}

/// Bits of [`STATUS`].
pub mod status {
    /// The device is ready for queue configuration and commands.
    pub const READY: u32 = 1;
    /// A fault stopped the device; only a reset helps.
    pub const FATAL: u32 = 2;
    /// A reset is under way.
    pub const RESETTING: u32 = 4;
}

/// Values of [`FAULT_CODE`].
pub mod fault {
    /// No fault.
    pub const NONE: u32 = 0;
    /// A ring could not be read or written.
    pub const RING_ACCESS: u32 = 1;
    /// A doorbell was outside its ring.
    pub const BAD_DOORBELL: u32 = 2;
    /// A register was written with a value that it cannot take.
    pub const BAD_CONFIGURATION: u32 = 3;
}

/// What every register reads as when the device is gone.
pub const GONE: u32 = u32::MAX;

/// The [`CAP`] value of the model.
pub const MODEL_CAP: u64 = crate::pci::MAX_QUEUES as u64
    | (crate::queue::MAX_ENTRIES as u64) << 8
    | (crate::descriptor::MAX_BINDINGS as u64) << 24
    | 64 << 32
    | cap::CHECKS_BINDINGS;
