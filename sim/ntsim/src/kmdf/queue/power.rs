//! Power: requests that the driver has are stopped before D0 is left and resumed after it was entered; nothing is presented in between.

use super::object::{Power, Queue};
use super::{cancel, control, dispatch};
use crate::kmdf::device::Device;
use crate::kmdf::event::Event;
use crate::kmdf::object::Ref;
use crate::kmdf::request::Request;
use crate::kmdf::request::object::{Acknowledged, Marks};
use crate::kmdf::request::verify;
use crate::kmdf::{call, sync, verifier};
use crate::verifier::kmdf_request::REQUEST_NOT_STOPPING;
use std::cell::Cell;
use wdk_sys::*;

/// What EvtIoStop is called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    Suspend,
    Purge,
}

/// D0 is being left: handlers that run are waited for, then the driver's requests are stopped, queue by queue. Waits for the answers.
pub(super) fn stop(device: &Ref<Device>) {
    device.io().power_on.set(false);
    let queues = device.io().all();
    for queue in queues.iter().filter(|queue| queue.power_managed) {
        transition(queue, Power::StartingTransition);
    }
    for queue in queues.iter().filter(|queue| queue.power_managed) {
        transition(queue, Power::Stopping);
    }
}

/// The device goes: queues of one sort refuse requests, cancel what waits, and purge what the driver has. Waits for the answers.
pub(super) fn purge(device: &Ref<Device>, power_managed: bool) {
    device.io().power_on.set(false);
    device.io().shutting_down.set(true);
    for queue in device
        .io()
        .all()
        .iter()
        .filter(|queue| queue.power_managed == power_managed)
    {
        queue.switches.set(queue.switches.get().shut_down());
        control::purge(queue, None);
        transition(queue, Power::Purge);
    }
}

/// D0 was entered: the driver's requests are resumed in all queues, then requests are presented.
pub(super) fn start(device: &Ref<Device>) {
    let queues = device.io().all();
    device.io().power_on.set(true);
    device.io().shutting_down.set(false);
    for queue in queues
        .iter()
        .filter(|queue| queue.power_managed && queue.power.get() != Power::On)
    {
        queue.power.set(Power::Restarting);
        dispatch::events(queue);
    }
    for queue in queues.iter().filter(|queue| queue.power_managed) {
        if queue.waiting_count() > 0 {
            queue.filled.set(true);
        }
        dispatch::events(queue);
    }
}

/// Starts a transition and waits until it is complete.
fn transition(queue: &Ref<Queue>, power: Power) {
    queue.settled.begin();
    queue.power.set(power);
    if dispatch::events(queue) {
        queue.settled.wait();
    }
}

/// Whether a power transition of a queue is complete, and the event that says so.
///
/// Signaling is a kernel call, so a thread can be on its way to signal the end of one transition while the next one begins. The flag changes at once: who waits
/// believes it, and not the event.
pub(super) struct Settled {
    reached: Cell<bool>,
    event: Event,
}

impl Settled {
    /// No transition is under way.
    pub(super) fn new() -> Self {
        Self {
            reached: Cell::new(true),
            event: Event::new(true),
        }
    }

    /// A transition is about to begin.
    fn begin(&self) {
        self.reached.set(false);
        self.event.clear();
    }

    /// The transition is complete.
    fn complete(&self) {
        self.reached.set(true);
        self.event.set();
    }

    /// Waits for the end of the transition.
    fn wait(&self) {
        loop {
            self.event.wait();
            if self.reached.get() {
                return;
            }
            self.event.clear();
            // The end may have been signaled just before it was cleared.
            if self.reached.get() {
                return;
            }
        }
    }
}

/// One step of a transition. `false`: waits for the driver, or for another thread.
pub(super) fn advance(queue: &Ref<Queue>) -> bool {
    match queue.power.get() {
        Power::On | Power::Off => false,
        Power::StartingTransition => {
            if queue.dispatching.get() == 1 {
                queue.settled.complete();
            }
            false
        }
        Power::Stopping => begin(queue, Power::StoppingNotifying),
        Power::Purge => begin(queue, Power::PurgeNotifying),
        Power::Restarting => begin(queue, Power::RestartingNotifying),
        Power::StoppingNotifying => notify_next(queue, Stop::Suspend, Power::StoppingNotified),
        Power::PurgeNotifying => notify_next(queue, Stop::Purge, Power::PurgeNotified),
        Power::StoppingNotified | Power::PurgeNotified => gather_answers(queue),
        Power::RestartingNotifying => resume_next(queue),
        Power::RestartingNotified => {
            queue.power.set(Power::On);
            false
        }
    }
}

/// All requests that the driver has are to be told.
fn begin(queue: &Ref<Queue>, next: Power) -> bool {
    queue.power.set(next);
    let mut lists = queue.lists.borrow_mut();
    let owned = core::mem::take(&mut lists.owned);
    lists.notify.extend(owned);
    true
}

/// Calls EvtIoStop for the next request. Without a callback, and for cancelled requests, the driver simply has to complete them.
fn notify_next(queue: &Ref<Queue>, stop: Stop, then: Power) -> bool {
    let next = queue.lists.borrow_mut().notify.pop_front();
    let Some(request) = next else {
        queue.power.set(then);
        return true;
    };
    queue.lists.borrow_mut().notified.push_back(request.clone());
    if stop == Stop::Purge {
        request.acknowledged.set(Acknowledged::No);
    }
    if let Some(callback) = queue.callbacks.stop.filter(|_| !request.was_cancelled()) {
        let flags = stop_flags(queue, &request, stop);
        request.object().reference();
        request.mark(Marks::IN_IO_STOP);
        let (owner, handle) = (queue.raw(), request.raw());
        sync::under(queue.lock.as_deref(), || {
            // SAFETY: the driver's callback for exactly this.
            call::void(
                "EvtIoStop",
                || unsafe { callback(owner, handle, flags) },
                || format!("flags={flags:#x}"),
            );
        });
        request.object().dereference();
    }
    true
}

fn stop_flags(queue: &Ref<Queue>, request: &Ref<Request>, stop: Stop) -> ULONG {
    let action = match stop {
        Stop::Suspend => _WDF_REQUEST_STOP_ACTION_FLAGS::WdfRequestStopActionSuspend,
        Stop::Purge => _WDF_REQUEST_STOP_ACTION_FLAGS::WdfRequestStopActionPurge,
    };
    let cancelable = queue
        .lists
        .borrow()
        .cancelable
        .iter()
        .any(|found| found.handle() == request.handle());
    let extra = if cancelable {
        _WDF_REQUEST_STOP_ACTION_FLAGS::WdfRequestStopRequestCancelable
    } else {
        0
    };
    (action | extra).cast_unsigned()
}

/// Takes the answered requests back; the transition is complete when all are answered or completed and no handler runs.
fn gather_answers(queue: &Ref<Queue>) -> bool {
    let mut found = false;
    loop {
        let answered = {
            let mut lists = queue.lists.borrow_mut();
            let at = lists
                .notified
                .iter()
                .position(|request| request.acknowledged.get() != Acknowledged::No);
            at.and_then(|at| lists.notified.remove(at))
        };
        let Some(request) = answered else { break };
        found = true;
        let answer = request.acknowledged.replace(Acknowledged::No);
        request.unmark(Marks::IN_IO_STOP);
        queue.lists.borrow_mut().owned.push_back(request.clone());
        if answer == Acknowledged::Requeue {
            cancel::give_back(queue, &request);
        }
    }
    if !queue.lists.borrow().notified.is_empty() || queue.dispatching.get() != 1 {
        return found;
    }
    queue.power.set(Power::Off);
    queue.settled.complete();
    true
}

/// Calls EvtIoResume for the next request.
fn resume_next(queue: &Ref<Queue>) -> bool {
    let next = queue.lists.borrow_mut().notify.pop_front();
    let Some(request) = next else {
        queue.power.set(Power::RestartingNotified);
        return true;
    };
    queue.lists.borrow_mut().owned.push_back(request.clone());
    if let Some(callback) = queue.callbacks.resume.filter(|_| !request.was_cancelled()) {
        request.object().reference();
        let (owner, handle) = (queue.raw(), request.raw());
        sync::under(queue.lock.as_deref(), || {
            // SAFETY: the driver's callback for exactly this.
            call::void("EvtIoResume", || unsafe { callback(owner, handle) }, String::new);
        });
        request.object().dereference();
    }
    true
}

/// `WdfRequestStopAcknowledge`.
pub(crate) fn acknowledge(queue: &Ref<Queue>, request: &Ref<Request>, requeue: bool) {
    let function = "WdfRequestStopAcknowledge";
    let checked = if requeue {
        verify::owned_and_not_cancelable(request, function)
    } else {
        verify::owned(request, function)
    };
    if checked.is_err() {
        return;
    }
    let in_callback = !verifier::verifier_on() || request.marks().contains(Marks::IN_IO_STOP);
    if !in_callback || !queue.power.get().is_stopping() {
        verifier::debug_break(REQUEST_NOT_STOPPING, format!("WDFREQUEST {:?}", request.handle()));
        return;
    }
    request.acknowledged.set(if requeue {
        Acknowledged::Requeue
    } else {
        Acknowledged::Keep
    });
    dispatch::from_inside(queue);
}
