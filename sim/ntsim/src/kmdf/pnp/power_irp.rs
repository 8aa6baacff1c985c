//! Power IRPs. System power IRPs become device power IRPs (the policy of the power policy owner: D0 while the system works, else D3); device power IRPs
//! move the device. The movement may wait, so it happens in a work item; the IRP is pending meanwhile.

use super::{failure, power};
use crate::kmdf::device::Device;
use crate::kmdf::irp;
use crate::kmdf::object::{self, Ref};
use crate::kmdf::system_workitem::SystemWorkItem;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use wdk_sys::*;

/// Where the device goes when the system sleeps.
const SLEEP: WDF_POWER_DEVICE_STATE = _WDF_POWER_DEVICE_STATE::WdfPowerDeviceD3;

/// What the work item has to do.
enum Job {
    /// The power manager is to send a D0 IRP.
    RequestD0,
    /// A D0 IRP came back from the drivers below.
    Up(PIRP),
    /// A Dx IRP arrived.
    Down(PIRP),
}

/// The work item of a device, and what it has to do.
#[derive(Default)]
pub(super) struct Jobs {
    waiting: RefCell<VecDeque<Job>>,
    item: OnceCell<Rc<SystemWorkItem>>,
    /// The system power IRP that waits for the device to be in Dx.
    sleeping: Cell<PIRP>,
}

impl Jobs {
    /// Frees the work item, when nothing comes any more.
    pub(super) fn close(&self) {
        if let Some(item) = self.item.get() {
            item.close();
        }
    }
}

/// Handles IRP_MJ_POWER.
pub(crate) fn dispatch_power(device: &Ref<Device>, irp: PIRP) -> NTSTATUS {
    let location = irp::location(irp);
    if u32::from(location.MinorFunction) != IRP_MN_SET_POWER || !device.pnp.is_started() {
        return irp::skip(device.attached(), irp);
    }
    // SAFETY: the parameters of IRP_MN_SET_POWER.
    let parameters = unsafe { location.Parameters.Power };
    if parameters.Type == _POWER_STATE_TYPE::SystemPowerState {
        // SAFETY: a system power IRP has a system power state.
        let state = unsafe { parameters.State.SystemState };
        system(device, irp, state)
    } else {
        // SAFETY: a device power IRP has a device power state.
        let state = unsafe { parameters.State.DeviceState };
        to_device_state(device, irp, state)
    }
}

/// The system changes its state.
fn system(device: &Ref<Device>, irp: PIRP, state: SYSTEM_POWER_STATE) -> NTSTATUS {
    // SAFETY: the framework's own device object.
    let _ = unsafe {
        ntddk::PoSetPowerState(
            device.fdo(),
            _POWER_STATE_TYPE::SystemPowerState,
            POWER_STATE { SystemState: state },
        )
    };
    irp::set_status(irp, STATUS_SUCCESS);
    if !device.settings.owns_power_policy() {
        return irp::skip(device.attached(), irp);
    }
    if state == _SYSTEM_POWER_STATE::PowerSystemWorking {
        let asleep = !device.pnp.in_d0.get();
        let status = irp::skip(device.attached(), irp);
        if asleep {
            post(device, Job::RequestD0);
        }
        return status;
    }
    irp::mark_pending(irp);
    irp::copy_to_next(irp);
    irp::on_completion(irp, Some(FxSystemPowerCompletion), device.raw().cast());
    // SAFETY: the next location is set up.
    let _ = unsafe { ntddk::IofCallDriver(device.attached(), irp) };
    STATUS_PENDING
}

/// A device power IRP arrived.
fn to_device_state(device: &Ref<Device>, irp: PIRP, state: DEVICE_POWER_STATE) -> NTSTATUS {
    irp::set_status(irp, STATUS_SUCCESS);
    irp::mark_pending(irp);
    if state == _DEVICE_POWER_STATE::PowerDeviceD0 {
        irp::copy_to_next(irp);
        irp::on_completion(irp, Some(FxDeviceUpCompletion), device.raw().cast());
        // SAFETY: the next location is set up.
        let _ = unsafe { ntddk::IofCallDriver(device.attached(), irp) };
    } else {
        post(device, Job::Down(irp));
    }
    STATUS_PENDING
}

crate::framework_callbacks! {
    /// A system sleep IRP came back from the drivers below: the device goes to sleep now, and the IRP waits for that.
    fn FxSystemPowerCompletion(_device: PDEVICE_OBJECT, irp: PIRP, context: PVOID) -> NTSTATUS {
        let device = object::get::<Device>(context.cast());
        device.pnp.jobs.sleeping.set(irp);
        let status = request(&device, _DEVICE_POWER_STATE::PowerDeviceD3, Some(FxDevicePowerDone));
        if NT_SUCCESS(status) {
            return STATUS_MORE_PROCESSING_REQUIRED;
        }
        device.pnp.jobs.sleeping.set(core::ptr::null_mut());
        STATUS_SUCCESS
    }

    /// The device IRP of a system sleep IRP is complete.
    fn FxDevicePowerDone(_device: PDEVICE_OBJECT, _minor: UCHAR, _state: POWER_STATE, context: PVOID, _result: PIO_STATUS_BLOCK) {
        let Some(device) = object::find::<Device>(context.cast()) else { return };
        let irp = device.pnp.jobs.sleeping.replace(core::ptr::null_mut());
        if !irp.is_null() {
            irp::complete_with(irp, STATUS_SUCCESS);
        }
    }

    /// A D0 IRP came back from the drivers below: the bus has powered the device.
    fn FxDeviceUpCompletion(_device: PDEVICE_OBJECT, irp: PIRP, context: PVOID) -> NTSTATUS {
        let device = object::get::<Device>(context.cast());
        post(&device, Job::Up(irp));
        STATUS_MORE_PROCESSING_REQUIRED
    }
}

/// Asks the power manager for a device power IRP.
fn request(device: &Ref<Device>, state: DEVICE_POWER_STATE, done: PREQUEST_POWER_COMPLETE) -> NTSTATUS {
    let state = POWER_STATE { DeviceState: state };
    // SAFETY: the bus driver's device object; the context is a handle, which the routine checks.
    unsafe {
        ntddk::PoRequestPowerIrp(
            device.pdo(),
            IRP_MN_SET_POWER as UCHAR,
            state,
            done,
            device.raw().cast(),
            core::ptr::null_mut(),
        )
    }
}

/// Gives the work item something to do.
fn post(device: &Ref<Device>, job: Job) {
    device.pnp.jobs.waiting.borrow_mut().push_back(job);
    let raw = device.raw();
    if device.pnp.jobs.item.get().is_none() {
        match SystemWorkItem::new(device.fdo(), move || work(raw)) {
            Some(item) => {
                let _ = device.pnp.jobs.item.set(item);
            }
            // Without a work item the change happens here and now, which is right at PASSIVE_LEVEL and a reported wait above it.
            None => return work(raw),
        }
    }
    if let Some(item) = device.pnp.jobs.item.get() {
        item.enqueue();
    }
}

/// The work item.
fn work(raw: WDFDEVICE) {
    let Some(device) = object::find::<Device>(raw) else {
        return;
    };
    loop {
        let job = device.pnp.jobs.waiting.borrow_mut().pop_front();
        match job {
            None => break,
            Some(Job::RequestD0) => {
                let _ = request(&device, _DEVICE_POWER_STATE::PowerDeviceD0, None);
            }
            Some(Job::Up(irp)) => resume(&device, irp),
            Some(Job::Down(irp)) => device.pnp.transition.run(|| {
                power::down(&device, SLEEP);
                let _ = irp::forward(device.attached(), irp);
            }),
        }
    }
}

fn resume(device: &Ref<Device>, irp: PIRP) {
    let up = device.pnp.transition.run(|| {
        let asleep = device.pnp.is_started() && !device.pnp.in_d0.get();
        let up = if asleep { power::up(device, SLEEP) } else { Ok(()) };
        irp::complete_with(irp, STATUS_SUCCESS);
        up
    });
    if let Err(fell) = up {
        device.pnp.events.run(|| failure::of_resume(device, fell));
    }
}
