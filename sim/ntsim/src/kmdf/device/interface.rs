//! Device interfaces: registered in EvtDriverDeviceAdd or later, enabled while the device is started.

use super::Device;
use crate::kmdf::object::{self, Ref};
use crate::kmdf::registry::units_of;
use std::cell::RefCell;
use wdk_sys::*;

/// One registered interface.
#[derive(Clone)]
struct Interface {
    class: [u8; 16],
    reference: Vec<u16>,
    /// The symbolic link name, in memory that the kernel allocated.
    link: UNICODE_STRING,
    /// Whether the driver wants it enabled once the device is started.
    wanted: bool,
    enabled: bool,
}

/// The interfaces of a device, in order of registration.
#[derive(Default)]
pub(crate) struct Interfaces(RefCell<Vec<Interface>>);

/// The bytes of a GUID, for comparisons.
fn bytes_of(class: *const GUID) -> [u8; 16] {
    // SAFETY: the driver passes a readable GUID.
    let class = unsafe { class.read() };
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&class.Data1.to_le_bytes());
    bytes[4..6].copy_from_slice(&class.Data2.to_le_bytes());
    bytes[6..8].copy_from_slice(&class.Data3.to_le_bytes());
    bytes[8..].copy_from_slice(&class.Data4);
    bytes
}

impl Interfaces {
    fn find(&self, class: [u8; 16], reference: &[u16]) -> Option<usize> {
        self.0
            .borrow()
            .iter()
            .position(|i| i.class == class && i.reference == reference)
    }

    /// Enables what the driver wants enabled: the device was started.
    pub(crate) fn enable_all(&self) -> NTSTATUS {
        let count = self.0.borrow().len();
        for at in 0..count {
            let wanted = self.0.borrow()[at].wanted;
            let status = if wanted { self.set(at, true) } else { STATUS_SUCCESS };
            if !NT_SUCCESS(status) {
                return status;
            }
        }
        STATUS_SUCCESS
    }

    /// Disables all: the device is being removed.
    pub(crate) fn disable_all(&self) {
        let count = self.0.borrow().len();
        for at in 0..count {
            let _ = self.set(at, false);
        }
    }

    /// Enables or disables one; nothing happens when it is so already.
    fn set(&self, at: usize, enabled: bool) -> NTSTATUS {
        let (mut link, is) = {
            let list = self.0.borrow();
            (list[at].link, list[at].enabled)
        };
        if is == enabled {
            return STATUS_SUCCESS;
        }
        // SAFETY: the name that registering returned.
        let status = unsafe { ntddk::IoSetDeviceInterfaceState(&raw mut link, u8::from(enabled)) };
        if NT_SUCCESS(status) {
            self.0.borrow_mut()[at].enabled = enabled;
        }
        status
    }

    /// Frees the names: the device object ends.
    pub(super) fn free(&self) {
        for mut interface in self.0.take() {
            // SAFETY: the name that registering returned, given up here.
            unsafe { ntddk::RtlFreeUnicodeString(&raw mut interface.link) };
        }
    }
}

fn register(device: &Ref<Device>, class: *const GUID, reference: PCUNICODE_STRING) -> NTSTATUS {
    let mut link = UNICODE_STRING::default();
    // SAFETY: the bus driver's device object, the driver's GUID and string, and a local variable.
    let status = unsafe { ntddk::IoRegisterDeviceInterface(device.pdo(), class, reference.cast_mut(), &raw mut link) };
    if !NT_SUCCESS(status) {
        return status;
    }
    let interface = Interface {
        class: bytes_of(class),
        reference: units_of(reference.cast_mut()),
        link,
        wanted: true,
        enabled: false,
    };
    let at = {
        let mut list = device.interfaces.0.borrow_mut();
        list.push(interface);
        list.len() - 1
    };
    if device.pnp.is_started() {
        device.interfaces.set(at, true)
    } else {
        STATUS_SUCCESS
    }
}

fn set_state(device: WDFDEVICE, class: *const GUID, reference: PCUNICODE_STRING, enabled: BOOLEAN) {
    let device = object::get::<Device>(device);
    let reference = units_of(reference.cast_mut());
    let Some(at) = device.interfaces.find(bytes_of(class), &reference) else {
        return;
    };
    device.interfaces.0.borrow_mut()[at].wanted = enabled != 0;
    if device.pnp.is_started() {
        let _ = device.interfaces.set(at, enabled != 0);
    }
}

crate::wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// Registers an interface; the framework enables it when the device is started and disables it when the device is removed.
    #[irql(PASSIVE_LEVEL)]
    fn WdfDeviceCreateDeviceInterface(device: WDFDEVICE, class: *const GUID, reference: PCUNICODE_STRING) -> NTSTATUS {
        let device = object::get::<Device>(device);
        register(&device, class, reference)
    }

    /// Enables or disables an interface.
    #[irql(PASSIVE_LEVEL)]
    fn WdfDeviceSetDeviceInterfaceState(device: WDFDEVICE, class: *const GUID, reference: PCUNICODE_STRING, enabled: BOOLEAN) {
        set_state(device, class, reference, enabled);
    }

    /// As WdfDeviceSetDeviceInterfaceState; before the device is started it says what happens then.
    #[irql(PASSIVE_LEVEL)]
    fn WdfDeviceSetDeviceInterfaceStateEx(device: WDFDEVICE, class: *const GUID, reference: PCUNICODE_STRING, enabled: BOOLEAN) {
        set_state(device, class, reference, enabled);
    }
}
