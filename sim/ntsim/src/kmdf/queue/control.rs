//! Starting, stopping, draining and purging a queue, with and without waiting; the end of a queue.

use super::object::{Notice, Queue};
use super::{cancel, csq, dispatch};
use crate::kmdf::event::Event;
use crate::kmdf::object::{self, Ref};
use crate::kmdf::verifier;
use crate::verifier::kmdf::WAIT_NOT_ALLOWED;
use crate::verifier::kmdf_request::QUEUE_FATAL;
use std::rc::Rc;
use wdk_sys::*;

/// Whether waiting requests are cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    Keep,
    Cancel,
}

/// The queue of a handle.
fn queue(handle: WDFQUEUE) -> Ref<Queue> {
    object::get::<Queue>(handle)
}

/// Takes requests and presents them.
fn start(queue: &Ref<Queue>) {
    queue.switches.set(queue.switches.get().started());
    queue.cancel_returned.set(false);
    if queue.waiting_count() > 0 {
        queue.filled.set(true);
    }
    dispatch::events(queue);
}

/// Takes requests, presents none. The notice comes when the driver has none left.
fn stop(queue: &Ref<Queue>, waiting: Waiting, notice: Option<Notice>) -> NTSTATUS {
    if queue.deleted.get() {
        return STATUS_DELETE_PENDING;
    }
    if let Some(notice) = notice {
        if queue.idle.borrow().is_some() {
            return STATUS_INVALID_DEVICE_REQUEST;
        }
        *queue.idle.borrow_mut() = Some(notice);
    }
    queue.switches.set(queue.switches.get().stopped());
    if waiting == Waiting::Cancel {
        queue.cancel_returned.set(true);
        let present = csq::peek_waiting(queue);
        present.iter().for_each(|request| request.set_cancelled());
        cancel::cancel_waiting(queue, |request| request.was_cancelled());
        cancel::cancel_at_driver(queue);
    }
    dispatch::events(queue);
    STATUS_SUCCESS
}

/// Takes no more requests, goes on with those it has. The notice comes when there are none left.
fn drain(queue: &Ref<Queue>, notice: Option<Notice>) -> NTSTATUS {
    let status = close_entrance(queue, notice);
    if NT_SUCCESS(status) {
        dispatch::events(queue);
    }
    status
}

/// Takes no more requests, cancels those that wait and those that the driver made cancelable.
pub(super) fn purge(queue: &Ref<Queue>, notice: Option<Notice>) -> NTSTATUS {
    let status = close_entrance(queue, notice);
    if NT_SUCCESS(status) {
        queue.cancel_returned.set(true);
        cancel::cancel_waiting(queue, |_| true);
        cancel::cancel_at_driver(queue);
        dispatch::events(queue);
    }
    status
}

fn close_entrance(queue: &Ref<Queue>, notice: Option<Notice>) -> NTSTATUS {
    if queue.deleted.get() {
        return STATUS_DELETE_PENDING;
    }
    if let Some(notice) = notice {
        if queue.purged.borrow().is_some() {
            return STATUS_INVALID_DEVICE_REQUEST;
        }
        *queue.purged.borrow_mut() = Some(notice);
    }
    queue.switches.set(queue.switches.get().closed());
    STATUS_SUCCESS
}

/// The queue is being disposed: purges it and waits until nothing is left.
pub(super) fn close(queue: &Ref<Queue>) {
    queue.disposing.set(true);
    let status = purge(queue, None);
    if NT_SUCCESS(status) {
        queue.ended.wait();
    }
}

/// The notice of a driver's callback, if it gave one.
fn driver_notice(callback: PFN_WDF_IO_QUEUE_STATE, context: WDFCONTEXT) -> Option<Notice> {
    callback.map(|_| Notice::Driver(callback, context))
}

/// A queue cannot do two such things at once: bug check 0x10D/A.
fn demand(queue: &Ref<Queue>, status: NTSTATUS, function: &str) {
    if !NT_SUCCESS(status) {
        let text = format!(
            "{function} on WDFQUEUE {:?} while an earlier one is not complete ({:#x})",
            queue.handle(),
            status.cast_unsigned()
        );
        verifier::fatal(QUEUE_FATAL, queue.handle().value(), 0, text);
    }
}

/// Does something with a notice and waits for it. With the framework's verifier on, refused above PASSIVE_LEVEL.
fn and_wait(queue: &Ref<Queue>, function: &str, act: impl FnOnce(Option<Notice>) -> NTSTATUS) {
    // SAFETY: callable in any context.
    let irql = unsafe { ntddk::KeGetCurrentIrql() };
    if u32::from(irql) != PASSIVE_LEVEL && verifier::verifier_on() {
        verifier::debug_break(WAIT_NOT_ALLOWED, format!("{function} at IRQL {irql}"));
        return;
    }
    let event = Rc::new(Event::new(false));
    let status = act(Some(Notice::Framework(Rc::clone(&event))));
    demand(queue, status, function);
    // SAFETY: PASSIVE_LEVEL; left below.
    unsafe { ntddk::KeEnterCriticalRegion() };
    event.wait();
    // SAFETY: entered above.
    unsafe { ntddk::KeLeaveCriticalRegion() };
}

wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// Lets the queue take and present requests.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfIoQueueStart(handle: WDFQUEUE) {
        start(&queue(handle));
    }

    /// Stops presenting requests; new ones wait.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfIoQueueStop(handle: WDFQUEUE, complete: PFN_WDF_IO_QUEUE_STATE, context: WDFCONTEXT) {
        let queue = queue(handle);
        demand(&queue, stop(&queue, Waiting::Keep, driver_notice(complete, context)), "WdfIoQueueStop");
    }

    /// Stops presenting requests and waits until the driver has none.
    #[irql(PASSIVE_LEVEL)]
    fn WdfIoQueueStopSynchronously(handle: WDFQUEUE) {
        let queue = queue(handle);
        and_wait(&queue, "WdfIoQueueStopSynchronously", |notice| stop(&queue, Waiting::Keep, notice));
    }

    /// Stops presenting requests and cancels those that wait now.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfIoQueueStopAndPurge(handle: WDFQUEUE, complete: PFN_WDF_IO_QUEUE_STATE, context: WDFCONTEXT) {
        let queue = queue(handle);
        demand(&queue, stop(&queue, Waiting::Cancel, driver_notice(complete, context)), "WdfIoQueueStopAndPurge");
    }

    /// Stops presenting requests, cancels those that wait now, and waits until the driver has none.
    #[irql(PASSIVE_LEVEL)]
    fn WdfIoQueueStopAndPurgeSynchronously(handle: WDFQUEUE) {
        let queue = queue(handle);
        and_wait(&queue, "WdfIoQueueStopAndPurgeSynchronously", |notice| stop(&queue, Waiting::Cancel, notice));
    }

    /// Refuses new requests; those that wait are still presented.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfIoQueueDrain(handle: WDFQUEUE, complete: PFN_WDF_IO_QUEUE_STATE, context: WDFCONTEXT) {
        let queue = queue(handle);
        demand(&queue, drain(&queue, driver_notice(complete, context)), "WdfIoQueueDrain");
    }

    /// Refuses new requests and waits until the queue is empty and the driver has none.
    #[irql(PASSIVE_LEVEL)]
    fn WdfIoQueueDrainSynchronously(handle: WDFQUEUE) {
        let queue = queue(handle);
        and_wait(&queue, "WdfIoQueueDrainSynchronously", |notice| drain(&queue, notice));
    }

    /// Refuses new requests, cancels those that wait and the cancelable ones of the driver.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfIoQueuePurge(handle: WDFQUEUE, complete: PFN_WDF_IO_QUEUE_STATE, context: WDFCONTEXT) {
        let queue = queue(handle);
        demand(&queue, purge(&queue, driver_notice(complete, context)), "WdfIoQueuePurge");
    }

    /// Purges the queue and waits until the driver has no request.
    #[irql(PASSIVE_LEVEL)]
    fn WdfIoQueuePurgeSynchronously(handle: WDFQUEUE) {
        let queue = queue(handle);
        and_wait(&queue, "WdfIoQueuePurgeSynchronously", |notice| purge(&queue, notice));
    }
}
