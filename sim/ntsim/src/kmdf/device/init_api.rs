//! The `WdfDeviceInit*` and `WdfFdoInit*` functions.

use super::init::{self, FileSettings, Settings};
use crate::kmdf::object::{Attributes, ParentRule};
use crate::kmdf::status::STATUS_INVALID_SECURITY_DESCR;
use crate::kmdf::verifier;
use crate::verifier::kmdf::{INVALID_PARAMETER, WRONG_STRUCTURE_SIZE};
use wdk_sys::*;

/// Changes the settings of a `WDFDEVICE_INIT`.
fn change(init: PWDFDEVICE_INIT, change: impl FnOnce(&mut Settings)) {
    change_of(&init::get(init), change);
}

fn change_of(init: &init::Init, change: impl FnOnce(&mut Settings)) {
    change(&mut init.settings.borrow_mut());
}

/// Reads a structure that begins with its size, and refuses another size.
fn sized<T: Copy>(pointer: *const T, size: impl FnOnce(&T) -> ULONG, name: &str) -> Option<T> {
    // SAFETY: the driver passes a readable structure.
    let value = unsafe { pointer.read() };
    if size(&value) as usize == size_of::<T>() {
        return Some(value);
    }
    verifier::debug_break(WRONG_STRUCTURE_SIZE, name);
    None
}

crate::wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// The PnP and power callbacks.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceInitSetPnpPowerEventCallbacks(init: PWDFDEVICE_INIT, callbacks: PWDF_PNPPOWER_EVENT_CALLBACKS) {
        let init = init::get(init);
        if let Some(callbacks) = sized(callbacks, |c| c.Size, "WDF_PNPPOWER_EVENT_CALLBACKS") {
            change_of(&init, |s| s.pnp = callbacks);
        }
    }

    /// The power policy callbacks.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceInitSetPowerPolicyEventCallbacks(init: PWDFDEVICE_INIT, callbacks: PWDF_POWER_POLICY_EVENT_CALLBACKS) {
        let init = init::get(init);
        if let Some(callbacks) = sized(callbacks, |c| c.Size, "WDF_POWER_POLICY_EVENT_CALLBACKS") {
            change_of(&init, |s| s.policy = callbacks);
        }
    }

    /// Whether this driver decides on the device's power states.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceInitSetPowerPolicyOwnership(init: PWDFDEVICE_INIT, owner: BOOLEAN) {
        change(init, |s| s.policy_owner = Some(owner != 0));
    }

    /// File object callbacks and attributes.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceInitSetFileObjectConfig(init: PWDFDEVICE_INIT, config: PWDF_FILEOBJECT_CONFIG, attributes: PWDF_OBJECT_ATTRIBUTES) {
        let init = init::get(init);
        let Some(config) = sized(config, |c| c.Size, "WDF_FILEOBJECT_CONFIG") else { return };
        match Attributes::read(attributes, ParentRule::Forbidden) {
            Ok(attributes) => change_of(&init, |s| s.file = Some(FileSettings { config, attributes })),
            Err(status) => verifier::debug_break(INVALID_PARAMETER, format!("the file object attributes are refused: {status:#x}")),
        }
    }

    /// The attributes of every request object of the device.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceInitSetRequestAttributes(init: PWDFDEVICE_INIT, attributes: PWDF_OBJECT_ATTRIBUTES) {
        let init = init::get(init);
        match Attributes::read_plain(attributes, ParentRule::Forbidden) {
            Ok(attributes) => change_of(&init, |s| s.request_attributes = attributes),
            Err(status) => verifier::debug_break(INVALID_PARAMETER, format!("the request attributes are refused: {status:#x}")),
        }
    }

    /// How read and write buffers are passed.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceInitSetIoType(init: PWDFDEVICE_INIT, io_type: WDF_DEVICE_IO_TYPE) {
        change(init, |s| s.io_type = io_type);
    }

    /// As WdfDeviceInitSetIoType, in a structure.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceInitSetIoTypeEx(init: PWDFDEVICE_INIT, config: PWDF_IO_TYPE_CONFIG) {
        let init = init::get(init);
        if let Some(config) = sized(config, |c| c.Size, "WDF_IO_TYPE_CONFIG") {
            change_of(&init, |s| s.io_type = config.ReadWriteIoType);
        }
    }

    /// The callback in the requester's context.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceInitSetIoInCallerContextCallback(init: PWDFDEVICE_INIT, callback: PFN_WDF_IO_IN_CALLER_CONTEXT) {
        change(init, |s| s.in_caller_context = callback);
    }

    /// The device type (`FILE_DEVICE_*`).
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceInitSetDeviceType(init: PWDFDEVICE_INIT, device_type: ULONG) {
        change(init, |s| s.device_type = device_type);
    }

    /// The device characteristics, added to or in place of the present ones.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceInitSetCharacteristics(init: PWDFDEVICE_INIT, characteristics: ULONG, add: BOOLEAN) {
        change(init, |s| {
            let kept = if add == 0 { 0 } else { s.characteristics };
            s.characteristics = kept | characteristics | FILE_DEVICE_SECURE_OPEN;
        });
    }

    /// Whether only one handle may be open.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceInitSetExclusive(init: PWDFDEVICE_INIT, exclusive: BOOLEAN) {
        change(init, |s| s.exclusive = exclusive != 0);
    }

    /// When EvtDeviceReleaseHardware is called after a failure.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceInitSetReleaseHardwareOrderOnFailure(init: PWDFDEVICE_INIT, order: WDF_RELEASE_HARDWARE_ORDER_ON_FAILURE) {
        change(init, |s| s.release_order = order);
    }

    /// The power callbacks may touch pageable memory.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceInitSetPowerPageable(init: PWDFDEVICE_INIT) {
        change(init, |s| s.power_pageable = Some(true));
    }

    /// The power callbacks never touch pageable memory.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceInitSetPowerNotPageable(init: PWDFDEVICE_INIT) {
        change(init, |s| s.power_pageable = Some(false));
    }

    /// Names the device object.
    #[irql(PASSIVE_LEVEL)]
    fn WdfDeviceInitAssignName(init: PWDFDEVICE_INIT, name: PCUNICODE_STRING) -> NTSTATUS {
        let units = if name.is_null() { None } else { Some(crate::kmdf::registry::units_of(name.cast_mut())) };
        change(init, |s| s.name = units);
        STATUS_SUCCESS
    }

    /// The security descriptor of a named device. Registry and bus driver decide for unnamed ones, which is why that is refused.
    #[irql(PASSIVE_LEVEL)]
    fn WdfDeviceInitAssignSDDLString(init: PWDFDEVICE_INIT, sddl: PCUNICODE_STRING) -> NTSTATUS {
        let init = init::get(init);
        let unnamed = init.settings.borrow().name.is_none();
        if !sddl.is_null() && unnamed { STATUS_INVALID_SECURITY_DESCR } else { STATUS_SUCCESS }
    }

    /// Makes the device a filter.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfFdoInitSetFilter(init: PWDFDEVICE_INIT) {
        change(init, |s| s.filter = true);
    }

    /// The bus driver's device object.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfFdoInitWdmGetPhysicalDevice(init: PWDFDEVICE_INIT) -> PDEVICE_OBJECT {
        init::get(init).pdo
    }

    /// A property of the device.
    #[irql(PASSIVE_LEVEL)]
    fn WdfFdoInitQueryProperty(init: PWDFDEVICE_INIT, property: DEVICE_REGISTRY_PROPERTY::Type, length: ULONG, buffer: PVOID, result: PULONG) -> NTSTATUS {
        let pdo = init::get(init).pdo;
        // SAFETY: the driver's buffer and variable.
        unsafe { ntddk::IoGetDeviceProperty(pdo, property, length, buffer, result) }
    }
}
