//! What the device tells the PnP manager of itself (capabilities, state), and interfaces between drivers.

use super::Device;
use crate::kmdf::object::{self, Ref};
use crate::kmdf::{irp, verifier};
use crate::verifier::kmdf::WRONG_STRUCTURE_SIZE;
use wdk_sys::*;

/// The bits of IRP_MN_QUERY_PNP_DEVICE_STATE.
mod bits {
    pub(super) const DISABLED: u64 = 0x01;
    pub(super) const DONT_DISPLAY_IN_UI: u64 = 0x02;
    pub(super) const FAILED: u64 = 0x04;
    pub(super) const REMOVED: u64 = 0x08;
    pub(super) const RESOURCE_REQUIREMENTS_CHANGED: u64 = 0x10;
    pub(super) const NOT_DISABLEABLE: u64 = 0x20;
}

/// `PNP_DEVICE_FAILED`.
pub(crate) const DEVICE_FAILED: u64 = bits::FAILED;

/// What the driver set; `None`: as the bus driver says.
#[derive(Default)]
pub(crate) struct Capabilities {
    pnp: Option<WDF_DEVICE_PNP_CAPABILITIES>,
    power: Option<WDF_DEVICE_POWER_CAPABILITIES>,
    state: Option<WDF_DEVICE_STATE>,
}

/// Overrides a capability bit where the driver chose.
fn choose(choice: WDF_TRI_STATE, set: impl FnOnce(u32)) {
    match choice {
        _WDF_TRI_STATE::WdfTrue => set(1),
        _WDF_TRI_STATE::WdfFalse => set(0),
        _ => {}
    }
}

impl Capabilities {
    /// Changes what the bus driver said.
    pub(crate) fn apply(&self, to: &mut DEVICE_CAPABILITIES) {
        if let Some(pnp) = &self.pnp {
            choose(pnp.LockSupported, |v| to.set_LockSupported(v));
            choose(pnp.EjectSupported, |v| to.set_EjectSupported(v));
            choose(pnp.Removable, |v| to.set_Removable(v));
            choose(pnp.DockDevice, |v| to.set_DockDevice(v));
            choose(pnp.UniqueID, |v| to.set_UniqueID(v));
            choose(pnp.SilentInstall, |v| to.set_SilentInstall(v));
            choose(pnp.SurpriseRemovalOK, |v| to.set_SurpriseRemovalOK(v));
            choose(pnp.HardwareDisabled, |v| to.set_HardwareDisabled(v));
            choose(pnp.NoDisplayInUI, |v| to.set_NoDisplayInUI(v));
        }
        if let Some(power) = &self.power {
            choose(power.DeviceD1, |v| to.set_DeviceD1(v));
            choose(power.DeviceD2, |v| to.set_DeviceD2(v));
            choose(power.WakeFromD0, |v| to.set_WakeFromD0(v));
            choose(power.WakeFromD3, |v| to.set_WakeFromD3(v));
        }
    }

    /// The `PNP_DEVICE_*` bits that the driver set.
    pub(crate) fn state_bits(&self) -> u64 {
        let Some(state) = &self.state else { return 0 };
        let choices = [
            (state.Disabled, bits::DISABLED),
            (state.DontDisplayInUI, bits::DONT_DISPLAY_IN_UI),
            (state.Failed, bits::FAILED),
            (state.NotDisableable, bits::NOT_DISABLEABLE),
            (state.Removed, bits::REMOVED),
            (state.ResourcesChanged, bits::RESOURCE_REQUIREMENTS_CHANGED),
        ];
        choices
            .iter()
            .filter(|(choice, _)| *choice == _WDF_TRI_STATE::WdfTrue)
            .fold(0, |all, (_, bit)| all | *bit)
    }
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

/// Makes the PnP manager ask for the state again.
pub(crate) fn invalidate(device: &Ref<Device>) {
    // SAFETY: the bus driver's device object.
    unsafe { ntddk::IoInvalidateDeviceState(device.pdo()) };
}

crate::wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// PnP capabilities.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceSetPnpCapabilities(device: WDFDEVICE, capabilities: PWDF_DEVICE_PNP_CAPABILITIES) {
        let device = object::get::<Device>(device);
        if let Some(capabilities) = sized(capabilities, |c| c.Size, "WDF_DEVICE_PNP_CAPABILITIES") {
            device.capabilities.borrow_mut().pnp = Some(capabilities);
        }
    }

    /// Power capabilities.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceSetPowerCapabilities(device: WDFDEVICE, capabilities: PWDF_DEVICE_POWER_CAPABILITIES) {
        let device = object::get::<Device>(device);
        if let Some(capabilities) = sized(capabilities, |c| c.Size, "WDF_DEVICE_POWER_CAPABILITIES") {
            device.capabilities.borrow_mut().power = Some(capabilities);
        }
    }

    /// The device state that the driver set.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceGetDeviceState(device: WDFDEVICE, state: PWDF_DEVICE_STATE) {
        let device = object::get::<Device>(device);
        let Some(given) = sized(state, |s| s.Size, "WDF_DEVICE_STATE") else { return };
        let unset = WDF_DEVICE_STATE { Size: given.Size, ..WDF_DEVICE_STATE::default() };
        let now = device.capabilities.borrow().state.unwrap_or(unset);
        // SAFETY: the driver's own structure, of the right size, see above.
        unsafe { state.write(now) };
    }

    /// Sets the device state; the PnP manager asks for it then.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDeviceSetDeviceState(device: WDFDEVICE, state: PWDF_DEVICE_STATE) {
        let device = object::get::<Device>(device);
        if let Some(state) = sized(state, |s| s.Size, "WDF_DEVICE_STATE") {
            device.capabilities.borrow_mut().state = Some(state);
            invalidate(&device);
        }
    }

    /// Asks the drivers below for an interface, for example `BUS_INTERFACE_STANDARD`.
    #[irql(PASSIVE_LEVEL)]
    fn WdfFdoQueryForInterface(device: WDFDEVICE, of: LPCGUID, interface: PINTERFACE, size: USHORT, version: USHORT, data: PVOID) -> NTSTATUS {
        let device = object::get::<Device>(device);
        irp::query_interface(device.attached(), of, interface, size, version, data)
    }
}
