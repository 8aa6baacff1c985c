//! The dispatch routine of every framework device: who handles which IRP.

use super::Device;
use crate::kmdf::object::Ref;
use crate::kmdf::{self, file, irp, pnp, queue};
use wdk_sys::*;

crate::framework_callbacks! {
    /// An IRP for one of the driver's devices.
    fn FxDispatch(device: PDEVICE_OBJECT, irp: PIRP) -> NTSTATUS {
        let found = kmdf::state(|s| s.devices.borrow().get(&device.addr()).cloned());
        match found {
            Some(device) => dispatch(&device, irp),
            None => irp::complete_with(irp, STATUS_INVALID_DEVICE_REQUEST),
        }
    }
}

fn dispatch(device: &Ref<Device>, irp: PIRP) -> NTSTATUS {
    match u32::from(irp::location(irp).MajorFunction) {
        IRP_MJ_PNP => pnp::dispatch(device, irp),
        IRP_MJ_POWER => pnp::dispatch_power(device, irp),
        IRP_MJ_CREATE => file::create(device, irp),
        IRP_MJ_CLEANUP => file::cleanup(device, irp),
        IRP_MJ_CLOSE => file::close(device, irp),
        IRP_MJ_READ | IRP_MJ_WRITE | IRP_MJ_DEVICE_CONTROL | IRP_MJ_INTERNAL_DEVICE_CONTROL => {
            queue::dispatch(device, irp)
        }
        IRP_MJ_SYSTEM_CONTROL => irp::skip(device.attached(), irp),
        _ if device.is_filter() => irp::skip(device.attached(), irp),
        _ => irp::complete_with(irp, STATUS_INVALID_DEVICE_REQUEST),
    }
}
