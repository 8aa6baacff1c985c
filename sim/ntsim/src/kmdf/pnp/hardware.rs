//! EvtDevicePrepareHardware and EvtDeviceReleaseHardware, with the resource lists and the interrupts' resources around them.

use crate::kmdf::cmres::{self, CmResList};
use crate::kmdf::device::Device;
use crate::kmdf::object::Ref;
use crate::kmdf::{call, interrupt, irp, verifier};
use crate::verifier::kmdf::CALLBACK_NOT_SUPPORTED;
use wdk_sys::*;

/// Makes the resource lists of a START, gives each interrupt its resources, and calls the driver.
pub(super) fn prepare(device: &Ref<Device>, irp: PIRP) -> Result<(), NTSTATUS> {
    let location = irp::location(irp);
    // SAFETY: the parameters of IRP_MN_START_DEVICE.
    let resources = unsafe { location.Parameters.StartDevice };
    let raw = cmres::create(device, resources.AllocatedResources)?;
    let translated =
        cmres::create(device, resources.AllocatedResourcesTranslated).inspect_err(|_| raw.object().delete())?;
    interrupt::assign(device, &raw, &translated);
    device.set_resources(Some((raw.clone(), translated.clone())));
    device.pnp.hardware.set(true);
    let status = call_prepare(device, &raw, &translated);
    if NT_SUCCESS(status) {
        return Ok(());
    }
    if status == STATUS_NOT_SUPPORTED {
        verifier::debug_break(
            CALLBACK_NOT_SUPPORTED,
            "EvtDevicePrepareHardware returned STATUS_NOT_SUPPORTED",
        );
    }
    Err(status)
}

fn call_prepare(device: &Ref<Device>, raw: &Ref<CmResList>, translated: &Ref<CmResList>) -> NTSTATUS {
    let Some(prepare) = device.settings.pnp.EvtDevicePrepareHardware else {
        return STATUS_SUCCESS;
    };
    device.pnp.preparing.set(true);
    let (handle, raw, list) = (device.raw(), raw.raw(), translated.raw());
    // SAFETY: the driver's callback, with live handles.
    let status = call::status(
        "EvtDevicePrepareHardware",
        || unsafe { prepare(handle, raw, list) },
        || format!("resources={}", translated.count()),
    );
    device.pnp.preparing.set(false);
    status
}

/// Calls the driver, if EvtDevicePrepareHardware was called, and takes the resources back.
pub(super) fn release(device: &Ref<Device>) {
    if !device.pnp.hardware.replace(false) {
        return;
    }
    let Some((raw, translated)) = device.set_resources(None) else {
        return;
    };
    if let Some(release) = device.settings.pnp.EvtDeviceReleaseHardware {
        let (handle, list) = (device.raw(), translated.raw());
        // SAFETY: the driver's callback, with live handles.
        let status = call::status(
            "EvtDeviceReleaseHardware",
            || unsafe { release(handle, list) },
            String::new,
        );
        if status == STATUS_NOT_SUPPORTED {
            verifier::debug_break(
                CALLBACK_NOT_SUPPORTED,
                "EvtDeviceReleaseHardware returned STATUS_NOT_SUPPORTED",
            );
        }
    }
    interrupt::resources_gone(device);
    for list in [raw, translated] {
        list.object().delete();
    }
}
