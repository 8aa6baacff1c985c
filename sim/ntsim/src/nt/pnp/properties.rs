//! What drivers ask the PnP manager about devices, and tell it.

use super::node_of;
use crate::{cross, pci, sched};
use wdk_sys::{
    DEVICE_REGISTRY_PROPERTY, DEVICE_RELATION_TYPE, LOGICAL, NTSTATUS, PDEVICE_OBJECT, PDRIVER_OBJECT, PULONG, PVOID,
    STATUS_BUFFER_TOO_SMALL, STATUS_INVALID_DEVICE_REQUEST, STATUS_SUCCESS, ULONG,
};

nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// A property of a device, as it is in the registry.
    #[irql(PASSIVE_LEVEL)]
    #[trace("property={DeviceProperty} length={BufferLength}")]
    fn IoGetDeviceProperty(
        DeviceObject: PDEVICE_OBJECT, DeviceProperty: DEVICE_REGISTRY_PROPERTY::Type, BufferLength: ULONG, PropertyBuffer: PVOID,
        ResultLength: PULONG
    ) -> NTSTATUS {
        let Some(value) = property(DeviceObject, DeviceProperty) else { return STATUS_INVALID_DEVICE_REQUEST };
        // SAFETY: the caller's result, valid for the call by contract.
        unsafe { ResultLength.write(value.len() as ULONG) };
        if (BufferLength as usize) < value.len() {
            return STATUS_BUFFER_TOO_SMALL;
        }
        // SAFETY: the caller's buffer, whose length was checked.
        unsafe { PropertyBuffer.cast::<u8>().copy_from_nonoverlapping(value.as_ptr(), value.len()) };
        STATUS_SUCCESS
    }

    /// Tells the PnP manager to ask for the state of a device again.
    #[irql(..= DISPATCH_LEVEL)]
    fn IoInvalidateDeviceState(PhysicalDeviceObject: PDEVICE_OBJECT) {
        if let Some(node) = node_of(PhysicalDeviceObject) && node.managed {
            sched::spawn("PnP device state", move || node.check_state());
        }
    }

    /// Tells the PnP manager to ask for the children of a device again; no device here has any.
    #[irql(..= DISPATCH_LEVEL)]
    fn IoInvalidateDeviceRelations(DeviceObject: PDEVICE_OBJECT, Type: DEVICE_RELATION_TYPE) {
        let _ = (DeviceObject, Type);
    }

    /// Registers a device for WMI; nobody asks for its data.
    #[irql(PASSIVE_LEVEL)]
    fn IoWMIRegistrationControl(DeviceObject: PDEVICE_OBJECT, Action: ULONG) -> NTSTATUS {
        let _ = (DeviceObject, Action);
        STATUS_SUCCESS
    }

    /// Whether Driver Verifier is on for a driver: the rules of this machine do not show.
    #[irql(..= APC_LEVEL)]
    fn MmIsDriverVerifying(DriverObject: PDRIVER_OBJECT) -> LOGICAL {
        let _ = DriverObject;
        0
    }
}

/// Text as the registry has it.
fn text(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

/// The value of a property of a physical device object.
fn property(pdo: PDEVICE_OBJECT, property: DEVICE_REGISTRY_PROPERTY::Type) -> Option<Vec<u8>> {
    let function = pci::of_pdo(pdo)?;
    let identity = pci::identity(function);
    let hardware = format!("PCI\\VEN_{:04X}&DEV_{:04X}", identity.vendor, identity.device);
    Some(match property {
        DEVICE_REGISTRY_PROPERTY::DevicePropertyHardwareID => [text(&hardware), vec![0, 0]].concat(),
        DEVICE_REGISTRY_PROPERTY::DevicePropertyEnumeratorName => text("PCI"),
        DEVICE_REGISTRY_PROPERTY::DevicePropertyPhysicalDeviceObjectName => {
            text(&format!("\\Device\\NTPNP_PCI{:04}", function.0))
        }
        DEVICE_REGISTRY_PROPERTY::DevicePropertyBusNumber => 0_u32.to_le_bytes().to_vec(),
        DEVICE_REGISTRY_PROPERTY::DevicePropertyAddress => (function.0 << 16).to_le_bytes().to_vec(),
        _ => cross::unimplemented("ntoskrnl.exe", "IoGetDeviceProperty for this property"),
    })
}
