//! The HAL: DMA adapters and the IOMMU.

use crate::{cross::Export, machine::{LedgerEntry, Options}};

/// The functions that this part exports.
pub(crate) const EXPORTS: &[&[Export]] = &[];

/// The state of this part of a machine.
#[derive(Debug)]
pub struct State {}

impl State {
    pub(crate) fn new(_options: &Options) -> Self {
        Self {}
    }

    /// Adds what is outstanding.
    pub(crate) fn ledger(&self, _out: &mut Vec<LedgerEntry>) {}
}

/// Reads memory for a device.
///
/// # Errors
/// The address is not one that the device may read.
pub fn device_read(_function: crate::pci::FunctionId, address: u64, _data: &mut [u8]) -> Result<(), crate::pci::DmaFault> {
    Err(crate::pci::DmaFault { address })
}

/// Writes memory for a device.
///
/// # Errors
/// The address is not one that the device may write.
pub fn device_write(_function: crate::pci::FunctionId, address: u64, _data: &[u8]) -> Result<(), crate::pci::DmaFault> {
    Err(crate::pci::DmaFault { address })
}
