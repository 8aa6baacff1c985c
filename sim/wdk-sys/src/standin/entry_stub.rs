//! What the entry stub of a KMDF driver image does: bind to the framework, run the driver's entry point, and unbind
//! when it fails or unloads.
//!
//! The rules are those of the stub that the WDK links into every KMDF driver:
//! - the registry path is copied (at most 520 bytes), because the framework keeps using it after the entry point
//!   returned;
//! - when the framework says so in its globals (`DisplaceDriverUnload`), the stub puts its own routine in
//!   `DriverUnload`; that calls the routine it displaced (the framework's, which calls the driver's) and then unbinds.
//!   Otherwise (a miniport, which calls `WdfDriverMiniportUnload`) it leaves `DriverUnload` alone.

use super::loader::{WDF_BIND_INFO, WDF_KMDF_COMPONENT, WDF_VERSION, WdfVersionBind, WdfVersionUnbind};
use crate::{convention::foreign, enums::_WDFFUNCENUM, ntddk::RtlCopyUnicodeString, status::NT_SUCCESS, types::*};
use core::{
    cell::{Cell, UnsafeCell},
    sync::atomic::{AtomicU8, Ordering},
};

/// A driver's entry point.
pub type DriverEntry = foreign!(fn(driver_object: PDRIVER_OBJECT, registry_path: PUNICODE_STRING) -> NTSTATUS);

/// The length of the stub's copy of the registry path, in UTF-16 units.
const REGISTRY_PATH_UNITS: usize = 260;

/// What the stub keeps while the driver is loaded. The framework holds pointers into it, hence the cells; it stays in
/// place.
pub(super) struct StubState {
    registry_path: UnsafeCell<UNICODE_STRING>,
    registry_path_buffer: UnsafeCell<[WCHAR; REGISTRY_PATH_UNITS]>,
    bind_info: UnsafeCell<WDF_BIND_INFO>,
    globals: UnsafeCell<PWDF_DRIVER_GLOBALS>,
    functions: UnsafeCell<*const WDFFUNC>,
    displaced_unload: Cell<PDRIVER_UNLOAD>,
}

impl StubState {
    pub(super) const fn new() -> Self {
        Self {
            registry_path: UnsafeCell::new(UNICODE_STRING {
                Length: 0,
                MaximumLength: 0,
                Buffer: core::ptr::null_mut(),
            }),
            registry_path_buffer: UnsafeCell::new([0; REGISTRY_PATH_UNITS]),
            bind_info: UnsafeCell::new(WDF_BIND_INFO {
                Size: size_of::<WDF_BIND_INFO>() as ULONG,
                Component: WDF_KMDF_COMPONENT.as_ptr().cast_mut(),
                Version: WDF_VERSION {
                    Major: 1,
                    Minor: 31,
                    Build: 0,
                },
                FuncCount: _WDFFUNCENUM::WdfFunctionTableNumEntries.cast_unsigned(),
                FuncTable: core::ptr::null_mut(),
                Module: core::ptr::null_mut(),
            }),
            globals: UnsafeCell::new(core::ptr::null_mut()),
            functions: UnsafeCell::new(core::ptr::null()),
            displaced_unload: Cell::new(None),
        }
    }

    /// The driver's globals, as the framework bound them.
    fn globals(&self) -> PWDF_DRIVER_GLOBALS {
        // SAFETY: only the framework writes here, during the bind call.
        unsafe { self.globals.get().read() }
    }

    /// The function table, as the framework bound it.
    fn functions(&self) -> *const WDFFUNC {
        // SAFETY: only the framework writes here, during the bind call.
        unsafe { self.functions.get().read() }
    }
}

/// One load of a driver image.
pub(super) struct Load {
    pub(super) driver_object: PDRIVER_OBJECT,
    pub(super) registry_path: PUNICODE_STRING,
    pub(super) driver_entry: DriverEntry,
    /// The stub's own unload routine, which ends in [`unload`].
    pub(super) stub_unload: foreign!(fn(PDRIVER_OBJECT)),
    /// Makes the bound table and globals visible to the driver.
    pub(super) publish: fn(*const WDFFUNC, PWDF_DRIVER_GLOBALS),
}

/// Binds, runs the entry point, and hooks the unload routine. On failure nothing stays bound.
///
/// # Safety
/// The driver object and the registry path are valid, as the kernel passes them to an image's entry point.
pub(super) unsafe fn load(state: &StubState, load: &Load) -> NTSTATUS {
    // SAFETY: passed on from the caller.
    let status = unsafe { bind(state, load) };
    if !NT_SUCCESS(status) {
        return status;
    }
    (load.publish)(state.functions(), state.globals());
    // SAFETY: the framework is bound, and the arguments are those the kernel passed.
    let status = unsafe { (load.driver_entry)(load.driver_object, load.registry_path) };
    if !NT_SUCCESS(status) {
        // SAFETY: bound above.
        unsafe { unbind(state) };
        return status;
    }
    // SAFETY: the driver object is valid, and the framework bound its globals.
    unsafe { displace_unload(state, load) };
    status
}

/// Calls the routine that the stub displaced, then unbinds.
///
/// # Safety
/// `state` is bound, and this is the unload of its driver.
pub(super) unsafe fn unload(state: &StubState, driver_object: PDRIVER_OBJECT) {
    if let Some(displaced) = state.displaced_unload.take() {
        // SAFETY: the routine was in the driver object, and the kernel unloads that driver now.
        unsafe { displaced(driver_object) };
    }
    // SAFETY: passed on from the caller.
    unsafe { unbind(state) };
}

/// # Safety
/// As for [`load`].
unsafe fn bind(state: &StubState, load: &Load) -> NTSTATUS {
    let copy = UNICODE_STRING {
        Length: 0,
        MaximumLength: size_of::<[WCHAR; REGISTRY_PATH_UNITS]>() as USHORT,
        Buffer: state.registry_path_buffer.get().cast(),
    };
    // SAFETY: the framework has no pointer into the state yet.
    unsafe { state.registry_path.get().write(copy) };
    // SAFETY: both strings are valid; the copy stops at `MaximumLength`.
    unsafe { RtlCopyUnicodeString(state.registry_path.get(), load.registry_path) };
    // SAFETY: the framework has no pointer into the state yet.
    unsafe { (*state.bind_info.get()).FuncTable = state.functions.get() };
    // SAFETY: the state stays in place until it is unbound.
    unsafe {
        WdfVersionBind(
            load.driver_object,
            state.registry_path.get(),
            state.bind_info.get(),
            state.globals.get(),
        )
    }
}

/// # Safety
/// `state` is bound.
unsafe fn unbind(state: &StubState) {
    // SAFETY: these are the arguments that it was bound with. The stub has nobody to report a failure to.
    let _ = unsafe { WdfVersionUnbind(state.registry_path.get(), state.bind_info.get(), state.globals()) };
}

/// # Safety
/// The driver object is valid, and `state` is bound.
unsafe fn displace_unload(state: &StubState, load: &Load) {
    // SAFETY: the framework's globals outlive the binding.
    let flag = unsafe { &raw mut (*state.globals()).DisplaceDriverUnload };
    // SAFETY: the framework writes the flag atomically, or before any driver binds.
    let displace = unsafe { AtomicU8::from_ptr(flag) }.load(Ordering::Relaxed);
    if displace == 0 {
        return;
    }
    // SAFETY: the driver object is valid.
    let routine = unsafe { &raw mut (*load.driver_object).DriverUnload };
    // SAFETY: nothing unloads the driver while its entry stub runs.
    let displaced = unsafe { routine.read() };
    let other = displaced.filter(|displaced| !core::ptr::fn_addr_eq(*displaced, load.stub_unload));
    state.displaced_unload.set(other);
    // SAFETY: as above.
    unsafe { routine.write(Some(load.stub_unload)) };
}
