//! Device interfaces: the names by which programs find devices.

use crate::{
    machine,
    nt::rtl::text,
    pci::{self, FunctionId},
};
use std::cell::RefCell;
use wdk_sys::{
    BOOLEAN, GUID, NTSTATUS, PDEVICE_OBJECT, PUNICODE_STRING, STATUS_INVALID_DEVICE_REQUEST,
    STATUS_OBJECT_NAME_NOT_FOUND, STATUS_SUCCESS,
};

nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Registers an interface of a device; the name it can be opened by, once it is enabled.
    #[irql(PASSIVE_LEVEL)]
    fn IoRegisterDeviceInterface(
        PhysicalDeviceObject: PDEVICE_OBJECT, InterfaceClassGuid: *const GUID, ReferenceString: PUNICODE_STRING, SymbolicLinkName: PUNICODE_STRING
    ) -> NTSTATUS {
        let Some(function) = pci::of_pdo(PhysicalDeviceObject) else { return STATUS_INVALID_DEVICE_REQUEST };
        // SAFETY: the caller's identifier, valid for the call by contract.
        let class = unsafe { InterfaceClassGuid.read() };
        let reference = if ReferenceString.is_null() { String::new() } else { text::read(ReferenceString) };
        let link = register(function, PhysicalDeviceObject, class, reference);
        give_name(&link, SymbolicLinkName);
        STATUS_SUCCESS
    }

    /// Enables or disables an interface.
    #[irql(PASSIVE_LEVEL)]
    #[trace("enable={Enable}")]
    fn IoSetDeviceInterfaceState(SymbolicLinkName: PUNICODE_STRING, Enable: BOOLEAN) -> NTSTATUS {
        let link = text::read(SymbolicLinkName);
        let found = machine::with(|m| m.io.interfaces.set_enabled(&link, Enable != 0));
        if found { STATUS_SUCCESS } else { STATUS_OBJECT_NAME_NOT_FOUND }
    }
}

/// An interface of a device.
#[derive(Debug, Clone)]
struct Interface {
    class: [u8; 16],
    link: String,
    reference: String,
    pdo: usize,
    enabled: bool,
}

/// The interfaces of all devices.
#[derive(Debug, Default)]
pub(crate) struct Interfaces {
    known: RefCell<Vec<Interface>>,
}

/// An interface that can be opened.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The address of the physical device object.
    pub(crate) pdo: usize,
    /// The reference string.
    pub(crate) reference: String,
}

impl Interfaces {
    fn set_enabled(&self, link: &str, enabled: bool) -> bool {
        let mut known = self.known.borrow_mut();
        let found = known.iter_mut().find(|interface| interface.link == link);
        found.map(|interface| interface.enabled = enabled).is_some()
    }

    /// The enabled interfaces of a class, oldest first.
    pub(crate) fn enabled(&self, class: &GUID) -> Vec<Target> {
        let class = bytes(class);
        let known = self.known.borrow();
        let found = known
            .iter()
            .filter(|interface| interface.enabled && interface.class == class);
        found
            .map(|interface| Target {
                pdo: interface.pdo,
                reference: interface.reference.clone(),
            })
            .collect()
    }

    /// Forgets the interfaces of a device.
    pub(crate) fn forget(&self, pdo: PDEVICE_OBJECT) {
        self.known.borrow_mut().retain(|interface| interface.pdo != pdo.addr());
    }
}

/// A GUID as it lies in memory.
fn bytes(guid: &GUID) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&guid.Data1.to_le_bytes());
    bytes[4..6].copy_from_slice(&guid.Data2.to_le_bytes());
    bytes[6..8].copy_from_slice(&guid.Data3.to_le_bytes());
    bytes[8..].copy_from_slice(&guid.Data4);
    bytes
}

/// A GUID as it is written, with braces.
pub(crate) fn guid_text(guid: &GUID) -> String {
    let [a, b, rest @ ..] = guid.Data4;
    let rest: String = rest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "{{{:08x}-{:04x}-{:04x}-{a:02x}{b:02x}-{rest}}}",
        guid.Data1, guid.Data2, guid.Data3
    )
}

fn register(function: FunctionId, pdo: PDEVICE_OBJECT, class: GUID, reference: String) -> String {
    let identity = pci::identity(function);
    let tail = if reference.is_empty() {
        String::new()
    } else {
        format!("\\{reference}")
    };
    let link = format!(
        "\\??\\PCI#VEN_{:04X}&DEV_{:04X}#{}#{}{tail}",
        identity.vendor,
        identity.device,
        function.0,
        guid_text(&class)
    );
    machine::with(|m| {
        let mut known = m.io.interfaces.known.borrow_mut();
        if !known.iter().any(|interface| interface.link == link) {
            let class = bytes(&class);
            known.push(Interface {
                class,
                link: link.clone(),
                reference,
                pdo: pdo.addr(),
                enabled: false,
            });
        }
    });
    link
}

/// Gives a name to the caller, who frees it with RtlFreeUnicodeString.
fn give_name(name: &str, to: PUNICODE_STRING) {
    // SAFETY: the caller's result, valid for the call by contract.
    unsafe { to.write(text::allocate(name)) };
}

#[cfg(test)]
mod tests {
    use super::{bytes, guid_text};
    use wdk_sys::GUID;

    #[test]
    fn guids_are_written_the_usual_way() {
        let guid = GUID {
            Data1: 0x0123_4567,
            Data2: 0x89AB,
            Data3: 0xCDEF,
            Data4: [1, 2, 3, 4, 5, 6, 7, 8],
        };
        assert_eq!(guid_text(&guid), "{01234567-89ab-cdef-0102-030405060708}");
        assert_eq!(bytes(&guid)[..6], [0x67, 0x45, 0x23, 0x01, 0xAB, 0x89]);
    }
}
