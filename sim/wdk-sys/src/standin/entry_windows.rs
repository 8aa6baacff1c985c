//! The entry stub of the Windows form: the image's entry point.

use super::entry_stub::{Load, StubState, load, unload};
use crate::types::*;

/// The image's one state.
struct Image(StubState);

// SAFETY: the kernel calls the entry point and the unload routine of an image one after the other.
unsafe impl Sync for Image {}

static IMAGE: Image = Image(StubState::new());

unsafe extern "C" {
    /// The driver's entry point.
    fn DriverEntry(driver_object: PDRIVER_OBJECT, registry_path: PUNICODE_STRING) -> NTSTATUS;
}

/// The entry point of the image: binds to KMDF 1.31, then calls the driver's `DriverEntry`.
///
/// # Safety
/// Called by the kernel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn FxDriverEntry(driver_object: PDRIVER_OBJECT, registry_path: PUNICODE_STRING) -> NTSTATUS {
    if driver_object.is_null() {
        // SAFETY: passed on from the caller.
        return unsafe { DriverEntry(driver_object, registry_path) };
    }
    let request = Load {
        driver_object,
        registry_path,
        driver_entry: DriverEntry,
        stub_unload,
        publish,
    };
    // SAFETY: passed on from the caller.
    unsafe { load(&IMAGE.0, &request) }
}

/// The unload routine that the stub puts in the driver object.
unsafe extern "C" fn stub_unload(driver_object: PDRIVER_OBJECT) {
    // SAFETY: the stub put this routine in place after it was bound.
    unsafe { unload(&IMAGE.0, driver_object) };
}

/// Writes the variables that the driver reads.
fn publish(functions: *const WDFFUNC, globals: PWDF_DRIVER_GLOBALS) {
    // SAFETY: no code of the driver runs yet.
    unsafe { crate::WdfFunctions = functions };
    // SAFETY: no code of the driver runs yet.
    unsafe { crate::WdfDriverGlobals = globals };
}
