//! The event loop of a queue: cancelations, notices, power, then requests, until nothing more can be done.
//!
//! The loop is entered whenever something changed. While one thread is in it, threads that complete requests leave the rest to that thread, so that a driver that
//! completes inside its handler does not recurse; threads that bring work (a new IRP, Start, Forward) enter nevertheless.

use super::csq::{self, End};
use super::object::{Notice, Power, Queue};
use super::state::DispatchType;
use super::{cancel, power, present};
use crate::kmdf::object::Ref;
use crate::kmdf::request::{Request, complete};
use crate::kmdf::{call, sync};
use wdk_sys::*;

/// What one round of the loop found.
enum Round {
    /// Something was done: look again.
    Again,
    /// Nothing more can be done now.
    Done,
    /// The queue is at its end.
    Ended,
}

/// A new request on its way in: presented at once if it can be, else it waits.
struct Arrival {
    request: Option<Ref<Request>>,
}

impl Arrival {
    /// Makes the new request wait, if it is still there. `false`: it was cancelled, and completed.
    fn wait(&mut self, queue: &Ref<Queue>) -> bool {
        let Some(request) = self.request.take() else {
            return true;
        };
        match csq::insert_waiting(queue, &request, End::Tail) {
            Ok(()) => {
                queue.note_arrival();
                true
            }
            Err(csq::Cancelled) => {
                complete::complete_with(&request, STATUS_CANCELLED, 0);
                false
            }
        }
    }
}

/// Something changed. Enters the loop, whoever is in it.
pub(super) fn events(queue: &Ref<Queue>) -> bool {
    run(queue, Arrival { request: None })
}

/// A new request.
pub(super) fn arrived(queue: &Ref<Queue>, request: Ref<Request>) {
    run(queue, Arrival { request: Some(request) });
}

/// Something changed, noticed by code that may run under a handler: a thread in the loop will see it.
pub(super) fn from_inside(queue: &Ref<Queue>) {
    if queue.dispatching.get() == 0 {
        events(queue);
    } else {
        queue.look_again.set(true);
    }
}

/// The loop. `false` when the queue was at its end before.
fn run(queue: &Ref<Queue>, mut arrival: Arrival) -> bool {
    if queue.deleted.get() {
        return false;
    }
    if super::deferred::must_defer(queue) {
        arrival.wait(queue);
        super::deferred::schedule(queue);
        return true;
    }
    queue.dispatching.set(queue.dispatching.get() + 1);
    loop {
        match round(queue, &mut arrival) {
            Round::Again => {}
            Round::Done if queue.look_again.replace(false) => {}
            Round::Done => break,
            Round::Ended => {
                queue.ended.set();
                return true;
            }
        }
    }
    if queue.dispatching.get() > 1 && !matches!(queue.power.get(), Power::On | Power::Off) {
        // A transition waits until no handler runs: whoever leaves last has to look at it.
        queue.look_again.set(true);
    }
    queue.dispatching.set(queue.dispatching.get() - 1);
    true
}

/// One round.
fn round(queue: &Ref<Queue>, arrival: &mut Arrival) -> Round {
    let total = queue.waiting_count() + queue.driver_count.get() + u32::from(arrival.request.is_some());
    if let Some(round) = cancelations(queue, arrival) {
        return round;
    }
    if notices(queue, arrival, total) {
        return Round::Again;
    }
    if !matches!(queue.power.get(), Power::On | Power::Off) {
        if !arrival.wait(queue) || power::advance(queue) {
            return Round::Again;
        }
        return Round::Done;
    }
    if queue.disposing.get() && total == 0 && queue.dispatching.get() == 1 {
        queue.deleted.set(true);
        return Round::Ended;
    }
    if queue.power.get() == Power::Off || !queue.switches.get().dispatches() {
        return kept(queue, arrival);
    }
    if queue.dispatch == DispatchType::Manual {
        return manual(queue, arrival);
    }
    if !queue.dispatch.may_present(queue.driver_count.get()) {
        return kept(queue, arrival);
    }
    present_next(queue, arrival)
}

/// The new request waits, and nothing else is to be done.
fn kept(queue: &Ref<Queue>, arrival: &mut Arrival) -> Round {
    if arrival.wait(queue) { Round::Done } else { Round::Again }
}

/// Tells the driver about cancelled requests.
fn cancelations(queue: &Ref<Queue>, arrival: &mut Arrival) -> Option<Round> {
    if !queue.lists.borrow().cancelled.is_empty() {
        if !arrival.wait(queue) {
            return Some(Round::Again);
        }
        if cancel::call_cancelled(queue) {
            return Some(Round::Again);
        }
    }
    if !queue.lists.borrow().cancelled_on_queue.is_empty() {
        if !arrival.wait(queue) {
            return Some(Round::Again);
        }
        if cancel::call_cancelled_on_queue(queue) {
            return Some(Round::Again);
        }
    }
    None
}

/// Tells who wanted to know that the driver has no requests, or that the queue is empty. Only the outermost thread does.
fn notices(queue: &Ref<Queue>, arrival: &mut Arrival, total: u32) -> bool {
    if queue.dispatching.get() != 1 {
        return false;
    }
    if queue.driver_count.get() == 0 {
        let idle = queue.idle.borrow_mut().take();
        if let Some(notice) = idle {
            arrival.wait(queue);
            queue.cancel_returned.set(false);
            tell(queue, notice);
            return true;
        }
    }
    if total == 0 {
        let purged = queue.purged.borrow_mut().take();
        if let Some(notice) = purged {
            queue.cancel_returned.set(false);
            tell(queue, notice);
            return true;
        }
    }
    false
}

fn tell(queue: &Ref<Queue>, notice: Notice) {
    match notice {
        Notice::Framework(event) => event.set(),
        Notice::Driver(callback, context) => state_callback(queue, callback, context),
    }
}

/// Calls an EvtIoQueueState.
fn state_callback(queue: &Ref<Queue>, callback: PFN_WDF_IO_QUEUE_STATE, context: WDFCONTEXT) {
    let Some(callback) = callback else { return };
    let handle = queue.raw();
    sync::under(queue.lock.as_deref(), || {
        // SAFETY: the driver's callback for exactly this.
        call::void("EvtIoQueueState", || unsafe { callback(handle, context) }, String::new);
    });
}

/// A manual queue tells the driver that it is no longer empty.
fn manual(queue: &Ref<Queue>, arrival: &mut Arrival) -> Round {
    if !arrival.wait(queue) {
        return Round::Again;
    }
    let ready = *queue.ready.borrow();
    match ready {
        Some((callback, context)) if queue.filled.replace(false) => {
            state_callback(queue, callback, context);
            Round::Again
        }
        _ => Round::Done,
    }
}

/// Presents the next request: one that waits goes before the new one.
fn present_next(queue: &Ref<Queue>, arrival: &mut Arrival) -> Round {
    let next = match csq::take_waiting(queue, |_| true) {
        Some(waiting) => {
            arrival.wait(queue);
            Some(waiting)
        }
        None => arrival.request.take(),
    };
    let Some(request) = next else { return Round::Done };
    request.set_queue(Some(queue.clone()));
    queue.add_owned(&request);
    present::present(queue, &request);
    Round::Again
}

impl Queue {
    /// A request that this queue presented was completed.
    pub(crate) fn request_completed(self: &Queue, request: &Ref<Request>) {
        self.remove_owned(request);
        if let Some(queue) = self.device.io().find(self) {
            from_inside(&queue);
        }
    }
}
