//! Taking requests out of a queue on the driver's initiative, looking for them, and asking about the queue.

use super::object::{Power, Queue};
use super::state::DispatchType;
use super::{csq, dispatch};
use crate::kmdf::file::FileObject;
use crate::kmdf::object::{self, Ref};
use crate::kmdf::request::object::{Marks, Watcher};
use crate::kmdf::request::status::STATUS_WDF_PAUSED;
use crate::kmdf::request::{Request, complete, queries};
use crate::kmdf::verifier;
use crate::verifier::kmdf::REQUIRED_PARAMETER_IS_NULL;
use crate::verifier::kmdf_request::QUEUE_WRONG_OPERATION;
use wdk_sys::*;

/// The queue of a handle.
fn queue(handle: WDFQUEUE) -> Ref<Queue> {
    object::get::<Queue>(handle)
}

/// Which request is wanted.
enum Wanted {
    /// The next.
    Any,
    /// The next of this file.
    File(PFILE_OBJECT),
    /// This one.
    Found(Ref<Request>),
}

impl Wanted {
    fn is(&self, request: &Ref<Request>) -> bool {
        match self {
            Self::Any => true,
            Self::File(file) => request.irp().is_some_and(|irp| irp.file() == *file),
            Self::Found(found) => found.handle() == request.handle(),
        }
    }
}

/// Gives the driver a waiting request.
fn retrieve(queue: &Ref<Queue>, wanted: &Wanted) -> Result<Ref<Request>, NTSTATUS> {
    check_kind(queue, wanted)?;
    if queue.power.get() == Power::Off || !queue.switches.get().dispatches() {
        return Err(STATUS_WDF_PAUSED);
    }
    let request = loop {
        let Some(request) = csq::take_waiting(queue, |request| wanted.is(request)) else {
            return Err(if matches!(wanted, Wanted::Found(_)) {
                STATUS_NOT_FOUND
            } else {
                STATUS_NO_MORE_ENTRIES
            });
        };
        let irp = request.live_irp(request.handle(), "retrieval");
        if !queue.completes_itself(irp) {
            break request;
        }
        complete::complete_with(&request, STATUS_SUCCESS, 0);
    };
    queue.add_owned(&request);
    request.watcher.set(Watcher::Queue);
    request.unmark(Marks::TAG);
    request.mark(Marks::DRIVER_OWNED);
    request.set_presented();
    Ok(request)
}

/// Parallel queues present requests themselves; a sequential one must not be emptied behind its back.
fn check_kind(queue: &Ref<Queue>, wanted: &Wanted) -> Result<(), NTSTATUS> {
    let found = matches!(wanted, Wanted::Found(_));
    if found && queue.dispatch != DispatchType::Manual && verifier::verifier_on() {
        verifier::debug_break(
            QUEUE_WRONG_OPERATION,
            format!(
                "WdfIoQueueRetrieveFoundRequest: WDFQUEUE {:?} is not manual",
                queue.handle()
            ),
        );
        return Err(STATUS_INVALID_DEVICE_REQUEST);
    }
    if queue.dispatch == DispatchType::Sequential && queue.driver_count.get() == 0 {
        let text = format!(
            "a request was retrieved from sequential WDFQUEUE {:?} while the driver had none: that races with presentation",
            queue.handle()
        );
        verifier::debug_break(QUEUE_WRONG_OPERATION, text);
    }
    if matches!(queue.dispatch, DispatchType::Parallel(_)) {
        Err(STATUS_INVALID_DEVICE_STATE)
    } else {
        Ok(())
    }
}

/// Looks for a waiting request, behind one that was found before, and adds a reference to it.
fn find(queue: &Ref<Queue>, after: Option<Ref<Request>>, file: Option<PFILE_OBJECT>) -> Result<Ref<Request>, NTSTATUS> {
    if queue.dispatch != DispatchType::Manual {
        verifier::debug_break(
            QUEUE_WRONG_OPERATION,
            format!("WdfIoQueueFindRequest: WDFQUEUE {:?} is not manual", queue.handle()),
        );
        return Err(STATUS_INVALID_DEVICE_REQUEST);
    }
    let waiting = csq::peek_waiting(queue);
    let start = match after {
        None => 0,
        Some(after) => {
            1 + waiting
                .iter()
                .position(|request| request.handle() == after.handle())
                .ok_or(STATUS_NOT_FOUND)?
        }
    };
    let wanted = file.map_or(Wanted::Any, Wanted::File);
    let found = waiting
        .into_iter()
        .skip(start)
        .find(|request| wanted.is(request))
        .ok_or(STATUS_NO_MORE_ENTRIES)?;
    found.object().reference();
    found.mark(Marks::TAG);
    Ok(found)
}

/// The file object behind a handle.
fn file_of(handle: WDFFILEOBJECT) -> PFILE_OBJECT {
    object::get::<FileObject>(handle).wdm()
}

/// Writes a handle, or null, where the driver wants it.
fn hand_out(found: Result<Ref<Request>, NTSTATUS>, place: *mut WDFREQUEST) -> NTSTATUS {
    if place.is_null() {
        verifier::fatal(REQUIRED_PARAMETER_IS_NULL, 0, 0, "the place for the request is null");
    }
    let (status, handle) = match found {
        Ok(request) => (STATUS_SUCCESS, request.raw()),
        Err(status) => (status, core::ptr::null_mut()),
    };
    // SAFETY: not null; the driver's own variable.
    unsafe { place.write(handle) };
    status
}

/// Sets or clears the callback that says that a manual queue is no longer empty.
fn ready_notify(queue: &Ref<Queue>, callback: PFN_WDF_IO_QUEUE_STATE, context: WDFCONTEXT) -> NTSTATUS {
    let registered = queue.ready.borrow().is_some();
    let wrong = if queue.dispatch != DispatchType::Manual {
        Some("the queue is not manual")
    } else if callback.is_some() && registered {
        Some("a callback is registered already")
    } else if callback.is_none() && !registered {
        Some("no callback is registered")
    } else if callback.is_none() && queue.switches.get().dispatches() {
        Some("the queue must be stopped before the callback is cleared")
    } else {
        None
    };
    if let Some(why) = wrong {
        verifier::debug_break(
            QUEUE_WRONG_OPERATION,
            format!("WdfIoQueueReadyNotify on WDFQUEUE {:?}: {why}", queue.handle()),
        );
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if queue.deleted.get() {
        return STATUS_DELETE_PENDING;
    }
    *queue.ready.borrow_mut() = callback.map(|_| (callback, context));
    dispatch::events(queue);
    STATUS_SUCCESS
}

/// The state as the driver sees it, and the two counts.
fn state(queue: &Ref<Queue>) -> (WDF_IO_QUEUE_STATE, u32, u32) {
    let (waiting, owned) = (queue.waiting_count(), queue.driver_count.get());
    let switches = queue.switches.get();
    let flags = [
        (switches.accepts(), _WDF_IO_QUEUE_STATE::WdfIoQueueAcceptRequests),
        (switches.dispatches(), _WDF_IO_QUEUE_STATE::WdfIoQueueDispatchRequests),
        (waiting == 0, _WDF_IO_QUEUE_STATE::WdfIoQueueNoRequests),
        (owned == 0, _WDF_IO_QUEUE_STATE::WdfIoQueueDriverNoRequests),
        (
            queue.power_managed && queue.power.get() != Power::On,
            _WDF_IO_QUEUE_STATE::WdfIoQueuePnpHeld,
        ),
    ];
    let state = flags
        .into_iter()
        .filter(|(on, _)| *on)
        .fold(0, |state, (_, flag)| state | flag);
    (state, waiting, owned)
}

wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// Takes the next request out of a manual or sequential queue.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfIoQueueRetrieveNextRequest(handle: WDFQUEUE, place: *mut WDFREQUEST) -> NTSTATUS {
        hand_out(retrieve(&queue(handle), &Wanted::Any), place)
    }

    /// Takes the next request of a file out of a manual or sequential queue.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfIoQueueRetrieveRequestByFileObject(handle: WDFQUEUE, file: WDFFILEOBJECT, place: *mut WDFREQUEST) -> NTSTATUS {
        hand_out(retrieve(&queue(handle), &Wanted::File(file_of(file))), place)
    }

    /// Looks for a request in a manual queue without taking it; the driver must dereference what it finds.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfIoQueueFindRequest(handle: WDFQUEUE, after: WDFREQUEST, file: WDFFILEOBJECT, parameters: PWDF_REQUEST_PARAMETERS, place: *mut WDFREQUEST) -> NTSTATUS {
        let queue = queue(handle);
        if !parameters.is_null() && !queries::check_parameters(parameters) {
            return STATUS_INFO_LENGTH_MISMATCH;
        }
        let after = (!after.is_null()).then(|| object::get::<Request>(after));
        let file = (!file.is_null()).then(|| file_of(file));
        let found = find(&queue, after, file);
        if let Ok(request) = &found && !parameters.is_null() {
            let _status = queries::parameters(request, parameters);
        }
        hand_out(found, place)
    }

    /// Takes a request that was found out of a manual queue.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfIoQueueRetrieveFoundRequest(handle: WDFQUEUE, found: WDFREQUEST, place: *mut WDFREQUEST) -> NTSTATUS {
        let queue = queue(handle);
        let found = object::get::<Request>(found);
        hand_out(retrieve(&queue, &Wanted::Found(found)), place)
    }

    /// Has the driver told when a manual queue is no longer empty; null ends that.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfIoQueueReadyNotify(handle: WDFQUEUE, callback: PFN_WDF_IO_QUEUE_STATE, context: WDFCONTEXT) -> NTSTATUS {
        ready_notify(&queue(handle), callback, context)
    }

    /// The state of a queue, the number of waiting requests and the number that the driver has.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfIoQueueGetState(handle: WDFQUEUE, waiting: PULONG, owned: PULONG) -> WDF_IO_QUEUE_STATE {
        let found = state(&queue(handle));
        for (place, value) in [(waiting, found.1), (owned, found.2)] {
            if !place.is_null() {
                // SAFETY: not null; the driver's own variable.
                unsafe { place.write(value) };
            }
        }
        found.0
    }

    /// The device of a queue.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfIoQueueGetDevice(handle: WDFQUEUE) -> WDFDEVICE {
        queue(handle).device.raw()
    }
}
