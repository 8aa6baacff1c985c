//! The EvtDeviceSelfManagedIo* callbacks: Init at the first D0, then Suspend and Restart in turns, Flush when the device goes for good, Cleanup at its removal.

use super::machine::SelfManaged;
use crate::kmdf::call;
use crate::kmdf::device::Device;
use crate::kmdf::object::Ref;
use wdk_sys::*;

/// One of the callbacks that return a status.
type Callback = Option<unsafe extern "win64" fn(WDFDEVICE) -> NTSTATUS>;

/// Calls one, if the driver has it.
fn run(device: &Ref<Device>, name: &'static str, callback: Callback) -> bool {
    let Some(callback) = callback else { return true };
    let handle = device.raw();
    // SAFETY: the driver's callback, with a live handle.
    NT_SUCCESS(call::status(name, || unsafe { callback(handle) }, String::new))
}

/// The device is in D0. Says whether the driver is content.
pub(super) fn init_or_restart(device: &Ref<Device>) -> bool {
    let pnp = &device.settings.pnp;
    let content = match device.pnp.self_managed.get() {
        SelfManaged::Created => run(device, "EvtDeviceSelfManagedIoInit", pnp.EvtDeviceSelfManagedIoInit),
        _ => run(
            device,
            "EvtDeviceSelfManagedIoRestart",
            pnp.EvtDeviceSelfManagedIoRestart,
        ),
    };
    device.pnp.self_managed.set(if content {
        SelfManaged::Running
    } else {
        SelfManaged::Failed
    });
    content
}

/// The device is about to leave D0.
pub(super) fn suspend(device: &Ref<Device>) {
    if device.pnp.self_managed.get() == SelfManaged::Running {
        run(
            device,
            "EvtDeviceSelfManagedIoSuspend",
            device.settings.pnp.EvtDeviceSelfManagedIoSuspend,
        );
        device.pnp.self_managed.set(SelfManaged::Suspended);
    }
}

/// The device is going for good, and its queues are purged.
pub(super) fn flush(device: &Ref<Device>) {
    if !matches!(
        device.pnp.self_managed.get(),
        SelfManaged::Suspended | SelfManaged::Failed | SelfManaged::Running
    ) {
        return;
    }
    device.pnp.self_managed.set(SelfManaged::Flushed);
    if let Some(flush) = device.settings.pnp.EvtDeviceSelfManagedIoFlush {
        let handle = device.raw();
        // SAFETY: the driver's callback, with a live handle.
        call::void("EvtDeviceSelfManagedIoFlush", || unsafe { flush(handle) }, String::new);
    }
}

/// The device is being removed.
pub(super) fn clean_up(device: &Ref<Device>) {
    if device.pnp.self_managed.get() != SelfManaged::Flushed {
        return;
    }
    device.pnp.self_managed.set(SelfManaged::CleanedUp);
    if let Some(clean_up) = device.settings.pnp.EvtDeviceSelfManagedIoCleanup {
        let handle = device.raw();
        // SAFETY: the driver's callback, with a live handle.
        call::void(
            "EvtDeviceSelfManagedIoCleanup",
            || unsafe { clean_up(handle) },
            String::new,
        );
    }
}
