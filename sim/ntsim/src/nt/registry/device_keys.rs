//! Keys that belong to a driver or a device.

use super::{
    SERVICES,
    functions::{open, publish},
};
use crate::{machine, nt::rtl, pci};
use wdk_sys::*;

/// `DriverRegKeyParameters`, a value that the bindings do not hold.
const DRIVER_REG_KEY_PARAMETERS: core::ffi::c_int = 0;
/// The part of a driver's key that drivers use.
const PARAMETERS: &str = "Parameters";

/// The key of a device, below which `Device Parameters` is, and its software key.
fn device_key(pdo: PDEVICE_OBJECT, kind: ULONG) -> Result<String, NTSTATUS> {
    let function = pci::of_pdo(pdo).ok_or(STATUS_INVALID_DEVICE_REQUEST)?;
    let identity = pci::identity(function);
    let instance = format!("VEN_{:04X}&DEV_{:04X}\\{function:?}", identity.vendor, identity.device);
    let control = r"\Registry\Machine\System\CurrentControlSet";
    match kind {
        PLUGPLAY_REGKEY_DEVICE => Ok(format!(r"{control}\Enum\PCI\{instance}\Device Parameters")),
        PLUGPLAY_REGKEY_DRIVER => Ok(format!(r"{control}\Control\Class\{instance}")),
        _ => Err(STATUS_INVALID_PARAMETER),
    }
}

crate::nt_exports! {
    pub(crate) const EXPORTS = "ntoskrnl.exe";

    /// Opens a key of a device, and makes it where it is missing.
    #[irql(PASSIVE_LEVEL)]
    fn IoOpenDeviceRegistryKey(device: PDEVICE_OBJECT, kind: ULONG, access: ACCESS_MASK, handle: PHANDLE) -> NTSTATUS {
        let opened = device_key(device, kind).and_then(|path| {
            machine::with(|m| m.registry.create(&path));
            open(path, access)
        });
        publish(handle, opened)
    }

    /// Opens the parameters key of a driver.
    #[irql(PASSIVE_LEVEL)]
    fn IoOpenDriverRegistryKey(driver: PDRIVER_OBJECT, kind: core::ffi::c_int, access: ACCESS_MASK, _flags: ULONG, handle: PHANDLE) -> NTSTATUS {
        if kind != DRIVER_REG_KEY_PARAMETERS {
            return STATUS_INVALID_PARAMETER;
        }
        // SAFETY: a live driver object.
        let name = rtl::text::read(unsafe { &raw const (*driver).DriverName });
        let service = name.rsplit('\\').next().unwrap_or_default().to_owned();
        let path = format!(r"{SERVICES}\{service}\{PARAMETERS}");
        machine::with(|m| m.registry.create(&path));
        publish(handle, open(path, access))
    }
}
