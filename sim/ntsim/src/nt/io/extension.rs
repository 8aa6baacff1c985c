//! Driver object extensions: memory that a driver finds again by a key.

use crate::{machine, mem};
use std::{cell::RefCell, collections::BTreeMap};
use wdk_sys::{NTSTATUS, PDRIVER_OBJECT, PVOID, STATUS_OBJECT_NAME_COLLISION, STATUS_SUCCESS, ULONG};

nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Allocates memory that goes with the driver object.
    #[irql(..= APC_LEVEL)]
    fn IoAllocateDriverObjectExtension(
        DriverObject: PDRIVER_OBJECT, ClientIdentificationAddress: PVOID, DriverObjectExtensionSize: ULONG, DriverObjectExtension: *mut PVOID
    ) -> NTSTATUS {
        let key = (DriverObject.addr(), ClientIdentificationAddress.addr());
        let taken = machine::with(|m| m.io.extensions.0.borrow().contains_key(&key));
        let memory = if taken { core::ptr::null_mut() } else { mem::kernel_allocate(DriverObjectExtensionSize as usize, *b"DrvE") };
        // SAFETY: the caller's result, valid for the call by contract.
        unsafe { DriverObjectExtension.write(memory.cast()) };
        if taken {
            return STATUS_OBJECT_NAME_COLLISION;
        }
        machine::with(|m| m.io.extensions.0.borrow_mut().insert(key, memory));
        STATUS_SUCCESS
    }

    /// Finds it again; null when there is none.
    #[irql(..= DISPATCH_LEVEL)]
    fn IoGetDriverObjectExtension(DriverObject: PDRIVER_OBJECT, ClientIdentificationAddress: PVOID) -> PVOID {
        let key = (DriverObject.addr(), ClientIdentificationAddress.addr());
        machine::with(|m| m.io.extensions.0.borrow().get(&key).copied()).map_or(core::ptr::null_mut(), <*mut u8>::cast)
    }
}

/// The extensions by driver object and key.
#[derive(Debug, Default)]
pub(crate) struct Extensions(RefCell<BTreeMap<(usize, usize), *mut u8>>);

/// Frees the extensions of a driver that is gone.
pub(crate) fn free(driver: PDRIVER_OBJECT) {
    let mut gone = Vec::new();
    machine::with(|m| {
        m.io.extensions.0.borrow_mut().retain(|(owner, _), memory| {
            let keep = *owner != driver.addr();
            if !keep {
                gone.push(*memory);
            }
            keep
        });
    });
    gone.into_iter().for_each(mem::kernel_free);
}
