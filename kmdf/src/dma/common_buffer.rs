//! Memory that both a device and its driver access.

use wdk_sys::{WDF_COMMON_BUFFER_CONFIG, WDFDMAENABLER, call_unsafe_wdf_function_binding};

use super::scatter_gather::DeviceAddress;
use crate::context;
use crate::ledger::{LedgerKind, LedgerRef};
use crate::shared::SharedMemory;
use crate::status::{NtStatus, Result, check};

/// A common buffer, page-aligned for the device and the driver. The framework frees it with its enabler.
#[derive(Debug)]
pub struct CommonBuffer {
    base: *mut u8,
    length: usize,
    address: DeviceAddress,
}

// SAFETY: the memory is reached through `SharedMemory` only.
unsafe impl Send for CommonBuffer {}
// SAFETY: the memory is reached through `SharedMemory` only.
unsafe impl Sync for CommonBuffer {}

/// Pages, less one: the alignment that is asked for, as a mask.
const PAGE_MASK: u32 = 4095;

/// The ledger's entry of a common buffer, kept as its context, so that it ends when the framework frees the buffer.
struct BufferEntry {
    ledger: LedgerRef,
    bytes: u64,
}
crate::context_type!(BufferEntry);

impl Drop for BufferEntry {
    fn drop(&mut self) {
        self.ledger.get().give_back(LedgerKind::CommonBuffer, self.bytes);
    }
}

impl CommonBuffer {
    pub(super) fn new(enabler: WDFDMAENABLER, length: usize, ledger: LedgerRef) -> Result<Self> {
        let mut config = WDF_COMMON_BUFFER_CONFIG {
            Size: size_of::<WDF_COMMON_BUFFER_CONFIG>() as u32,
            AlignmentRequirement: PAGE_MASK,
        };
        let mut attributes = context::attributes::<BufferEntry>();
        let mut handle = core::ptr::null_mut();
        // SAFETY: the enabler is alive; the pointers lead to locals.
        let status = unsafe {
            call_unsafe_wdf_function_binding!(
                WdfCommonBufferCreateWithConfig,
                enabler,
                length,
                &raw mut config,
                &raw mut attributes,
                &raw mut handle
            )
        };
        check(status)?;
        ledger.get().take(LedgerKind::CommonBuffer, length as u64);
        // SAFETY: just made, and a child of the enabler.
        unsafe {
            context::set(
                handle.cast(),
                BufferEntry {
                    ledger,
                    bytes: length as u64,
                },
            )
        }?;
        // SAFETY: as above.
        let base = unsafe { call_unsafe_wdf_function_binding!(WdfCommonBufferGetAlignedVirtualAddress, handle) };
        // SAFETY: as above.
        let address = unsafe { call_unsafe_wdf_function_binding!(WdfCommonBufferGetAlignedLogicalAddress, handle) };
        // SAFETY: both views of the union are 64 bits of the address.
        let address = unsafe { address.QuadPart }.cast_unsigned();
        if base.is_null() {
            return Err(NtStatus::INSUFFICIENT_RESOURCES);
        }
        let buffer = Self {
            base: base.cast(),
            length,
            address: DeviceAddress(address),
        };
        buffer.memory().clear();
        Ok(buffer)
    }

    /// The memory, as the driver sees it.
    pub fn memory(&self) -> SharedMemory<'_> {
        // SAFETY: mapped for as long as the enabler lives, and with it the device whose context `self` lies in; nobody has a plain reference to it.
        unsafe { SharedMemory::new(self.base, self.length) }
    }

    /// Where the memory begins, as the device sees it.
    pub const fn address(&self) -> DeviceAddress {
        self.address
    }

    /// Where the last byte is, as the device sees it.
    pub const fn last_address(&self) -> DeviceAddress {
        DeviceAddress(self.address.0.saturating_add(self.length as u64).saturating_sub(1))
    }

    /// Bytes of the memory.
    pub const fn len(&self) -> usize {
        self.length
    }

    /// There are no bytes: never so.
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }
}
