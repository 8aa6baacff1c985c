//! Cancel-safe lists: a request that waits can be cancelled by the I/O manager at any moment, and is then either in the list or being cancelled, never both.
//!
//! As in every driver the IRP's cancel routine decides: whoever exchanges it for null owns the IRP.

use super::cancel;
use super::object::Queue;
use crate::kmdf::object::{self, Ref};
use crate::kmdf::request::Request;
use crate::kmdf::request::irp::Irp;
use crate::kmdf::request::object::Listed;
use wdk_sys::*;

/// The IRP was cancelled: it is not in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cancelled;

/// Which end of the waiting list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It is the next.
    Head,
    /// It is the last.
    Tail,
}

/// Puts a request into the list of waiting ones.
pub(super) fn insert_waiting(queue: &Ref<Queue>, request: &Ref<Request>, end: End) -> Result<(), Cancelled> {
    arm(request)?;
    request.listed.set(Listed::Waiting);
    request.set_queue(Some(queue.clone()));
    let mut lists = queue.lists.borrow_mut();
    match end {
        End::Head => lists.waiting.push_front(request.clone()),
        End::Tail => lists.waiting.push_back(request.clone()),
    }
    Ok(())
}

/// Puts a request into the list of those that the driver made cancelable.
pub(super) fn insert_cancelable(queue: &Ref<Queue>, request: &Ref<Request>) -> Result<(), Cancelled> {
    arm(request)?;
    request.listed.set(Listed::Cancelable);
    queue.lists.borrow_mut().cancelable.push(request.clone());
    Ok(())
}

/// Sets the cancel routine, unless the IRP is cancelled.
fn arm(request: &Ref<Request>) -> Result<(), Cancelled> {
    let irp = request.live_irp(request.handle(), "queueing");
    irp.mark_pending();
    irp.set_tag(request.handle().raw());
    irp.exchange_cancel_routine(Some(FxCancel));
    if irp.is_cancelled() && irp.exchange_cancel_routine(None).is_some() {
        return Err(Cancelled);
    }
    Ok(())
}

/// Takes a request out of its list. `Err`: its cancel routine is running, and will find it.
pub(crate) fn remove(request: &Ref<Request>) -> Result<(), Cancelled> {
    let armed = request
        .irp()
        .is_some_and(|irp| irp.exchange_cancel_routine(None).is_some());
    if !armed {
        return Err(Cancelled);
    }
    unlist(request);
    Ok(())
}

/// Forgets where a request is listed.
fn unlist(request: &Ref<Request>) {
    let listed = request.listed.replace(Listed::No);
    let Some(queue) = request.queue() else { return };
    let mut lists = queue.lists.borrow_mut();
    match listed {
        Listed::Waiting => lists.waiting.retain(|found| found.handle() != request.handle()),
        Listed::Cancelable => lists.cancelable.retain(|found| found.handle() != request.handle()),
        Listed::No => {}
    }
}

/// The first waiting request that satisfies `wanted` and is not being cancelled, taken out.
pub(super) fn take_waiting(queue: &Ref<Queue>, wanted: impl Fn(&Ref<Request>) -> bool) -> Option<Ref<Request>> {
    let waiting: Vec<_> = queue.lists.borrow().waiting.iter().cloned().collect();
    waiting
        .into_iter()
        .filter(wanted)
        .find(|request| remove(request).is_ok())
}

/// The first cancelable request, taken out.
pub(super) fn take_cancelable(queue: &Ref<Queue>) -> Option<Ref<Request>> {
    let cancelable = queue.lists.borrow().cancelable.clone();
    cancelable.into_iter().find(|request| remove(request).is_ok())
}

/// The waiting requests that are not being cancelled, first one first.
pub(super) fn peek_waiting(queue: &Ref<Queue>) -> Vec<Ref<Request>> {
    let armed = |request: &&Ref<Request>| {
        request.irp().is_some_and(|irp| {
            let routine = irp.exchange_cancel_routine(None);
            irp.exchange_cancel_routine(routine);
            routine.is_some()
        })
    };
    queue.lists.borrow().waiting.iter().filter(armed).cloned().collect()
}

framework_callbacks! {
    /// The I/O manager cancels an IRP that is in a list. It took the cancel routine away, and holds the cancel spin lock.
    fn FxCancel(_device: *mut DEVICE_OBJECT, irp: *mut IRP) {
        let irp = Irp::new(irp);
        // SAFETY: the I/O manager acquired the lock and left the IRQL here.
        unsafe { ntddk::IoReleaseCancelSpinLock(irp.cancel_irql()) };
        let Some(request) = object::find::<Request>(irp.tag().cast()) else { return };
        let Some(queue) = request.queue() else { return };
        let listed = request.listed.get();
        unlist(&request);
        request.set_cancelled();
        match listed {
            Listed::Waiting => cancel::waiting(&queue, &request),
            Listed::Cancelable => cancel::at_driver(&queue, &request),
            Listed::No => {}
        }
    }
}
