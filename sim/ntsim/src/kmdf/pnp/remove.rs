//! STOP, SURPRISE_REMOVAL and REMOVE.

use super::machine::Phase;
use super::start::FINAL;
use super::{hardware, pass_down, power, self_managed};
use crate::kmdf::device::Device;
use crate::kmdf::object::Ref;
use crate::kmdf::{self, call, driver, irp, queue};
use wdk_sys::*;

/// Handles IRP_MN_STOP_DEVICE: resources are about to change.
pub(super) fn stop(device: &Ref<Device>, irp: PIRP) -> NTSTATUS {
    irp::mark_pending(irp);
    device.pnp.events.run(|| {
        if device.pnp.is_started() {
            power_off(device, Phase::Stopped);
            hardware::release(device);
        }
    });
    pass_down(device, irp)
}

/// Handles IRP_MN_SURPRISE_REMOVAL: the hardware is gone. EvtDeviceSurpriseRemoval is not serialized with the power callbacks.
pub(super) fn surprise(device: &Ref<Device>, irp: PIRP) -> NTSTATUS {
    irp::mark_pending(irp);
    device.pnp.events.run(|| {
        if let Some(surprise) = device.settings.pnp.EvtDeviceSurpriseRemoval {
            let handle = device.raw();
            // SAFETY: the driver's callback, with a live handle.
            call::void("EvtDeviceSurpriseRemoval", || unsafe { surprise(handle) }, String::new);
        }
        bring_down(device, Phase::SurpriseRemoved);
    });
    pass_down(device, irp)
}

/// Handles IRP_MN_REMOVE_DEVICE. The IRP goes down when all objects of the device are cleaned up; the device itself ends last.
pub(super) fn remove(device: &Ref<Device>, irp: PIRP) -> NTSTATUS {
    let lower = device.attached();
    device.pnp.events.run(|| {
        bring_down(device, Phase::Removed);
        dismantle(device);
    });
    irp::set_status(irp, STATUS_SUCCESS);
    let status = irp::skip(lower, irp);
    delete(device);
    status
}

/// Takes the device out of D0. The new state is entered with the power change: a D0 IRP that comes behind it finds nothing to do.
fn power_off(device: &Ref<Device>, phase: Phase) {
    device.pnp.transition.run(|| {
        power::down(device, FINAL);
        device.pnp.phase.set(phase);
    });
}

/// Takes a device down for good, if it runs or is stopped.
fn bring_down(device: &Ref<Device>, phase: Phase) {
    let live = matches!(device.pnp.phase.get(), Phase::Started | Phase::Stopped);
    power_off(device, phase);
    if live {
        hardware::release(device);
        clean_up(device);
    }
}

/// A device whose EvtDriverDeviceAdd failed after WdfDeviceCreate.
pub(crate) fn delete_unstarted(device: &Ref<Device>) {
    device.pnp.phase.set(Phase::Removed);
    dismantle(device);
    delete(device);
}

/// The device goes for good, orderly or not: interfaces off, power-managed queues purged, EvtDeviceSelfManagedIoFlush.
pub(super) fn clean_up(device: &Ref<Device>) {
    device.interfaces.disable_all();
    queue::purge_managed(device);
    self_managed::flush(device);
}

/// Disposes everything that belongs to the device, and the device, which lives on as a shell.
fn dismantle(device: &Ref<Device>) {
    queue::purge_non_managed(device);
    self_managed::clean_up(device);
    device.object().early_dispose();
    device.object().destroy_children();
    driver::flush_disposal();
    device.pnp.jobs.close();
}

/// Takes the device object out of the stack and ends the device.
fn delete(device: &Ref<Device>) {
    let fdo = device.fdo();
    // SAFETY: attached by WdfDeviceCreate.
    unsafe { ntddk::IoDetachDevice(device.attached()) };
    device.detached();
    kmdf::state(|s| s.devices.borrow_mut().remove(&fdo.addr()));
    // SAFETY: created by WdfDeviceCreate; no IRP comes any more.
    unsafe { ntddk::IoDeleteDevice(fdo) };
    device.object().delete();
}
