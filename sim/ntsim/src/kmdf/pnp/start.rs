//! START: the first one, and the one after a STOP.

use super::machine::Phase;
use super::{failure, finish, hardware, power};
use crate::kmdf::device::Device;
use crate::kmdf::irp;
use crate::kmdf::object::Ref;
use wdk_sys::*;

/// The state before D0 of a device that starts.
pub(super) const FINAL: WDF_POWER_DEVICE_STATE = _WDF_POWER_DEVICE_STATE::WdfPowerDeviceD3Final;

/// `GUID_REENUMERATE_SELF_INTERFACE_STANDARD`: by which a driver asks the bus to enumerate its device again.
static REENUMERATE_SELF: GUID = GUID {
    Data1: 0x2AEB_0243,
    Data2: 0x6A6E,
    Data3: 0x486B,
    Data4: [0x82, 0xFC, 0xD8, 0x15, 0xF6, 0xB9, 0x70, 0x06],
};

/// Handles IRP_MN_START_DEVICE.
pub(super) fn start(device: &Ref<Device>, irp: PIRP) -> NTSTATUS {
    irp::mark_pending(irp);
    device.pnp.events.run(|| {
        let status = irp::wait_for_lower(device.attached(), irp);
        if !NT_SUCCESS(status) {
            return finish(irp, status);
        }
        if matches!(
            device.pnp.phase.get(),
            Phase::Failed | Phase::SurpriseRemoved | Phase::Removed
        ) {
            return finish(irp, STATUS_INVALID_DEVICE_STATE);
        }
        match bring_up(device, irp) {
            Ok(()) => finish(irp, STATUS_SUCCESS),
            Err(status) => {
                failure::of_start(device, irp, status);
                STATUS_PENDING
            }
        }
    })
}

/// From the resources to the enabled interfaces.
fn bring_up(device: &Ref<Device>, irp: PIRP) -> Result<(), NTSTATUS> {
    let first = !device.pnp.started_once.replace(true);
    if first {
        query_reenumeration(device);
    }
    hardware::prepare(device, irp)?;
    if first && device.settings.owns_power_policy() {
        query_capabilities(device)?;
    }
    device
        .pnp
        .transition
        .run(|| power::up(device, FINAL))
        .map_err(|_| STATUS_DEVICE_POWER_FAILURE)?;
    let status = device.interfaces.enable_all();
    if !NT_SUCCESS(status) {
        device.pnp.transition.run(|| power::down(device, FINAL));
        return Err(status);
    }
    device.pnp.phase.set(Phase::Started);
    Ok(())
}

fn query_reenumeration(device: &Ref<Device>) {
    // The interface proper has one more pointer than INTERFACE.
    let mut buffer = [INTERFACE::default(); 2];
    let size = (size_of::<INTERFACE>() + size_of::<usize>()) as USHORT;
    let status = irp::query_interface(
        device.attached(),
        &raw const REENUMERATE_SELF,
        buffer.as_mut_ptr(),
        size,
        1,
        core::ptr::null_mut(),
    );
    if !NT_SUCCESS(status) {
        return;
    }
    if let Some(dereference) = buffer[0].InterfaceDereference {
        // SAFETY: the bus driver gave the interface with a reference, which is dropped with the context it gave.
        unsafe { dereference(buffer[0].Context) };
    }
}

/// The power policy owner asks which power states the device has.
fn query_capabilities(device: &Ref<Device>) -> Result<(), NTSTATUS> {
    let mut capabilities = DEVICE_CAPABILITIES {
        Size: size_of::<DEVICE_CAPABILITIES>() as USHORT,
        Version: 1,
        Address: ULONG::MAX,
        UINumber: ULONG::MAX,
        ..DEVICE_CAPABILITIES::default()
    };
    let mut location = irp::pnp_location(IRP_MN_QUERY_CAPABILITIES);
    location.Parameters.DeviceCapabilities.Capabilities = &raw mut capabilities;
    let status = irp::query(device.attached(), location);
    if NT_SUCCESS(status) { Ok(()) } else { Err(status) }
}
