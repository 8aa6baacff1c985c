//! A framework of a few lines: what the loader and the function table look like to the entry stub.
use core::{
    cell::{Cell, RefCell},
    ffi::c_void,
    sync::atomic::{AtomicU8, Ordering},
};
use std::sync::{Mutex, MutexGuard, PoisonError};
use wdk_sys::{
    DRIVER_OBJECT, NTSTATUS, PCUNICODE_STRING, PDRIVER_OBJECT, PUNICODE_STRING, PWDF_DRIVER_CONFIG,
    PWDF_DRIVER_GLOBALS, PWDF_OBJECT_ATTRIBUTES, STATUS_SUCCESS, UNICODE_STRING, WDF_DRIVER_GLOBALS, WDFDRIVER,
    WDFFUNC,
    standin::{PWDF_BIND_INFO, WDF_FUNCTION_COUNT, imports},
};

thread_local! {
    /// What happened on this thread, in order.
    static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    /// What the next bind returns.
    pub static BIND_STATUS: Cell<NTSTATUS> = const { Cell::new(STATUS_SUCCESS) };
    /// Whether binds give another table than the process-wide one.
    pub static WRONG_TABLE: Cell<bool> = const { Cell::new(false) };
    /// The registry path that the framework was given.
    pub static BOUND_PATH: RefCell<Vec<u16>> = const { RefCell::new(Vec::new()) };
}

pub fn log(event: impl Into<String>) {
    LOG.with_borrow_mut(|log| log.push(event.into()));
}

/// The events so far; forgets them.
pub fn take_log() -> Vec<String> {
    LOG.take()
}

/// The process-wide globals. Written only through [`set_displace`].
static mut GLOBALS: WDF_DRIVER_GLOBALS = WDF_DRIVER_GLOBALS {
    Driver: core::ptr::null_mut(),
    DriverFlags: 0,
    DriverTag: 0,
    DriverName: [0; 32],
    DisplaceDriverUnload: 1,
};

pub fn globals() -> PWDF_DRIVER_GLOBALS {
    &raw mut GLOBALS
}

/// Whether the stub may displace `DriverUnload`.
pub fn set_displace(flag: u8) {
    // SAFETY: a static.
    let place = unsafe { &raw mut (*globals()).DisplaceDriverUnload };
    // SAFETY: every access is atomic.
    unsafe { AtomicU8::from_ptr(place) }.store(flag, Ordering::Relaxed);
}

type DriverCreate = unsafe extern "win64" fn(
    PWDF_DRIVER_GLOBALS,
    PDRIVER_OBJECT,
    PCUNICODE_STRING,
    PWDF_OBJECT_ATTRIBUTES,
    PWDF_DRIVER_CONFIG,
    *mut WDFDRIVER,
) -> NTSTATUS;

unsafe extern "win64" fn driver_create(
    given: PWDF_DRIVER_GLOBALS,
    driver_object: PDRIVER_OBJECT,
    _: PCUNICODE_STRING,
    _: PWDF_OBJECT_ATTRIBUTES,
    _: PWDF_DRIVER_CONFIG,
    driver: *mut WDFDRIVER,
) -> NTSTATUS {
    assert_eq!(given, globals());
    log("WdfDriverCreate");
    // SAFETY: the caller's variable.
    unsafe { driver.write(driver_object.cast()) };
    STATUS_SUCCESS
}

/// A table in which only `WdfDriverCreate` is there.
static TABLE: [WDFFUNC; WDF_FUNCTION_COUNT] = {
    let mut table: [WDFFUNC; WDF_FUNCTION_COUNT] = [None; WDF_FUNCTION_COUNT];
    // SAFETY: a table entry is called with the type of the function at its index.
    let entry = unsafe { core::mem::transmute::<DriverCreate, unsafe extern "win64" fn()>(driver_create) };
    table[116] = Some(entry);
    table
};

static OTHER_TABLE: [WDFFUNC; WDF_FUNCTION_COUNT] = [None; WDF_FUNCTION_COUNT];

unsafe extern "win64" fn version_bind(
    _: PDRIVER_OBJECT,
    path: PUNICODE_STRING,
    info: PWDF_BIND_INFO,
    out: *mut PWDF_DRIVER_GLOBALS,
) -> NTSTATUS {
    // SAFETY: the stub's record.
    let info = unsafe { info.read() };
    // SAFETY: zero terminated, as the next line checks.
    let component = unsafe { core::slice::from_raw_parts(info.Component, 12) };
    assert_eq!(String::from_utf16_lossy(component), "KmdfLibrary\0");
    assert_eq!((info.Size, info.FuncCount), (48, 458));
    assert_eq!((info.Version.Major, info.Version.Minor), (1, 31));
    // SAFETY: the stub's string.
    BOUND_PATH.set(unsafe { units(path) });
    log("bind");
    let table = if WRONG_TABLE.get() { &OTHER_TABLE } else { &TABLE };
    // SAFETY: the stub's variable.
    unsafe { info.FuncTable.write(table.as_ptr()) };
    // SAFETY: the stub's variable.
    unsafe { out.write(globals()) };
    BIND_STATUS.get()
}

unsafe extern "win64" fn version_unbind(
    path: PUNICODE_STRING,
    info: PWDF_BIND_INFO,
    given: PWDF_DRIVER_GLOBALS,
) -> NTSTATUS {
    assert_eq!(given, globals());
    // SAFETY: the stub's record.
    assert_eq!(unsafe { info.read() }.Size, 48);
    // SAFETY: the stub's string.
    let kept = unsafe { units(path) };
    assert_eq!(
        kept,
        BOUND_PATH.with_borrow(Clone::clone),
        "the stub kept its copy of the path"
    );
    log("unbind");
    STATUS_SUCCESS
}

/// As the kernel's: copies what fits, and adds a terminator when there is room.
unsafe extern "win64" fn copy_unicode_string(destination: PUNICODE_STRING, source: PCUNICODE_STRING) {
    // SAFETY: the caller's string.
    let source = unsafe { source.read() };
    // SAFETY: the caller's string.
    let mut copy = unsafe { destination.read() };
    copy.Length = source.Length.min(copy.MaximumLength);
    // SAFETY: `Length` bytes are in both buffers.
    unsafe { core::ptr::copy_nonoverlapping(source.Buffer, copy.Buffer, usize::from(copy.Length / 2)) };
    // SAFETY: the caller's string.
    unsafe { destination.write(copy) };
}

/// # Safety
/// The string is valid.
unsafe fn units(string: PUNICODE_STRING) -> Vec<u16> {
    // SAFETY: the caller's string.
    let string = unsafe { string.read() };
    // SAFETY: `Length` bytes are valid.
    unsafe { core::slice::from_raw_parts(string.Buffer, usize::from(string.Length / 2)) }.to_vec()
}

/// Binds the loader, and lets one test at a time have the process-wide state.
pub fn exclusive() -> MutexGuard<'static, ()> {
    static SERIAL: Mutex<()> = Mutex::new(());
    let guard = SERIAL.lock().unwrap_or_else(PoisonError::into_inner);
    let exports: [(&str, *const c_void); 3] = [
        ("RtlCopyUnicodeString", copy_unicode_string as *const c_void),
        ("WdfVersionBind", version_bind as *const c_void),
        ("WdfVersionUnbind", version_unbind as *const c_void),
    ];
    for (name, target) in exports {
        imports()
            .iter()
            .find(|slot| slot.name == name)
            .expect("imported")
            .bind(target);
    }
    set_displace(1);
    guard
}

/// A driver object and a registry path, as the kernel passes them.
pub struct Image {
    pub driver_object: Box<DRIVER_OBJECT>,
    path: Vec<u16>,
}

impl Image {
    pub fn new(path: &str) -> Self {
        Self {
            driver_object: Box::default(),
            path: path.encode_utf16().collect(),
        }
    }

    /// Runs the entry stub.
    pub fn load(&mut self, driver_entry: wdk_sys::standin::DriverEntry) -> NTSTATUS {
        let length = u16::try_from(self.path.len() * 2).expect("a short path");
        let mut path = UNICODE_STRING {
            Length: length,
            MaximumLength: length,
            Buffer: self.path.as_mut_ptr(),
        };
        // SAFETY: both are valid, and this thread alone uses them.
        unsafe { wdk_sys::standin::fx_driver_entry(&raw mut *self.driver_object, &raw mut path, driver_entry) }
    }

    /// Calls the routine in `DriverUnload`, as the kernel does.
    pub fn unload(&mut self) {
        let unload = self.driver_object.DriverUnload.expect("an unload routine");
        // SAFETY: put there for this driver object.
        unsafe { unload(&raw mut *self.driver_object) };
    }
}
