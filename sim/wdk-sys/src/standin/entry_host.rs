//! The entry stub of the host form. Simulated machines run one per thread and share one copy of the driver's code, so
//! what a real image keeps in its own variables is kept here by driver object.

use super::entry_stub::{DriverEntry, Load, StubState, load, unload};
use crate::{status::NT_SUCCESS, types::*};
use core::sync::atomic::{AtomicPtr, Ordering};
use std::{
    boxed::Box,
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A loaded driver's state. Owned through a raw pointer, because the framework holds pointers into it.
struct Loaded(*mut StubState);

// SAFETY: the map only stores it; the entry stub and the unload routine of one driver run in one machine, hence on one
// thread.
unsafe impl Send for Loaded {}

impl Loaded {
    fn new() -> Self {
        Self(Box::into_raw(Box::new(StubState::new())))
    }
}

impl Drop for Loaded {
    fn drop(&mut self) {
        // SAFETY: from `Box::into_raw`, and dropped once.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

/// The state of every loaded driver, by the address of its driver object.
static LOADED: Mutex<BTreeMap<usize, Loaded>> = Mutex::new(BTreeMap::new());

/// The map. Never held across a kernel call, where a machine may switch to another context.
fn loaded() -> MutexGuard<'static, BTreeMap<usize, Loaded>> {
    LOADED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the kernel runs to load a KMDF driver image: binds to KMDF 1.31 and calls the driver's entry point; when that
/// fails, unbinds again. A null driver object means that no framework is wanted: then the entry point is called
/// directly.
///
/// Needs the imports `WdfVersionBind`, `WdfVersionUnbind` and `RtlCopyUnicodeString` bound. Every bind in a process
/// must give the same function table and the same globals (panics otherwise): the driver reads them from variables that
/// all machines share.
///
/// # Safety
/// As for the entry point of an image: PASSIVE_LEVEL, valid `driver_object` and `registry_path`. Load, unload and every
/// call into the driver happen on one thread.
pub unsafe fn fx_driver_entry(
    driver_object: PDRIVER_OBJECT,
    registry_path: PUNICODE_STRING,
    driver_entry: DriverEntry,
) -> NTSTATUS {
    if driver_object.is_null() {
        // SAFETY: passed on from the caller.
        return unsafe { driver_entry(driver_object, registry_path) };
    }
    let entry = Loaded::new();
    // SAFETY: allocated just now, and freed by this thread only: below, at unload, or when a later load replaces it.
    let state = unsafe { &*entry.0 };
    // A machine that ended without unloading, as in a bug check, leaves its entry behind: it goes when the address is
    // used again.
    drop(loaded().insert(driver_object.addr(), entry));
    let request = Load {
        driver_object,
        registry_path,
        driver_entry,
        stub_unload,
        publish,
    };
    // SAFETY: passed on from the caller.
    let status = unsafe { load(state, &request) };
    if !NT_SUCCESS(status) {
        drop(loaded().remove(&driver_object.addr()));
    }
    status
}

/// The unload routine that the stub puts in the driver object.
unsafe extern "win64" fn stub_unload(driver_object: PDRIVER_OBJECT) {
    let entry = loaded()
        .remove(&driver_object.addr())
        .expect("the driver object was loaded by the stub");
    // SAFETY: freed only when `entry` goes, after the call.
    let state = unsafe { &*entry.0 };
    // SAFETY: it was in the map, so it is bound; the kernel calls this to unload that driver.
    unsafe { unload(state, driver_object) };
}

/// Writes the shared variables, each only while it is null: see [`crate::WdfFunctions`].
fn publish(functions: *const WDFFUNC, globals: PWDF_DRIVER_GLOBALS) {
    publish_pointer(
        (&raw mut crate::WdfFunctions).cast(),
        functions.cast_mut(),
        "WdfFunctions",
    );
    publish_pointer(&raw mut crate::WdfDriverGlobals, globals, "WdfDriverGlobals");
}

fn publish_pointer<T>(variable: *mut *mut T, value: *mut T, name: &str) {
    // SAFETY: a static variable; it is only ever written here, and read plainly only by drivers that have been bound.
    let variable = unsafe { AtomicPtr::from_ptr(variable) };
    if variable.load(Ordering::Acquire) == value {
        return;
    }
    let stored = variable.compare_exchange(core::ptr::null_mut(), value, Ordering::AcqRel, Ordering::Acquire);
    assert!(
        stored.is_ok() || stored == Err(value),
        "{name} is bound to another value already"
    );
}
