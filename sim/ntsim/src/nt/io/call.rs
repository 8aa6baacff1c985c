//! Passing IRPs down a device stack and completing them up again.

use super::{
    check::{self, Frame, Left},
    irp,
};
use crate::{
    cross, machine,
    verifier::{self, io},
};
use core::cell::Cell;
use std::rc::Rc;
use wdk_sys::{
    BOOLEAN, CCHAR, IO_STACK_LOCATION, IRP_MJ_MAXIMUM_FUNCTION, NT_SUCCESS, NTSTATUS, PDEVICE_OBJECT,
    PIO_COMPLETION_ROUTINE, PIRP, PVOID, SL_INVOKE_ON_CANCEL, SL_INVOKE_ON_ERROR, SL_INVOKE_ON_SUCCESS,
    SL_PENDING_RETURNED, STATUS_MORE_PROCESSING_REQUIRED, STATUS_SUCCESS, UCHAR,
};

nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Gives an IRP to the driver of a device.
    #[irql(..= DISPATCH_LEVEL)]
    fn IofCallDriver(DeviceObject: PDEVICE_OBJECT, Irp: PIRP) -> NTSTATUS {
        send(DeviceObject, Irp)
    }

    /// As IofCallDriver; power IRPs are no different any more.
    #[irql(..= DISPATCH_LEVEL)]
    fn PoCallDriver(DeviceObject: PDEVICE_OBJECT, Irp: PIRP) -> NTSTATUS {
        send(DeviceObject, Irp)
    }

    /// Completes an IRP.
    #[irql(..= DISPATCH_LEVEL)]
    fn IofCompleteRequest(Irp: PIRP, PriorityBoost: CCHAR) {
        let _ = PriorityBoost;
        complete(Irp);
    }

    /// Sets the routine that is called when the next driver completes an IRP.
    #[irql(..= DISPATCH_LEVEL)]
    fn IoSetCompletionRoutineEx(
        DeviceObject: PDEVICE_OBJECT, Irp: PIRP, CompletionRoutine: PIO_COMPLETION_ROUTINE, Context: PVOID, InvokeOnSuccess: BOOLEAN,
        InvokeOnError: BOOLEAN, InvokeOnCancel: BOOLEAN
    ) -> NTSTATUS {
        let _ = DeviceObject;
        let flag = |wanted: BOOLEAN, flag: u32| if wanted == 0 { 0 } else { flag as UCHAR };
        let control = flag(InvokeOnSuccess, SL_INVOKE_ON_SUCCESS) | flag(InvokeOnError, SL_INVOKE_ON_ERROR) | flag(InvokeOnCancel, SL_INVOKE_ON_CANCEL);
        let next = irp::next_location(Irp);
        // SAFETY: the caller's IRP has a next location by contract; all fields are plain data.
        let location = unsafe { &mut *next };
        location.CompletionRoutine = CompletionRoutine;
        location.Context = Context;
        location.Control = control;
        STATUS_SUCCESS
    }
}

/// Gives an IRP to the driver of a device: what the routine returned.
pub(crate) fn send(device: PDEVICE_OBJECT, irp: PIRP) -> NTSTATUS {
    irp::check(irp, "IoCallDriver");
    let Some(kernel_owned) = machine::with(|m| m.io.devices.is_kernels(device)) else {
        let text = "IoCallDriver was given something that is no device object, or one that was deleted";
        verifier::fatal(io::NOT_A_DEVICE, [device.addr() as u64, irp.addr() as u64, 0], text);
    };
    let fields = irp::read(irp);
    if fields.CancelRoutine.is_some() {
        let text = "an IRP was passed down while its cancel routine was set";
        verifier::violation_with(io::PASSED_CANCELABLE, [irp.addr() as u64, 0, 0], text);
    }
    let location = fields.CurrentLocation - 1;
    if location <= 0 {
        verifier::fatal(
            io::NO_MORE_LOCATIONS,
            [irp.addr() as u64, 0, 0],
            "an IRP has no stack location for the next driver",
        );
    }
    irp::move_to(irp, location);
    let stack = irp::current_location(irp);
    // SAFETY: the current location of a live IRP.
    let place = unsafe { &raw mut (*stack).DeviceObject };
    // SAFETY: as above.
    unsafe { place.write(device) };
    // SAFETY: as above.
    let major = unsafe { (*stack).MajorFunction };
    let frame = Rc::new(Frame {
        location,
        left: Cell::new(None),
    });
    machine::with(|m| {
        m.io.irps.with(irp, |record| {
            if !record.sent {
                record.home = location + 1;
            }
            record.sent = true;
            record.frames.push(Rc::clone(&frame));
        });
    });
    if kernel_owned {
        return crate::nt::pnp::bus_dispatch(device, irp);
    }
    let name = major_name(major);
    let status = dispatch(device, irp, major, name);
    check::returned(irp, &frame, name, status);
    status
}

fn dispatch(device: PDEVICE_OBJECT, irp: PIRP, major: UCHAR, name: &'static str) -> NTSTATUS {
    // SAFETY: a live device object, whose driver object lives as long.
    let driver = unsafe { (*device).DriverObject };
    let index = usize::from(major).min(IRP_MJ_MAXIMUM_FUNCTION as usize);
    // SAFETY: as above.
    let table = unsafe { (*driver).MajorFunction };
    let Some(routine) = table[index] else {
        let text = format!("the dispatch table of the driver has a null pointer for {name}");
        verifier::fatal(
            io::NO_DISPATCH_ROUTINE,
            [device.addr() as u64, irp.addr() as u64, u64::from(major)],
            text,
        );
    };
    // SAFETY: the driver's dispatch routine, called as documented for it.
    cross::callback(name, || unsafe { routine(device, irp) }, String::new)
}

/// What a driver object has for the requests that its driver does not handle.
///
/// # Safety
/// Called as a dispatch routine.
pub(crate) unsafe extern "win64" fn invalid_request(_device: PDEVICE_OBJECT, irp: PIRP) -> NTSTATUS {
    cross::in_domain(cross::Domain::Kernel, || {
        irp::set_status(irp, wdk_sys::STATUS_INVALID_DEVICE_REQUEST);
        complete(irp);
        wdk_sys::STATUS_INVALID_DEVICE_REQUEST
    })
}

/// Completes an IRP: calls the completion routines from its present location up.
pub(crate) fn complete(irp: PIRP) {
    check::completion(irp);
    let top = irp::read(irp).StackCount;
    let mut number = irp::read(irp).CurrentLocation;
    while number <= top {
        let stack = irp::location(irp, number);
        // SAFETY: a location of a live IRP.
        let left_behind = unsafe { stack.read() };
        let pending = u32::from(left_behind.Control) & SL_PENDING_RETURNED != 0;
        check::leave(
            irp,
            number,
            Left {
                pending,
                status: irp::status(irp),
            },
        );
        // SAFETY: a live IRP.
        let place = unsafe { &raw mut (*irp).PendingReturned };
        // SAFETY: as above.
        unsafe { place.write(BOOLEAN::from(pending)) };
        number += 1;
        irp::move_to(irp, number);
        clear(stack);
        if wants_call(irp, &left_behind) {
            machine::with(|m| m.io.irps.with(irp, |record| record.sent &= number < record.home));
            if call_completion(irp, &left_behind, number) == STATUS_MORE_PROCESSING_REQUIRED {
                return;
            }
            irp::check(
                irp,
                "the rest of a completion, after a completion routine that did not keep the IRP,",
            );
        } else if pending && number <= top {
            mark_pending(irp, number);
        }
    }
    finish(irp);
}

/// Whether the routine in a location is to be called.
fn wants_call(irp: PIRP, location: &IO_STACK_LOCATION) -> bool {
    let control = u32::from(location.Control);
    let success = NT_SUCCESS(irp::status(irp));
    let cancelled = irp::read(irp).Cancel != 0;
    location.CompletionRoutine.is_some()
        && (success && control & SL_INVOKE_ON_SUCCESS != 0
            || !success && control & SL_INVOKE_ON_ERROR != 0
            || cancelled && control & SL_INVOKE_ON_CANCEL != 0)
}

/// Calls the routine that the driver at `number` has set.
fn call_completion(irp: PIRP, location: &IO_STACK_LOCATION, number: CCHAR) -> NTSTATUS {
    let Some(routine) = location.CompletionRoutine else {
        return STATUS_SUCCESS;
    };
    let device = if number > irp::read(irp).StackCount {
        core::ptr::null_mut()
    } else {
        // SAFETY: a location of a live IRP.
        unsafe { (*irp::location(irp, number)).DeviceObject }
    };
    let context = location.Context;
    // SAFETY: the completion routine that the driver above has set for this IRP, called as documented for it.
    cross::callback("IoCompletion", || unsafe { routine(device, irp, context) }, String::new)
}

fn mark_pending(irp: PIRP, number: CCHAR) {
    let stack = irp::location(irp, number);
    // SAFETY: a location of a live IRP.
    let control = unsafe { (*stack).Control };
    // SAFETY: as above.
    let place = unsafe { &raw mut (*stack).Control };
    // SAFETY: as above.
    unsafe { place.write(control | SL_PENDING_RETURNED as UCHAR) };
}

/// Clears a location that its driver is through with.
fn clear(stack: *mut IO_STACK_LOCATION) {
    // SAFETY: a location of a live IRP; zero is a value of every field.
    let location = unsafe { &mut *stack };
    location.MinorFunction = 0;
    location.Flags = 0;
    location.Control = 0;
    location.CompletionRoutine = None;
    location.Context = core::ptr::null_mut();
}

/// The end of an IRP: whoever made it gets it back.
fn finish(irp: PIRP) {
    let finish = machine::with(|m| {
        m.io.irps.with(irp, |record| {
            record.sent = false;
            record.frames.clear();
            record.finish.take()
        })
    });
    match finish.flatten() {
        Some(finish) => finish(irp),
        None => {
            let text = "an IRP of IoAllocateIrp completed and no completion routine kept it with STATUS_MORE_PROCESSING_REQUIRED";
            verifier::violation_with(io::NOT_CAUGHT, [irp.addr() as u64, 0, 0], text);
        }
    }
}

/// The name of a major function.
pub(crate) fn major_name(major: UCHAR) -> &'static str {
    match u32::from(major) {
        wdk_sys::IRP_MJ_CREATE => "IRP_MJ_CREATE",
        wdk_sys::IRP_MJ_CLOSE => "IRP_MJ_CLOSE",
        wdk_sys::IRP_MJ_READ => "IRP_MJ_READ",
        wdk_sys::IRP_MJ_WRITE => "IRP_MJ_WRITE",
        wdk_sys::IRP_MJ_DEVICE_CONTROL => "IRP_MJ_DEVICE_CONTROL",
        wdk_sys::IRP_MJ_INTERNAL_DEVICE_CONTROL => "IRP_MJ_INTERNAL_DEVICE_CONTROL",
        wdk_sys::IRP_MJ_CLEANUP => "IRP_MJ_CLEANUP",
        wdk_sys::IRP_MJ_POWER => "IRP_MJ_POWER",
        wdk_sys::IRP_MJ_SYSTEM_CONTROL => "IRP_MJ_SYSTEM_CONTROL",
        wdk_sys::IRP_MJ_PNP => "IRP_MJ_PNP",
        _ => "IRP_MJ_(other)",
    }
}
