//! IRPs as the framework handles them: stack locations, sending down, completing.

use super::event::Event;
use core::{ffi::c_void, mem::offset_of};
use wdk_sys::*;

/// Where an IRP keeps the pointer to its current stack location.
fn current_slot(irp: PIRP) -> *mut *mut IO_STACK_LOCATION {
    const OFFSET: usize = offset_of!(IRP, Tail.Overlay.__bindgen_anon_2.__bindgen_anon_1.CurrentStackLocation);
    irp.wrapping_byte_add(OFFSET).cast()
}

/// The stack location of the driver that has the IRP now.
pub(crate) fn current(irp: PIRP) -> *mut IO_STACK_LOCATION {
    // SAFETY: a live IRP, which the caller owns.
    unsafe { current_slot(irp).read() }
}

/// A copy of the current stack location.
pub(crate) fn location(irp: PIRP) -> IO_STACK_LOCATION {
    // SAFETY: as for `current`; the location is inside the IRP.
    unsafe { current(irp).read() }
}

/// The stack location of the driver that gets the IRP next.
fn next(irp: PIRP) -> *mut IO_STACK_LOCATION {
    current(irp).wrapping_sub(1)
}

/// Says that the IRP is completed later.
pub(crate) fn mark_pending(irp: PIRP) {
    // SAFETY: the location of an IRP that the caller owns.
    unsafe { (*current(irp)).Control |= SL_PENDING_RETURNED as u8 };
}

/// Where an IRP keeps its status.
fn status_slot(irp: PIRP) -> *mut NTSTATUS {
    irp.wrapping_byte_add(offset_of!(IRP, IoStatus)).cast()
}

/// The status that the IRP has so far.
pub(crate) fn status(irp: PIRP) -> NTSTATUS {
    // SAFETY: a live IRP, which the caller owns.
    unsafe { status_slot(irp).read() }
}

/// Sets the status.
pub(crate) fn set_status(irp: PIRP, status: NTSTATUS) {
    // SAFETY: a live IRP, which the caller owns.
    unsafe { status_slot(irp).write(status) };
}

/// The `Information` that the IRP has so far.
pub(crate) fn information(irp: PIRP) -> u64 {
    // SAFETY: a live IRP, which the caller owns.
    unsafe { (*irp).IoStatus.Information }
}

/// Sets the `Information`.
pub(crate) fn set_information(irp: PIRP, information: u64) {
    // SAFETY: a live IRP, which the caller owns.
    unsafe { (*irp).IoStatus.Information = information };
}

/// Completes the IRP with the status it has; the IRP is gone then.
pub(crate) fn complete(irp: PIRP) {
    // SAFETY: a live IRP, which the caller owns and gives up.
    unsafe { ntddk::IofCompleteRequest(irp, IO_NO_INCREMENT as CCHAR) };
}

/// Sets the status, completes the IRP, and returns that status.
pub(crate) fn complete_with(irp: PIRP, status: NTSTATUS) -> NTSTATUS {
    set_status(irp, status);
    complete(irp);
    status
}

/// Prepares the next stack location as a copy of the current one, without a completion routine.
pub(crate) fn copy_to_next(irp: PIRP) {
    let mut copy = location(irp);
    copy.Control = 0;
    copy.CompletionRoutine = None;
    copy.Context = core::ptr::null_mut();
    // SAFETY: the IRP has a location for each device below.
    unsafe { next(irp).write(copy) };
}

/// Gives the IRP to the driver below, who completes it; the IRP is gone then.
pub(crate) fn forward(lower: PDEVICE_OBJECT, irp: PIRP) -> NTSTATUS {
    copy_to_next(irp);
    send(lower, irp)
}

/// As [`forward`], in the same stack location: the framework never saw it.
pub(crate) fn skip(lower: PDEVICE_OBJECT, irp: PIRP) -> NTSTATUS {
    // SAFETY: a live IRP, which the caller owns.
    unsafe { (*irp).CurrentLocation += 1 };
    let above = current(irp).wrapping_add(1);
    // SAFETY: as above: the location above exists, it is that of whoever sent the IRP to us.
    unsafe { current_slot(irp).write(above) };
    send(lower, irp)
}

fn send(lower: PDEVICE_OBJECT, irp: PIRP) -> NTSTATUS {
    // SAFETY: the IRP's next location is set up, and `lower` is the device below.
    unsafe { ntddk::IofCallDriver(lower, irp) }
}

/// Sets the completion routine of the next location, called whatever the outcome.
pub(crate) fn on_completion(irp: PIRP, routine: PIO_COMPLETION_ROUTINE, context: *mut c_void) {
    // SAFETY: the next location of an IRP that the caller owns.
    let next = unsafe { &mut *next(irp) };
    next.CompletionRoutine = routine;
    next.Context = context;
    next.Control = (SL_INVOKE_ON_SUCCESS | SL_INVOKE_ON_ERROR | SL_INVOKE_ON_CANCEL) as u8;
}

crate::framework_callbacks! {
    /// The completion routine of an IRP that somebody waits for: takes the IRP back.
    fn FxSynchronousCompletion(_device: PDEVICE_OBJECT, _irp: PIRP, context: PVOID) -> NTSTATUS {
        // SAFETY: `wait_for_lower` waits with its event until this ran.
        let event = unsafe { &*context.cast_const().cast::<Event>() };
        event.set();
        STATUS_MORE_PROCESSING_REQUIRED
    }
}

/// Sends the IRP down and waits until the drivers below are through with it; the caller has it again. PASSIVE_LEVEL.
pub(crate) fn wait_for_lower(lower: PDEVICE_OBJECT, irp: PIRP) -> NTSTATUS {
    copy_to_next(irp);
    wait(lower, irp)
}

fn wait(lower: PDEVICE_OBJECT, irp: PIRP) -> NTSTATUS {
    let event = Event::new(false);
    on_completion(irp, Some(FxSynchronousCompletion), (&raw const event).cast_mut().cast());
    let _ = send(lower, irp);
    event.wait();
    status(irp)
}

/// Makes an IRP_MJ_PNP IRP, sends it to a stack and waits. PASSIVE_LEVEL.
pub(crate) fn query(top: PDEVICE_OBJECT, location: IO_STACK_LOCATION) -> NTSTATUS {
    // SAFETY: a live device object.
    let stack_size = unsafe { (*top).StackSize };
    // SAFETY: IRQL <= DISPATCH_LEVEL.
    let irp = unsafe { ntddk::IoAllocateIrp(stack_size, 0) };
    if irp.is_null() {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    set_status(irp, STATUS_NOT_SUPPORTED);
    // SAFETY: a fresh IRP has a location for each device of the stack.
    unsafe { next(irp).write(location) };
    let status = wait(top, irp);
    // SAFETY: allocated above; the completion routine took it back.
    unsafe { ntddk::IoFreeIrp(irp) };
    status
}

/// A stack location for a PnP request.
pub(crate) fn pnp_location(minor: u32) -> IO_STACK_LOCATION {
    IO_STACK_LOCATION {
        MajorFunction: IRP_MJ_PNP as u8,
        MinorFunction: minor as u8,
        ..IO_STACK_LOCATION::default()
    }
}

/// Asks a stack for an interface. PASSIVE_LEVEL.
pub(crate) fn query_interface(
    top: PDEVICE_OBJECT,
    of: *const GUID,
    interface: PINTERFACE,
    size: USHORT,
    version: USHORT,
    data: PVOID,
) -> NTSTATUS {
    let mut location = pnp_location(IRP_MN_QUERY_INTERFACE);
    location.Parameters.QueryInterface.InterfaceType = of;
    location.Parameters.QueryInterface.Size = size;
    location.Parameters.QueryInterface.Version = version;
    location.Parameters.QueryInterface.Interface = interface;
    location.Parameters.QueryInterface.InterfaceSpecificData = data;
    query(top, location)
}
