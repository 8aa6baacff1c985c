//! `WdfDeviceCreate`, and what becomes of the device when `EvtDriverDeviceAdd` returns.

use super::init::{self, Init};
use super::{Device, IoPackage};
use crate::kmdf::interrupt::Interrupts;
use crate::kmdf::object::{self, Attributes, Flags, New, ParentRule, Ref};
use crate::kmdf::pnp::{self, Machine};
use crate::kmdf::registry::Unicode;
use crate::kmdf::sync::CallbackLock;
use crate::kmdf::{self, dma, driver, irp, queue};
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use wdk_sys::*;

/// The interface by which framework drivers of one stack share a power thread. Private to the framework; a bus driver does not know it.
static POWER_THREAD_INTERFACE: GUID = GUID {
    Data1: 0x8E1F_36D4,
    Data2: 0x5A0B,
    Data3: 0x4F27,
    Data4: [0x9C, 0x61, 0x27, 0xE8, 0x4B, 0x0D, 0x5F, 0x93],
};

/// A `WDFDEVICE_INIT` for a device that was found.
pub(crate) fn new_init(pdo: PDEVICE_OBJECT) -> PWDFDEVICE_INIT {
    init::allocate(pdo).raw()
}

/// `EvtDriverDeviceAdd` returned.
pub(crate) fn added(raw: PWDFDEVICE_INIT, status: NTSTATUS) -> NTSTATUS {
    let Some(init) = init::free(raw) else { return status };
    let Some(device) = object::find::<Device>(init.device.get()) else {
        return status;
    };
    if NT_SUCCESS(status) {
        device.pnp.added();
        // SAFETY: the framework's own device object.
        unsafe { (*device.fdo).Flags &= !DO_DEVICE_INITIALIZING };
    } else {
        pnp::delete_unstarted(&device);
    }
    status
}

crate::wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// Makes the device object and attaches it to the stack.
    #[irql(PASSIVE_LEVEL)]
    fn WdfDeviceCreate(init: *mut PWDFDEVICE_INIT, attributes: PWDF_OBJECT_ATTRIBUTES, device: *mut WDFDEVICE) -> NTSTATUS {
        // SAFETY: the driver's own variable.
        let given = unsafe { init.read() };
        let choices = init::get(given);
        match create(&choices, attributes) {
            Ok(made) => {
                choices.device.set(made.raw());
                // SAFETY: the driver's own variable.
                unsafe { init.write(core::ptr::null_mut()) };
                // SAFETY: the driver's own variable.
                unsafe { device.write(made.raw()) };
                query_power_thread(&made);
                STATUS_SUCCESS
            }
            Err(status) => status,
        }
    }

    /// Frees a `WDFDEVICE_INIT` that WdfDeviceCreate did not take over. Those of EvtDriverDeviceAdd are the framework's.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceInitFree(init: PWDFDEVICE_INIT) {
        let _init = init::get(init);
        kmdf::verifier::debug_break(crate::verifier::kmdf::INVALID_PARAMETER, "the WDFDEVICE_INIT of EvtDriverDeviceAdd belongs to the framework");
    }
}

fn create(init: &Init, attributes: PWDF_OBJECT_ATTRIBUTES) -> Result<Ref<Device>, NTSTATUS> {
    let attributes = Attributes::read(attributes, ParentRule::Forbidden)?;
    let driver = driver::current();
    let fdo = create_wdm(init)?;
    let body = body(init, fdo, &attributes, &driver);
    let made = object::create(
        &New {
            attributes: &attributes,
            parent: Some(driver.object()),
            flags: Flags::NO_DELETE | Flags::PASSIVE,
        },
        body,
    );
    let device = made.inspect_err(|_| delete_wdm(fdo))?;
    let package = object::create(
        &New {
            attributes: &Attributes::default(),
            parent: Some(device.object()),
            flags: Flags::NO_DELETE | Flags::PASSIVE,
        },
        IoPackage,
    );
    let lower = package.and_then(|package| {
        let _ = device.package.set(Rc::clone(package.object()));
        attach(init, fdo)
    });
    match lower {
        Ok(lower) => {
            device.attached.set(lower);
            kmdf::state(|s| s.devices.borrow_mut().insert(fdo.addr(), device.clone()));
            Ok(device)
        }
        Err(status) => {
            device.object().delete_from_failed_create();
            delete_wdm(fdo);
            Err(status)
        }
    }
}

fn body(init: &Init, fdo: PDEVICE_OBJECT, attributes: &Attributes, driver: &Ref<driver::Driver>) -> Device {
    let constraints = driver.constraints.inherit(attributes);
    let device_scope = constraints.scope == _WDF_SYNCHRONIZATION_SCOPE::WdfSynchronizationScopeDevice;
    Device {
        fdo,
        pdo: init.pdo,
        attached: Cell::new(core::ptr::null_mut()),
        settings: init.settings.borrow().clone(),
        constraints,
        lock: device_scope.then(|| Rc::new(CallbackLock::new(constraints.execution))),
        package: OnceCell::new(),
        io: queue::Package::default(),
        enablers: dma::Enablers::default(),
        pnp: Machine::new(),
        interrupts: Interrupts::default(),
        interfaces: super::interface::Interfaces::default(),
        files: RefCell::default(),
        capabilities: RefCell::default(),
        stop_count: Cell::new(0),
        resources: RefCell::new(None),
    }
}

fn create_wdm(init: &Init) -> Result<PDEVICE_OBJECT, NTSTATUS> {
    let driver_object = kmdf::state(|s| s.driver.driver_object());
    let settings = init.settings.borrow().clone();
    let mut name = settings.name.map(Unicode::from_units);
    let mut view = name.as_mut().map(Unicode::view);
    let name = view.as_mut().map_or(core::ptr::null_mut(), |view| &raw mut *view);
    let mut fdo = core::ptr::null_mut();
    // SAFETY: the driver's own driver object, and local variables.
    let status = unsafe {
        ntddk::IoCreateDevice(
            driver_object,
            EXTENSION_BYTES,
            name,
            settings.device_type,
            settings.characteristics,
            u8::from(settings.exclusive),
            &raw mut fdo,
        )
    };
    if NT_SUCCESS(status) { Ok(fdo) } else { Err(status) }
}

/// The size of the device extension. The framework keeps nothing in it: its state is found by the device object's address.
const EXTENSION_BYTES: ULONG = 16;

fn attach(init: &Init, fdo: PDEVICE_OBJECT) -> Result<PDEVICE_OBJECT, NTSTATUS> {
    // SAFETY: the framework's own device object, and the bus driver's one.
    let lower = unsafe { ntddk::IoAttachDeviceToDeviceStack(fdo, init.pdo) };
    if lower.is_null() {
        return Err(STATUS_NO_SUCH_DEVICE);
    }
    // SAFETY: a live device object.
    let below = unsafe { (*lower).Flags };
    let settings = init.settings.borrow();
    let io = match settings.io_type {
        _ if settings.filter => below & (DO_BUFFERED_IO | DO_DIRECT_IO),
        _WDF_DEVICE_IO_TYPE::WdfDeviceIoBuffered => DO_BUFFERED_IO,
        _WDF_DEVICE_IO_TYPE::WdfDeviceIoDirect => DO_DIRECT_IO,
        _ => 0,
    };
    let pageable = match settings.power_pageable {
        Some(true) => DO_POWER_PAGABLE,
        Some(false) => 0,
        None => below & DO_POWER_PAGABLE,
    };
    // SAFETY: the framework's own device object.
    unsafe { (*fdo).Flags |= io | pageable };
    Ok(lower)
}

fn delete_wdm(fdo: PDEVICE_OBJECT) {
    // SAFETY: created above; nobody else has it.
    unsafe { ntddk::IoDeleteDevice(fdo) };
}

/// Asks the stack for a power thread to share. A stack of a bus driver and this framework has none.
fn query_power_thread(device: &Ref<Device>) {
    let mut interface = INTERFACE::default();
    let size = size_of::<INTERFACE>() as USHORT;
    let _ = irp::query_interface(
        device.attached(),
        &raw const POWER_THREAD_INTERFACE,
        &raw mut interface,
        size,
        1,
        core::ptr::null_mut(),
    );
}
