//! Requests that change queues, or go back to the one they came from.

use super::csq::{self, End};
use super::object::Queue;
use super::state::DispatchType;
use super::{cancel, dispatch};
use crate::kmdf::object::Ref;
use crate::kmdf::request::Request;
use crate::kmdf::request::object::{Marks, Watcher};
use crate::kmdf::request::status::STATUS_WDF_BUSY;
use crate::kmdf::request::verify;
use crate::kmdf::verifier;
use crate::verifier::kmdf_request::*;
use wdk_sys::*;

/// Forwards a request that the driver has. The destination may present it before this returns.
pub(crate) fn to_queue(request: &Ref<Request>, destination: &Ref<Queue>) -> NTSTATUS {
    let function = "WdfRequestForwardToIoQueue";
    if let Err(status) = verify::owned_and_not_cancelable(request, function) {
        return status;
    }
    let Some(source) = request.queue() else {
        let text = format!(
            "{function} on WDFREQUEST {:?}, which no queue presented: the framework reads through a null pointer",
            request.handle()
        );
        verifier::fatal(REQUEST_FRAMEWORK_FAULT, request.handle().value(), 0, text)
    };
    if verifier::verifier_on() {
        let same = source.handle() == destination.handle();
        let foreign = source.device.handle() != destination.device.handle();
        if same || foreign {
            let what = if same {
                "the queue that it came from"
            } else {
                "a queue of another device"
            };
            verifier::debug_break(
                REQUEST_FORWARDED_WRONG,
                format!("WDFREQUEST {:?} was forwarded to {what}", request.handle()),
            );
            return STATUS_INVALID_DEVICE_REQUEST;
        }
    }
    move_over(request, &source, destination)
}

/// Takes the request out of the source; puts it back when the destination refuses it.
fn move_over(request: &Ref<Request>, source: &Ref<Queue>, destination: &Ref<Queue>) -> NTSTATUS {
    let watcher = request.watcher.replace(Watcher::Nobody);
    let marks = request.marks();
    request.unmark(Marks::DRIVER_OWNED);
    request.mark(Marks::FORWARDED);
    source.lists.borrow_mut().remove_owned(request.handle());
    let status = enqueue(destination, request);
    if !NT_SUCCESS(status) {
        request.watcher.set(watcher);
        request.unmark(Marks::all());
        request.mark(marks);
        source.lists.borrow_mut().owned.push_back(request.clone());
        return status;
    }
    source.driver_count.set(source.driver_count.get() - 1);
    dispatch::from_inside(source);
    status
}

/// Puts a request that the driver gives away at the end of a queue, and lets the queue go on.
pub(super) fn enqueue(queue: &Ref<Queue>, request: &Ref<Request>) -> NTSTATUS {
    if !queue.switches.get().accepts() {
        return STATUS_WDF_BUSY;
    }
    match csq::insert_waiting(queue, request, End::Tail) {
        Ok(()) => queue.note_arrival(),
        Err(csq::Cancelled) => {
            request.set_queue(Some(queue.clone()));
            cancel::waiting(queue, request);
        }
    }
    dispatch::events(queue);
    STATUS_SUCCESS
}

/// Puts a request back at the head of the manual queue it was taken from.
pub(crate) fn requeue(queue: &Ref<Queue>, request: &Ref<Request>) -> NTSTATUS {
    if let Err(status) = verify::owned_and_not_cancelable(request, "WdfRequestRequeue") {
        return status;
    }
    // The framework's verifier takes the request from the driver before it looks at the queue: a refused request cannot be completed any more.
    request.unmark(Marks::DRIVER_OWNED);
    if queue.dispatch != DispatchType::Manual {
        verifier::debug_break(
            QUEUE_WRONG_OPERATION,
            format!("WdfRequestRequeue: WDFQUEUE {:?} is not manual", queue.handle()),
        );
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    cancel::give_back(queue, request);
    dispatch::events(queue);
    STATUS_SUCCESS
}
