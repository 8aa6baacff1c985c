//! Cancelation: of requests that wait, and of requests that the driver has.

use super::csq;
use super::dispatch;
use super::object::Queue;
use crate::kmdf::object::Ref;
use crate::kmdf::request::Request;
use crate::kmdf::request::object::{Marks, Watcher};
use crate::kmdf::request::{complete, verify};
use crate::kmdf::{call, sync, verifier};
use wdk_sys::*;

/// What marking a cancelled request as cancelable does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IfCancelled {
    /// EvtRequestCancel is called.
    CallBack,
    /// The call fails.
    Fail,
}

/// A waiting request was cancelled, and is in no list. The driver hears of it only if it saw the request before.
pub(super) fn waiting(queue: &Ref<Queue>, request: &Ref<Request>) {
    request.unmark(Marks::CANCELABLE);
    request.set_cancelled();
    if queue.callbacks.cancelled.is_some() && request.was_presented() {
        request.watcher.set(Watcher::Queue);
        queue.add_owned(request);
        request.mark(Marks::DRIVER_OWNED);
        queue.lists.borrow_mut().cancelled_on_queue.push_back(request.clone());
    } else {
        complete::complete_with(request, STATUS_CANCELLED, 0);
    }
    dispatch::from_inside(queue);
}

/// A cancelable request that the driver has was cancelled.
pub(super) fn at_driver(queue: &Ref<Queue>, request: &Ref<Request>) {
    queue.lists.borrow_mut().cancelled.push_back(request.clone());
    dispatch::from_inside(queue);
}

/// Makes a request cancelable.
pub(crate) fn mark(
    queue: &Ref<Queue>,
    request: &Ref<Request>,
    callback: PFN_WDF_REQUEST_CANCEL,
    if_cancelled: IfCancelled,
) -> NTSTATUS {
    if let Err(status) = verify::owned_and_not_cancelable(request, "WdfRequestMarkCancelable") {
        return status;
    }
    request.mark(Marks::CANCELABLE);
    request.cancel.set(callback);
    let listed = if queue.cancel_returned.get() {
        Err(csq::Cancelled)
    } else {
        csq::insert_cancelable(queue, request)
    };
    match (listed, if_cancelled) {
        (Ok(()), _) => STATUS_SUCCESS,
        (Err(csq::Cancelled), IfCancelled::CallBack) => {
            request.set_cancelled();
            at_driver(queue, request);
            STATUS_SUCCESS
        }
        (Err(csq::Cancelled), IfCancelled::Fail) => {
            request.cancel.set(None);
            request.unmark(Marks::CANCELABLE);
            STATUS_CANCELLED
        }
    }
}

/// Takes cancelability back.
pub(crate) fn unmark(request: &Ref<Request>) -> NTSTATUS {
    let function = "WdfRequestUnmarkCancelable";
    if let Err(status) = verify::owned(request, function).and_then(|()| verify::cancelable(request, function)) {
        return status;
    }
    if csq::remove(request).is_err() {
        return STATUS_CANCELLED;
    }
    request.cancel.set(None);
    request.unmark(Marks::CANCELABLE);
    STATUS_SUCCESS
}

/// Calls EvtRequestCancel for the requests that were cancelled. `false`: not now, the driver is being told about power.
pub(super) fn call_cancelled(queue: &Ref<Queue>) -> bool {
    if queue.power.get().is_notifying() {
        return false;
    }
    loop {
        let next = queue.lists.borrow_mut().cancelled.pop_front();
        let Some(request) = next else { return true };
        request.mark(Marks::CANCELLED);
        let Some(callback) = request.cancel.take() else {
            continue;
        };
        let handle = request.raw();
        sync::under(queue.lock.as_deref(), || {
            // SAFETY: the driver's callback for exactly this.
            call::void("EvtRequestCancel", || unsafe { callback(handle) }, String::new);
        });
    }
}

/// Calls EvtIoCanceledOnQueue for the requests that were cancelled in the queue. `false`: not now.
pub(super) fn call_cancelled_on_queue(queue: &Ref<Queue>) -> bool {
    if queue.power.get().is_notifying() {
        return false;
    }
    loop {
        let next = queue.lists.borrow_mut().cancelled_on_queue.pop_front();
        let Some(request) = next else { return true };
        request.mark(Marks::CANCELLED);
        let Some(callback) = queue.callbacks.cancelled else {
            continue;
        };
        let (handle, owner) = (request.raw(), queue.raw());
        sync::under(queue.lock.as_deref(), || {
            // SAFETY: the driver's callback for exactly this.
            call::void(
                "EvtIoCanceledOnQueue",
                || unsafe { callback(owner, handle) },
                String::new,
            );
        });
    }
}

/// Cancels every waiting request for which `wanted` holds.
pub(super) fn cancel_waiting(queue: &Ref<Queue>, wanted: impl Fn(&Ref<Request>) -> bool) {
    while let Some(request) = csq::take_waiting(queue, &wanted) {
        waiting(queue, &request);
    }
}

/// Cancels every cancelable request that the driver has.
pub(super) fn cancel_at_driver(queue: &Ref<Queue>) {
    while let Some(request) = csq::take_cancelable(queue) {
        request.set_cancelled();
        at_driver(queue, &request);
    }
}

/// A request that the driver gave back is in the driver's list no more and goes to its head; cancelled ones end here.
pub(super) fn give_back(queue: &Ref<Queue>, request: &Ref<Request>) {
    request.unmark(Marks::DRIVER_OWNED | Marks::IN_IO_STOP);
    request.watcher.set(Watcher::Nobody);
    queue.remove_owned(request);
    let listed = if queue.cancel_returned.get() {
        Err(csq::Cancelled)
    } else {
        csq::insert_waiting(queue, request, csq::End::Head)
    };
    match listed {
        Ok(()) => queue.note_arrival(),
        Err(csq::Cancelled) => waiting(queue, request),
    }
}

/// Whether the framework's verifier is on: requests then stay alive until the handler that got them has returned.
pub(super) fn keeps_requests() -> bool {
    verifier::verifier_on()
}
