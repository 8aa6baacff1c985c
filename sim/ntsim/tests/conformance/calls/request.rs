//! Calls on requests.

use super::{Action, Gave};
use crate::client::callbacks::request_cancel;
use crate::client::device::handle;
use crate::scenario::{Ev, Event};
use crate::world::World;
use std::rc::Rc;
use wdk_sys::*;

/// The action of a call on a request.
pub fn action(world: &Rc<World>, name: &str) -> Option<Action> {
    let request = meant(world);
    let default = world.handles.default_queue.get();
    let manual = world.handles.manual_queue.get();
    Some(match name {
        "WdfRequestCompleteWithInformation" => {
            let (status, information) = completion(world);
            Box::new(move |_| complete(request, status, information))
        }
        "WdfRequestRetrieveOutputWdmMdl" => Box::new(move |world| retrieve_output_mdl(world, request)),
        "WdfRequestRetrieveInputWdmMdl" => Box::new(move |_| retrieve_input_mdl(request)),
        "WdfRequestRetrieveInputBuffer(min 0)" => Box::new(move |world| retrieve(world, request, Side::Input, 0)),
        "WdfRequestRetrieveInputBuffer(min 4)" => Box::new(move |world| retrieve(world, request, Side::Input, 4)),
        "WdfRequestRetrieveOutputBuffer(min 0)" => Box::new(move |world| retrieve(world, request, Side::Output, 0)),
        "WdfRequestRetrieveOutputBuffer(min 4)" => Box::new(move |world| retrieve(world, request, Side::Output, 4)),
        "WdfRequestRetrieveUnsafeUserInputBuffer" => {
            Box::new(move |world| retrieve(world, request, Side::UnsafeInput, 0))
        }
        "WdfRequestRetrieveInputMemory" => Box::new(move |_| retrieve_memory(request, Side::Input)),
        "WdfRequestRetrieveOutputMemory" => Box::new(move |_| retrieve_memory(request, Side::Output)),
        "WdfRequestForwardToIoQueue(same)" => Box::new(move |_| forward(request, default)),
        "WdfRequestForwardToIoQueue(manual)" | "WdfRequestForwardToIoQueue(completed)" => {
            Box::new(move |_| forward(request, manual))
        }
        "WdfRequestRequeue" => Box::new(move |_| requeue(request)),
        "WdfRequestRequeue(r1 of manual)" => Box::new(|world| requeue_first(world)),
        "WdfRequestMarkCancelableEx" | "WdfRequestMarkCancelableEx(after cancel)" => {
            Box::new(move |_| mark_ex(request))
        }
        "WdfRequestMarkCancelable(after cancel)" => Box::new(move |_| mark(request)),
        "WdfRequestUnmarkCancelable"
        | "WdfRequestUnmarkCancelable(second)"
        | "WdfRequestUnmarkCancelable(completed)" => Box::new(move |_| unmark(request)),
        "WdfRequestStopAcknowledge(requeue=FALSE)" => Box::new(move |_| acknowledge(request, 0)),
        "WdfRequestStopAcknowledge(requeue=TRUE)" => Box::new(move |_| acknowledge(request, 1)),
        _ => return None,
    })
}

/// The request that the next call is about: the one whose IRP it completes, else the one that the client got last.
fn meant(world: &World) -> usize {
    let completed = world.script.inside_call().iter().find(|event| event.ev == Ev::Irp);
    let requests = world.requests.borrow();
    completed
        .and_then(|irp| requests.get(&irp.name).copied())
        .unwrap_or(world.handles.request.get())
}

/// The arguments that the record shows with a call: the client took them from there.
pub fn shown_args(call: &Event) -> String {
    call.args.clone()
}

/// Reads `status=0x0 info=4`.
fn completion(world: &World) -> (NTSTATUS, usize) {
    let args = world.script.next().map(|event| event.args).unwrap_or_default();
    let mut parts = args
        .split(' ')
        .filter_map(|part| part.split_once('=').map(|(_, value)| value));
    let status = parts
        .next()
        .and_then(|value| u32::from_str_radix(value.trim_start_matches("0x"), 16).ok())
        .unwrap_or(0);
    let information = parts.next().and_then(|value| value.parse().ok()).unwrap_or(0);
    (status.cast_signed(), information)
}

fn complete(request: usize, status: NTSTATUS, information: usize) -> Gave {
    // SAFETY: a request that the client got; the framework checks whether it still may complete it.
    unsafe {
        call_unsafe_wdf_function_binding!(
            WdfRequestCompleteWithInformation,
            handle(request),
            status,
            information as ULONG_PTR
        )
    };
    Gave::Nothing
}

/// Which buffer of a request.
#[derive(Clone, Copy)]
enum Side {
    Input,
    Output,
    UnsafeInput,
}

fn retrieve(world: &World, request: usize, side: Side, minimum: usize) -> Gave {
    let request = handle(request);
    let (mut buffer, mut length) = (core::ptr::null_mut(), 0_usize);
    let (place, size) = (&raw mut buffer, &raw mut length);
    let status = match side {
        // SAFETY: the client's request, and locals.
        Side::Input => unsafe {
            call_unsafe_wdf_function_binding!(WdfRequestRetrieveInputBuffer, request, minimum, place, size)
        },
        // SAFETY: as above.
        Side::Output => unsafe {
            call_unsafe_wdf_function_binding!(WdfRequestRetrieveOutputBuffer, request, minimum, place, size)
        },
        // SAFETY: as above.
        Side::UnsafeInput => unsafe {
            call_unsafe_wdf_function_binding!(WdfRequestRetrieveUnsafeUserInputBuffer, request, minimum, place, size)
        },
    };
    world.length.set(length);
    Gave::Status(status)
}

fn retrieve_memory(request: usize, side: Side) -> Gave {
    let mut memory: WDFMEMORY = core::ptr::null_mut();
    let place = &raw mut memory;
    Gave::Status(match side {
        // SAFETY: the client's request, and a local.
        Side::Output => unsafe {
            call_unsafe_wdf_function_binding!(WdfRequestRetrieveOutputMemory, handle(request), place)
        },
        // SAFETY: as above.
        Side::Input | Side::UnsafeInput => unsafe {
            call_unsafe_wdf_function_binding!(WdfRequestRetrieveInputMemory, handle(request), place)
        },
    })
}

fn retrieve_output_mdl(world: &World, request: usize) -> Gave {
    let mut mdl: PMDL = core::ptr::null_mut();
    // SAFETY: the client's request, and a local.
    let status =
        unsafe { call_unsafe_wdf_function_binding!(WdfRequestRetrieveOutputWdmMdl, handle(request), &raw mut mdl) };
    world.handles.mdl.set(mdl.expose_provenance());
    Gave::Status(status)
}

fn retrieve_input_mdl(request: usize) -> Gave {
    let mut mdl: PMDL = core::ptr::null_mut();
    // SAFETY: the client's request, and a local.
    Gave::Status(unsafe {
        call_unsafe_wdf_function_binding!(WdfRequestRetrieveInputWdmMdl, handle(request), &raw mut mdl)
    })
}

fn forward(request: usize, queue: usize) -> Gave {
    // SAFETY: a request that the client got, and its queue.
    Gave::Status(unsafe {
        call_unsafe_wdf_function_binding!(WdfRequestForwardToIoQueue, handle(request), handle(queue))
    })
}

/// The recorded client took the first request out of the manual queue, without that being recorded, before it gave it back.
fn requeue_first(world: &World) -> Gave {
    let _status = super::queue::retrieve(world);
    requeue(world.handles.request.get())
}

fn requeue(request: usize) -> Gave {
    // SAFETY: a request that the client got.
    Gave::Status(unsafe { call_unsafe_wdf_function_binding!(WdfRequestRequeue, handle(request)) })
}

fn mark_ex(request: usize) -> Gave {
    // SAFETY: a request that the client got.
    Gave::Status(unsafe {
        call_unsafe_wdf_function_binding!(WdfRequestMarkCancelableEx, handle(request), Some(request_cancel))
    })
}

fn mark(request: usize) -> Gave {
    // SAFETY: a request that the client got.
    unsafe { call_unsafe_wdf_function_binding!(WdfRequestMarkCancelable, handle(request), Some(request_cancel)) };
    Gave::Nothing
}

fn unmark(request: usize) -> Gave {
    // SAFETY: a request that the client got.
    Gave::Status(unsafe { call_unsafe_wdf_function_binding!(WdfRequestUnmarkCancelable, handle(request)) })
}

fn acknowledge(request: usize, requeue: BOOLEAN) -> Gave {
    // SAFETY: a request that the client got.
    unsafe { call_unsafe_wdf_function_binding!(WdfRequestStopAcknowledge, handle(request), requeue) };
    Gave::Nothing
}
