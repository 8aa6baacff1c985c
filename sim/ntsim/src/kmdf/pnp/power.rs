//! Into D0 and out of it.

use super::self_managed;
use crate::kmdf::device::Device;
use crate::kmdf::object::Ref;
use crate::kmdf::{call, dma, interrupt, queue};
use wdk_sys::*;

/// How far a failed way into D0 had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fell {
    /// EvtDeviceD0Entry failed: EvtDeviceD0Exit was not called.
    BeforeD0,
    /// Later: everything up to EvtDeviceD0Exit was undone.
    Later,
}

/// Where the device goes on failure, and from a stop or removal.
const FINAL: WDF_POWER_DEVICE_STATE = _WDF_POWER_DEVICE_STATE::WdfPowerDeviceD3Final;

/// Brings the device into D0.
pub(super) fn up(device: &Ref<Device>, previous: WDF_POWER_DEVICE_STATE) -> Result<(), Fell> {
    let pnp = &device.settings.pnp;
    let handle = device.raw();
    if let Some(entry) = pnp.EvtDeviceD0Entry {
        // SAFETY: the driver's callback, with a live handle.
        let status = call::status(
            "EvtDeviceD0Entry",
            || unsafe { entry(handle, previous) },
            || format!("previous={previous}"),
        );
        if !NT_SUCCESS(status) {
            return Err(Fell::BeforeD0);
        }
    }
    if !interrupt::connect_all(device) {
        return Err(leave(device));
    }
    if let Some(entry) = pnp.EvtDeviceD0EntryPostInterruptsEnabled {
        let name = "EvtDeviceD0EntryPostInterruptsEnabled";
        // SAFETY: the driver's callback, with a live handle.
        let status = call::status(
            name,
            || unsafe { entry(handle, previous) },
            || format!("previous={previous}"),
        );
        if !NT_SUCCESS(status) {
            interrupt::disconnect_all(device);
            return Err(leave(device));
        }
    }
    if !NT_SUCCESS(dma::power_up(device)) {
        let _ = dma::power_down(device);
        interrupt::disconnect_all(device);
        return Err(leave(device));
    }
    device.pnp.entered_d0();
    queue::power_start(device);
    if !self_managed::init_or_restart(device) {
        down(device, FINAL);
        return Err(Fell::Later);
    }
    tell_power_manager(device, _DEVICE_POWER_STATE::PowerDeviceD0);
    Ok(())
}

/// Takes the device out of D0. Waits for the requests of power-managed queues. A failure of a callback on this way does not stop it.
pub(super) fn down(device: &Ref<Device>, target: WDF_POWER_DEVICE_STATE) {
    if !device.pnp.in_d0.get() {
        return;
    }
    self_managed::suspend(device);
    queue::power_stop(device);
    device.pnp.left_d0();
    let _ = dma::power_down(device);
    if let Some(exit) = device.settings.pnp.EvtDeviceD0ExitPreInterruptsDisabled {
        let handle = device.raw();
        let name = "EvtDeviceD0ExitPreInterruptsDisabled";
        // SAFETY: the driver's callback, with a live handle.
        let _ = call::status(name, || unsafe { exit(handle, target) }, || format!("target={target}"));
    }
    interrupt::disconnect_all(device);
    exit_d0(device, target);
}

/// Undoes what a failed way into D0 did last.
fn leave(device: &Ref<Device>) -> Fell {
    exit_d0(device, FINAL);
    Fell::Later
}

fn exit_d0(device: &Ref<Device>, target: WDF_POWER_DEVICE_STATE) {
    if let Some(exit) = device.settings.pnp.EvtDeviceD0Exit {
        let handle = device.raw();
        // SAFETY: the driver's callback, with a live handle.
        let _ = call::status(
            "EvtDeviceD0Exit",
            || unsafe { exit(handle, target) },
            || format!("target={target}"),
        );
    }
    tell_power_manager(device, _DEVICE_POWER_STATE::PowerDeviceD3);
}

/// Tells the power manager the device's state.
pub(super) fn tell_power_manager(device: &Ref<Device>, state: DEVICE_POWER_STATE) {
    let state = POWER_STATE { DeviceState: state };
    // SAFETY: the framework's own device object.
    let _ = unsafe { ntddk::PoSetPowerState(device.fdo(), _POWER_STATE_TYPE::DevicePowerState, state) };
}
