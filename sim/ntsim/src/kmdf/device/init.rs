//! `WDFDEVICE_INIT`: what a driver chooses before it makes its device.
//!
//! The pointer that drivers get is a handle: one that was used up by WdfDeviceCreate, or freed, is recognised.

use crate::kmdf::object::{Attributes, Handle};
use crate::kmdf::{self, verifier};
use crate::verifier::kmdf::{DEVICE_INIT_USED_UP, REQUIRED_PARAMETER_IS_NULL};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wdk_sys::*;

/// The file object configuration.
#[derive(Clone, Copy)]
pub(crate) struct FileSettings {
    pub(crate) config: WDF_FILEOBJECT_CONFIG,
    pub(crate) attributes: Attributes,
}

/// The choices.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) pnp: WDF_PNPPOWER_EVENT_CALLBACKS,
    pub(crate) policy: WDF_POWER_POLICY_EVENT_CALLBACKS,
    pub(crate) file: Option<FileSettings>,
    pub(crate) request_attributes: Attributes,
    pub(crate) io_type: WDF_DEVICE_IO_TYPE,
    pub(crate) in_caller_context: PFN_WDF_IO_IN_CALLER_CONTEXT,
    pub(crate) device_type: ULONG,
    pub(crate) characteristics: ULONG,
    pub(crate) exclusive: bool,
    pub(crate) filter: bool,
    pub(crate) policy_owner: Option<bool>,
    pub(crate) release_order: WDF_RELEASE_HARDWARE_ORDER_ON_FAILURE,
    pub(crate) power_pageable: Option<bool>,
    pub(crate) name: Option<Vec<u16>>,
}

impl Settings {
    fn new() -> Self {
        Self {
            pnp: WDF_PNPPOWER_EVENT_CALLBACKS::default(),
            policy: WDF_POWER_POLICY_EVENT_CALLBACKS::default(),
            file: None,
            request_attributes: Attributes::default(),
            io_type: _WDF_DEVICE_IO_TYPE::WdfDeviceIoBuffered,
            in_caller_context: None,
            device_type: FILE_DEVICE_UNKNOWN,
            characteristics: FILE_DEVICE_SECURE_OPEN,
            exclusive: false,
            filter: false,
            policy_owner: None,
            release_order: _WDF_RELEASE_HARDWARE_ORDER_ON_FAILURE::WdfReleaseHardwareOrderOnFailureEarly,
            power_pageable: None,
            name: None,
        }
    }

    /// Whether this driver decides on power states: function drivers unless they say no, filters only when they say yes.
    pub(crate) fn owns_power_policy(&self) -> bool {
        self.policy_owner.unwrap_or(!self.filter)
    }
}

/// What a `WDFDEVICE_INIT` pointer stands for.
pub(crate) struct Init {
    handle: Handle,
    pub(crate) pdo: PDEVICE_OBJECT,
    pub(crate) settings: RefCell<Settings>,
    /// The device that was made from it.
    pub(crate) device: Cell<WDFDEVICE>,
}

impl Init {
    /// The pointer for the driver.
    pub(crate) fn raw(&self) -> PWDFDEVICE_INIT {
        self.handle.raw()
    }
}

/// Makes one, for a device that was found.
pub(crate) fn allocate(pdo: PDEVICE_OBJECT) -> Rc<Init> {
    let handle = kmdf::state(|s| s.objects.new_handle());
    let init = Rc::new(Init {
        handle,
        pdo,
        settings: RefCell::new(Settings::new()),
        device: Cell::new(core::ptr::null_mut()),
    });
    kmdf::state(|s| s.inits.borrow_mut().insert(handle, Rc::clone(&init)));
    init
}

/// Takes one back.
pub(crate) fn free(raw: PWDFDEVICE_INIT) -> Option<Rc<Init>> {
    kmdf::state(|s| s.inits.borrow_mut().remove(&Handle::from_raw(raw)))
}

/// The one that a driver passed, before WdfDeviceCreate used it up.
pub(crate) fn get(raw: PWDFDEVICE_INIT) -> Rc<Init> {
    if raw.is_null() {
        verifier::fatal(REQUIRED_PARAMETER_IS_NULL, 0, 0, "the WDFDEVICE_INIT pointer is null");
    }
    let found = kmdf::state(|s| s.inits.borrow().get(&Handle::from_raw(raw)).cloned());
    match found {
        Some(init) if init.device.get().is_null() => init,
        _ => verifier::fatal(
            DEVICE_INIT_USED_UP,
            raw.addr() as u64,
            0,
            "WdfDeviceCreate takes the WDFDEVICE_INIT over and sets the driver's pointer to null",
        ),
    }
}
