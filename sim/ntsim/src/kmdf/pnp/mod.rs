//! PnP and power of a device.
//!
//! - `machine`: where the device is; `transition`: one PnP or power change at a time;
//! - `start`, `remove`, `query`: the PnP IRPs; `failure`: what follows when a start or resume fails;
//! - `hardware`: EvtDevicePrepareHardware and EvtDeviceReleaseHardware;
//! - `power`: the sequence into and out of D0; `self_managed`: the EvtDeviceSelfManagedIo* callbacks;
//! - `power_irp`: the power IRPs.
//!
//! The order of callbacks is the one that the framework was seen to have; `data/kmdf-observed` holds the recordings.

mod failure;
mod hardware;
mod machine;
mod power;
mod power_irp;
mod query;
mod remove;
mod self_managed;
mod start;
mod transition;

pub(crate) use machine::Machine;
pub(crate) use power_irp::dispatch_power;
pub(crate) use remove::delete_unstarted;

use super::device::Device;
use super::irp;
use super::object::Ref;
use wdk_sys::*;

/// Handles IRP_MJ_PNP. PASSIVE_LEVEL.
pub(crate) fn dispatch(device: &Ref<Device>, irp: PIRP) -> NTSTATUS {
    match u32::from(irp::location(irp).MinorFunction) {
        IRP_MN_START_DEVICE => start::start(device, irp),
        IRP_MN_QUERY_STOP_DEVICE => query::query_stop(device, irp),
        IRP_MN_QUERY_REMOVE_DEVICE => query::query_remove(device, irp),
        IRP_MN_CANCEL_STOP_DEVICE | IRP_MN_CANCEL_REMOVE_DEVICE => query::cancel(device, irp),
        IRP_MN_STOP_DEVICE => remove::stop(device, irp),
        IRP_MN_SURPRISE_REMOVAL => remove::surprise(device, irp),
        IRP_MN_REMOVE_DEVICE => remove::remove(device, irp),
        IRP_MN_QUERY_CAPABILITIES => query::capabilities(device, irp),
        IRP_MN_QUERY_PNP_DEVICE_STATE => query::device_state(device, irp),
        _ => irp::skip(device.attached(), irp),
    }
}

/// Completes a PnP IRP that was marked pending.
fn finish(irp: PIRP, status: NTSTATUS) -> NTSTATUS {
    irp::set_status(irp, status);
    irp::complete(irp);
    STATUS_PENDING
}

/// Gives a PnP IRP that was marked pending, and that succeeded so far, to the drivers below.
fn pass_down(device: &Ref<Device>, irp: PIRP) -> NTSTATUS {
    irp::set_status(irp, STATUS_SUCCESS);
    let _ = irp::forward(device.attached(), irp);
    STATUS_PENDING
}
