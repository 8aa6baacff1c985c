//! How the accelerator appears on PCI Express.

/// PCI vendor id (the id that virtual devices share).
pub const VENDOR_ID: u16 = 0x1AF4;
/// PCI device id, from the vendor's range for experiments.
pub const DEVICE_ID: u16 = 0x10F0;
/// PCI class code: processing accelerator, no subclass, no programming interface.
pub const CLASS_CODE: u32 = 0x12_0000;
/// Revision that this contract describes.
pub const REVISION: u8 = 1;
/// BAR of the registers.
pub const REGISTER_BAR: u8 = 0;
/// Bytes of the register BAR.
pub const REGISTER_BAR_SIZE: u64 = 64 * 1024;
/// BAR of device-local memory.
pub const MEMORY_BAR: u8 = 2;
/// Bytes of device-local memory in the model.
pub const MEMORY_BAR_SIZE: u64 = 64 * 1024 * 1024;
/// Submission/completion queue pairs.
pub const MAX_QUEUES: u16 = 4;
/// MSI-X messages: one for errors, one for each queue.
pub const MSIX_MESSAGES: u16 = 1 + MAX_QUEUES;
/// Message of errors; queue `n` uses message `1 + n`, or this one where fewer were granted.
pub const ERROR_MESSAGE: u16 = 0;
