//! Accesses of devices to memory.

use super::types::{DeviceAccess, Target, Wrong};
use crate::{
    machine,
    mem::PAGE,
    pci::{self, DmaFault, FunctionId},
    verifier::{self, Rule, dma},
};

/// Reads memory for a device.
///
/// # Errors
/// The address is not one that the device may read.
pub fn device_read(function: FunctionId, address: u64, data: &mut [u8]) -> Result<(), DmaFault> {
    let to = data.as_mut_ptr();
    each_target(
        Transfer {
            function,
            address,
            length: data.len(),
            access: DeviceAccess::Read,
        },
        |memory, done, length| {
            // SAFETY: `memory` is `length` bytes of a page in use, and `data` has that many from `done` on; all runs on one thread.
            unsafe { memory.copy_to_nonoverlapping(to.wrapping_add(done), length) };
        },
    )
}

/// Writes memory for a device.
///
/// # Errors
/// The address is not one that the device may write.
pub fn device_write(function: FunctionId, address: u64, data: &[u8]) -> Result<(), DmaFault> {
    let from = data.as_ptr();
    each_target(
        Transfer {
            function,
            address,
            length: data.len(),
            access: DeviceAccess::Write,
        },
        |memory, done, length| {
            // SAFETY: as in `device_read`.
            unsafe { memory.copy_from_nonoverlapping(from.wrapping_add(done), length) };
        },
    )
}

/// One access of a device.
#[derive(Clone, Copy)]
struct Transfer {
    function: FunctionId,
    address: u64,
    length: usize,
    access: DeviceAccess,
}

/// Calls `f` with (memory, bytes done before, bytes) for each piece of an access.
fn each_target(transfer: Transfer, mut f: impl FnMut(*mut u8, usize, usize)) -> Result<(), DmaFault> {
    let mut done = 0;
    while done < transfer.length {
        let address = transfer.address.wrapping_add(done as u64);
        let found = machine::with(|m| {
            let target = m.hal.bus.translate(transfer.function, address, transfer.access)?;
            Ok((target, m.mem.physical.address(target.frame)))
        });
        let (Target { offset, length, .. }, page) = match found {
            Ok(found) => found,
            Err(wrong) => {
                report(transfer, address, wrong);
                return Err(DmaFault { address });
            }
        };
        let length = length.min(transfer.length - done);
        f(page.wrapping_add(offset), done, length);
        done += length;
    }
    Ok(())
}

/// Reports an access that no mapping allows.
fn report(transfer: Transfer, address: u64, wrong: Wrong) {
    let verb = match transfer.access {
        DeviceAccess::Read => "reads",
        DeviceAccess::Write => "writes",
    };
    let (rule, fault, why): (Rule, u64, &str) = match wrong {
        Wrong::Unmapped => (
            dma::IOMMU_FAULT,
            1,
            "whose mapping is gone: its scatter/gather list or common buffer was released",
        ),
        Wrong::NeverMapped => (dma::IOMMU_FAULT, 2, "that was never mapped for it"),
        Wrong::Direction => (dma::IOMMU_FAULT, 3, "that is mapped for the other direction only"),
        Wrong::Untranslated => (
            dma::UNTRANSLATED_ADDRESS,
            4,
            "that is a physical address of memory: nobody translated it",
        ),
        Wrong::OutsideBuffer => (
            dma::OUTSIDE_BUFFER,
            5,
            "on a mapped page, but outside the buffer that was mapped",
        ),
        Wrong::NoMemory => (dma::NO_MEMORY, 6, "where no memory is in use (any more)"),
    };
    let device = pci::identity(transfer.function);
    let pdo = machine::with(|m| m.pnp.pdo_of(transfer.function)).addr() as u64;
    let text = format!(
        "device {:04x}:{:04x} {verb} {} bytes at {:#x} and reaches address {address:#x} (page {:#x}), {why}",
        device.vendor,
        device.device,
        transfer.length,
        transfer.address,
        address / PAGE as u64,
    );
    verifier::violation_with(rule, [pdo, address, fault], text);
}
