//! The loader interface: how a driver image binds to the framework, and lets go of it.
//!
//! The function table and the driver's globals are the same for every machine of the process, because drivers built for the host keep them in variables that
//! all machines share. Hence one client per machine at a time, and a fixed handle of the driver object.

use super::{driver, table};
use crate::cross::as_framework;
use crate::kmdf;
use crate::verifier::{kmdf::SECOND_CLIENT, violation};
use wdk_sys::standin::{PWDF_BIND_INFO, WDF_FUNCTION_COUNT, WDF_KMDF_COMPONENT, WDF_VERSION};
use wdk_sys::*;

/// The newest version that this framework is: the bound table is the same from 1.31 on.
const MINOR: u32 = 33;

/// The value behind every driver's `WdfDriverGlobals`.
struct Globals(WDF_DRIVER_GLOBALS);

// SAFETY: never written; the pointer in it is a handle, a mere number.
unsafe impl Sync for Globals {}

static GLOBALS: Globals = Globals(WDF_DRIVER_GLOBALS {
    Driver: kmdf::object::Handle::DRIVER.raw(),
    DriverFlags: 0,
    DriverTag: kmdf::pool::TAG,
    DriverName: driver_name(),
    DisplaceDriverUnload: 1,
});

const fn driver_name() -> [CHAR; 32] {
    let mut name = [0; 32];
    let text = b"driver";
    let mut at = 0;
    while at < text.len() {
        name[at] = text[at].cast_signed();
        at += 1;
    }
    name
}

crate::nt_exports! {
    pub(crate) const EXPORTS = "WDFLDR.SYS", unchecked;

    /// Binds a driver image to the framework: checks what it asks for, and gives it the function table and its globals.
    #[irql(PASSIVE_LEVEL)]
    fn WdfVersionBind(driver_object: PDRIVER_OBJECT, registry_path: PUNICODE_STRING, info: PWDF_BIND_INFO, globals: *mut PWDF_DRIVER_GLOBALS) -> NTSTATUS {
        as_framework(|| bind(driver_object, registry_path, info, globals))
    }

    /// Undoes `WdfVersionBind`: deletes what is left of the driver's objects.
    #[irql(PASSIVE_LEVEL)]
    fn WdfVersionUnbind(_registry_path: PUNICODE_STRING, _info: PWDF_BIND_INFO, _globals: PWDF_DRIVER_GLOBALS) -> NTSTATUS {
        as_framework(driver::unbound);
        STATUS_SUCCESS
    }
}

fn bind(
    driver_object: PDRIVER_OBJECT,
    registry_path: PUNICODE_STRING,
    info: PWDF_BIND_INFO,
    globals: *mut PWDF_DRIVER_GLOBALS,
) -> NTSTATUS {
    // SAFETY: the entry stub passes its own record.
    let request = unsafe { info.read() };
    if request.Size as usize != size_of_val(&request) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    if !is_kmdf(request.Component) {
        return refuse(
            STATUS_OBJECT_NAME_NOT_FOUND,
            "it asks for a framework that is not KMDF".to_owned(),
        );
    }
    let known = WDF_FUNCTION_COUNT as u32;
    let WDF_VERSION { Major, Minor, .. } = request.Version;
    if Major != 1 || Minor > MINOR || request.FuncCount > known {
        let reason = format!(
            "it was built for KMDF {Major}.{Minor} with {} functions; this machine has KMDF 1.{MINOR} with {known}",
            request.FuncCount
        );
        return refuse(STATUS_REVISION_MISMATCH, reason);
    }
    if kmdf::state(|s| s.driver.is_bound()) {
        violation(SECOND_CLIENT, "one machine runs one KMDF driver at a time");
        return STATUS_UNSUCCESSFUL;
    }
    kmdf::state(|s| s.driver.bind(driver_object, registry_path));
    // SAFETY: the entry stub's own variables, see above.
    unsafe { request.FuncTable.write(table::table().as_ptr()) };
    // SAFETY: as above. The globals are only ever read.
    unsafe { globals.write((&raw const GLOBALS.0).cast_mut()) };
    driver::read_settings();
    STATUS_SUCCESS
}

/// Refuses to bind, and keeps the reason, which no status can tell.
fn refuse(status: NTSTATUS, reason: String) -> NTSTATUS {
    kmdf::state(|s| s.driver.refusal.replace(Some(reason)));
    status
}

/// Why the framework refused the driver that was loaded last, if it did.
pub(crate) fn take_refusal() -> Option<String> {
    kmdf::state(|s| s.driver.refusal.take())
}

/// Whether a component name, zero-terminated, is `KmdfLibrary`.
fn is_kmdf(component: *const WCHAR) -> bool {
    WDF_KMDF_COMPONENT.iter().enumerate().all(|(at, expected)| {
        // SAFETY: all units before this one were equal to those of a zero-terminated name, so the given name does not end before this one.
        let unit = unsafe { component.wrapping_add(at).read() };
        unit == *expected
    })
}
