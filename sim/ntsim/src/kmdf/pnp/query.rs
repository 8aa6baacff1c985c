//! The PnP queries: may the device stop or go, what can it do, how is it.

use super::{finish, pass_down};
use crate::kmdf::device::{DEVICE_FAILED, Device};
use crate::kmdf::object::Ref;
use crate::kmdf::{call, irp, verifier};
use crate::verifier::kmdf::CALLBACK_NOT_SUPPORTED;
use wdk_sys::*;

/// A callback that may say no.
type Veto = Option<unsafe extern "win64" fn(WDFDEVICE) -> NTSTATUS>;

/// Handles IRP_MN_QUERY_STOP_DEVICE.
pub(super) fn query_stop(device: &Ref<Device>, irp: PIRP) -> NTSTATUS {
    ask(
        device,
        irp,
        "EvtDeviceQueryStop",
        device.settings.pnp.EvtDeviceQueryStop,
    )
}

/// Handles IRP_MN_QUERY_REMOVE_DEVICE.
pub(super) fn query_remove(device: &Ref<Device>, irp: PIRP) -> NTSTATUS {
    ask(
        device,
        irp,
        "EvtDeviceQueryRemove",
        device.settings.pnp.EvtDeviceQueryRemove,
    )
}

/// Asks the driver. Not serialized with the power callbacks.
fn ask(device: &Ref<Device>, irp: PIRP, name: &'static str, veto: Veto) -> NTSTATUS {
    irp::mark_pending(irp);
    device.pnp.events.run(|| answer(device, irp, name, veto))
}

fn answer(device: &Ref<Device>, irp: PIRP, name: &'static str, veto: Veto) -> NTSTATUS {
    if !device.pnp.is_started() {
        return pass_down(device, irp);
    }
    if device.stop_count.get() > 0 {
        return finish(irp, STATUS_INVALID_DEVICE_STATE);
    }
    let status = match veto {
        // SAFETY: the driver's callback, with a live handle.
        Some(veto) => call::status(name, || unsafe { veto(device.raw()) }, String::new),
        None => STATUS_SUCCESS,
    };
    if NT_SUCCESS(status) {
        return pass_down(device, irp);
    }
    if status == STATUS_NOT_SUPPORTED {
        verifier::debug_break(CALLBACK_NOT_SUPPORTED, format!("{name} returned STATUS_NOT_SUPPORTED"));
    }
    finish(irp, status)
}

/// Handles IRP_MN_CANCEL_STOP_DEVICE and IRP_MN_CANCEL_REMOVE_DEVICE: the drivers below first.
pub(super) fn cancel(device: &Ref<Device>, irp: PIRP) -> NTSTATUS {
    irp::mark_pending(irp);
    irp::set_status(irp, STATUS_SUCCESS);
    let status = irp::wait_for_lower(device.attached(), irp);
    finish(irp, status)
}

/// Handles IRP_MN_QUERY_CAPABILITIES: the bus driver's answer, changed as the driver chose.
pub(super) fn capabilities(device: &Ref<Device>, irp: PIRP) -> NTSTATUS {
    let status = irp::wait_for_lower(device.attached(), irp);
    if NT_SUCCESS(status) {
        // SAFETY: the parameters of IRP_MN_QUERY_CAPABILITIES.
        let capabilities = unsafe { irp::location(irp).Parameters.DeviceCapabilities.Capabilities };
        // SAFETY: the sender's structure, which only the holder of the IRP accesses.
        device.capabilities.borrow().apply(unsafe { &mut *capabilities });
    }
    irp::complete_with(irp, status)
}

/// Handles IRP_MN_QUERY_PNP_DEVICE_STATE.
pub(super) fn device_state(device: &Ref<Device>, irp: PIRP) -> NTSTATUS {
    irp::set_status(irp, STATUS_SUCCESS);
    let below = irp::wait_for_lower(device.attached(), irp);
    let failed = if device.pnp.has_failed() { DEVICE_FAILED } else { 0 };
    let bits = failed | device.capabilities.borrow().state_bits();
    irp::set_information(irp, irp::information(irp) | bits);
    let status = if below == STATUS_NOT_SUPPORTED {
        STATUS_SUCCESS
    } else {
        below
    };
    irp::complete_with(irp, status)
}
