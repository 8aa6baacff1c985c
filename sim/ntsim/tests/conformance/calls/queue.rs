//! Calls on queues.

use super::{Action, Gave};
use crate::client::device::{QueueKind, create_queue, handle};
use crate::world::World;
use std::rc::Rc;
use wdk_sys::*;

/// The action of a call on a queue.
pub fn action(world: &Rc<World>, name: &str) -> Option<Action> {
    let queue = world.handles.default_queue.get();
    let device = world.handles.device.get();
    Some(match name {
        "WdfIoQueueCreate(default)" | "WdfIoQueueCreate(second default)" => create(QueueKind::Default),
        "WdfIoQueueCreate(manual)" => create(QueueKind::Manual),
        "WdfIoQueueCreate(second)" | "WdfIoQueueCreate(DISPATCH)" => create(QueueKind::Second),
        "WdfIoQueueCreate(no callback)" => create(QueueKind::NoCallback),
        "WdfIoQueueCreate(wrong Size)" => create(QueueKind::WrongSize),
        "WdfIoQueueStart" => Box::new(move |_| start(queue)),
        "WdfIoQueueStart(NULL)" => Box::new(|_| start(0)),
        "WdfIoQueueStop" => Box::new(move |_| stop(queue)),
        "WdfIoQueueDrain" => Box::new(move |_| drain(queue)),
        "WdfIoQueuePurge" => Box::new(move |_| purge(queue)),
        "WdfIoQueueRetrieveNextRequest" => Box::new(|world| Gave::Status(retrieve(world))),
        "WdfIoQueueGetDevice(device handle)" => Box::new(move |_| owner(device)),
        _ => return None,
    })
}

fn create(kind: QueueKind) -> Action {
    Box::new(move |world| Gave::Status(create_queue(world, kind)))
}

fn start(queue: usize) -> Gave {
    // SAFETY: the client's queue, or what the framework is to refuse.
    unsafe { call_unsafe_wdf_function_binding!(WdfIoQueueStart, handle(queue)) };
    Gave::Nothing
}

fn stop(queue: usize) -> Gave {
    // SAFETY: the client's queue.
    unsafe { call_unsafe_wdf_function_binding!(WdfIoQueueStop, handle(queue), None, core::ptr::null_mut()) };
    Gave::Nothing
}

fn drain(queue: usize) -> Gave {
    // SAFETY: the client's queue.
    unsafe { call_unsafe_wdf_function_binding!(WdfIoQueueDrain, handle(queue), None, core::ptr::null_mut()) };
    Gave::Nothing
}

fn purge(queue: usize) -> Gave {
    // SAFETY: the client's queue.
    unsafe { call_unsafe_wdf_function_binding!(WdfIoQueuePurge, handle(queue), None, core::ptr::null_mut()) };
    Gave::Nothing
}

/// Takes the next request out of the manual queue.
pub fn retrieve(world: &World) -> NTSTATUS {
    let mut request: WDFREQUEST = core::ptr::null_mut();
    let queue = handle(world.handles.manual_queue.get());
    // SAFETY: the client's queue, and a local.
    let status = unsafe { call_unsafe_wdf_function_binding!(WdfIoQueueRetrieveNextRequest, queue, &raw mut request) };
    if NT_SUCCESS(status) {
        world.handles.request.set(request.addr());
    }
    status
}

fn owner(queue: usize) -> Gave {
    // SAFETY: what the framework is to refuse.
    let _device = unsafe { call_unsafe_wdf_function_binding!(WdfIoQueueGetDevice, handle(queue)) };
    Gave::Nothing
}
