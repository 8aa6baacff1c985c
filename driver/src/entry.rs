//! The entry point of the driver image: the one place with unsafe code.
#![allow(unsafe_code, reason = "the system calls the entry point with raw pointers")]

use kmdf::{DRIVER_OBJECT, EntryArguments, NTSTATUS, PUNICODE_STRING};

use crate::device::Hawser;

kmdf::callback! {
    /// `DriverEntry`: makes the driver object.
    ///
    /// # Safety
    /// Called by the system, once, with a driver object and registry path that are valid until it returns.
    #[cfg_attr(windows, unsafe(export_name = "DriverEntry"))]
    pub unsafe extern "C" fn driver_entry(driver_object: *mut DRIVER_OBJECT, registry_path: PUNICODE_STRING) -> NTSTATUS {
        // SAFETY: passed on from the system.
        let arguments = unsafe { EntryArguments::new(driver_object, registry_path) };
        arguments.create_driver(Hawser)
    }
}
