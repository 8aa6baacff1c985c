//! What follows when a device cannot start, resume or stay in D0: it is torn down, and the PnP manager is asked to remove it.

use super::machine::Phase;
use super::power::Fell;
use super::{hardware, power, remove};
use crate::kmdf::device::Device;
use crate::kmdf::irp;
use crate::kmdf::object::Ref;
use wdk_sys::*;

/// A START failed: the IRP is completed with `status`.
pub(super) fn of_start(device: &Ref<Device>, irp: PIRP, status: NTSTATUS) {
    mark(device);
    tear_down(device);
    irp::complete_with(irp, status);
    invalidate(device);
}

/// A resume failed; its IRP is complete. Nothing is left to do when a removal came first.
pub(super) fn of_resume(device: &Ref<Device>, fell: Fell) {
    if !device.pnp.is_started() {
        return;
    }
    mark(device);
    if fell == Fell::BeforeD0 {
        power::tell_power_manager(device, _DEVICE_POWER_STATE::PowerDeviceD3);
    }
    tear_down(device);
    invalidate(device);
}

/// The framework itself found the failure: the PnP manager is to ask for the state.
fn mark(device: &Ref<Device>) {
    device.pnp.phase.set(Phase::Failed);
    device.pnp.internal_failure.set(true);
    invalidate(device);
}

fn tear_down(device: &Ref<Device>) {
    hardware::release(device);
    remove::clean_up(device);
}

fn invalidate(device: &Ref<Device>) {
    // SAFETY: the bus driver's device object.
    unsafe { ntddk::IoInvalidateDeviceState(device.pdo()) };
}
