//! A device's access to DMA.

use wdk_sys::{
    _WDF_DMA_DIRECTION, _WDF_DMA_ENABLER_CONFIG_FLAGS, _WDF_DMA_PROFILE, WDF_DMA_ENABLER_CONFIG, WDFDEVICE,
    WDFDMAENABLER, WDFDMATRANSACTION, call_unsafe_wdf_function_binding,
};

use super::common_buffer::CommonBuffer;
use super::quiesced::{Authority, EnablerId};
use super::transfer::IdleSet;
use crate::context;
use crate::ledger::LedgerRef;
use crate::status::{NtStatus, Result, check};

/// How a device does DMA.
#[derive(Clone, Copy, Debug)]
pub struct EnablerConfig {
    /// Most bytes of one transfer.
    pub maximum_length: usize,
    /// Bytes to which buffers should be aligned, a power of two. The I/O manager does not promise it for request buffers.
    pub alignment: u32,
}

/// The DMA enabler of a device: scatter-gather, 64-bit addresses, both directions at once (one adapter each), version 3 of the DMA interface.
///
/// Lists are made by the HAL for each transfer (`GetScatterGatherList`) and not in memory preallocated for the largest one, which for long transfers would be
/// megabytes for each transaction.
#[derive(Debug)]
pub struct DmaEnabler {
    handle: WDFDMAENABLER,
    ledger: LedgerRef,
}

// SAFETY: an enabler may be used from any thread.
unsafe impl Send for DmaEnabler {}
// SAFETY: an enabler may be used from any thread.
unsafe impl Sync for DmaEnabler {}

impl DmaEnabler {
    pub(crate) fn new(device: WDFDEVICE, config: &EnablerConfig, ledger: LedgerRef) -> Result<(Self, Authority)> {
        if config.maximum_length == 0 || !config.alignment.is_power_of_two() {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        // SAFETY: the device is alive. The requirement has to be set before the enabler is made.
        unsafe { call_unsafe_wdf_function_binding!(WdfDeviceSetAlignmentRequirement, device, config.alignment - 1) };
        let mut settings = WDF_DMA_ENABLER_CONFIG {
            Size: size_of::<WDF_DMA_ENABLER_CONFIG>() as u32,
            Profile: _WDF_DMA_PROFILE::WdfDmaProfileScatterGather64Duplex,
            MaximumLength: config.maximum_length,
            WdmDmaVersionOverride: 3,
            Flags: _WDF_DMA_ENABLER_CONFIG_FLAGS::WDF_DMA_ENABLER_CONFIG_NO_SGLIST_PREALLOCATION.cast_unsigned(),
            ..Default::default()
        };
        let mut attributes = context::plain_attributes();
        let mut handle = core::ptr::null_mut();
        // SAFETY: the device is alive; the pointers lead to locals.
        let status = unsafe {
            call_unsafe_wdf_function_binding!(
                WdfDmaEnablerCreate,
                device,
                &raw mut settings,
                &raw mut attributes,
                &raw mut handle
            )
        };
        check(status)?;
        Ok((Self { handle, ledger }, Authority::new(EnablerId::of(handle))))
    }

    /// Most bytes that the framework maps at once in either direction: what was configured, or less where the adapter has fewer map registers. For a single transfer it asks the HAL about the buffer at
    /// hand and may allow more. `IRQL <= DISPATCH_LEVEL`.
    pub fn fragment_length(&self) -> usize {
        let directions = [
            _WDF_DMA_DIRECTION::WdfDmaDirectionReadFromDevice,
            _WDF_DMA_DIRECTION::WdfDmaDirectionWriteToDevice,
        ];
        let lengths = directions.map(|direction| {
            // SAFETY: the enabler is alive, as a child of the device that the driver serves.
            unsafe { call_unsafe_wdf_function_binding!(WdfDmaEnablerGetFragmentLength, self.handle, direction) }
        });
        lengths.into_iter().fold(usize::MAX, usize::min)
    }

    /// Memory that both the device and the driver access, zeroed. `PASSIVE_LEVEL`.
    pub fn common_buffer(&self, length: usize) -> Result<CommonBuffer> {
        CommonBuffer::new(self.handle, length, self.ledger)
    }

    /// `N` transactions to be used again and again. `IRQL <= DISPATCH_LEVEL`.
    pub fn transactions<const N: usize>(&self) -> Result<IdleSet<N>> {
        let mut handles = [core::ptr::null_mut(); N];
        for handle in &mut handles {
            *handle = self.transaction()?;
        }
        // SAFETY: just made, and nobody else has their handles.
        Ok(unsafe { IdleSet::new(handles, EnablerId::of(self.handle), self.ledger) })
    }

    fn transaction(&self) -> Result<WDFDMATRANSACTION> {
        let mut attributes = context::plain_attributes();
        let mut handle = core::ptr::null_mut();
        // SAFETY: the enabler is alive, as a child of the device that the driver serves; the pointers lead to locals.
        let status = unsafe {
            call_unsafe_wdf_function_binding!(
                WdfDmaTransactionCreate,
                self.handle,
                &raw mut attributes,
                &raw mut handle
            )
        };
        check(status)?;
        Ok(handle)
    }
}
