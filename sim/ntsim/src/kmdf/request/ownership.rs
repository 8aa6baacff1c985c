//! The functions that give a request away or back: cancelation, forwarding, requeueing, the answer to EvtIoStop.

use super::object::Request;
use crate::kmdf::object::{self, Ref};
use crate::kmdf::queue::{Queue, cancel, forward, power};
use crate::kmdf::verifier;
use crate::verifier::kmdf::REQUIRED_PARAMETER_IS_NULL;
use crate::verifier::kmdf_request::REQUEST_NOT_OWNED;
use wdk_sys::*;

/// The request of a handle, and the queue that presented it; `None`, after a verifier break, when there is no queue.
fn presented(handle: WDFREQUEST, function: &str) -> Option<(Ref<Request>, Ref<Queue>)> {
    let request = object::get::<Request>(handle);
    match request.queue() {
        Some(queue) => Some((request, queue)),
        None => {
            verifier::debug_break(
                REQUEST_NOT_OWNED,
                format!("{function}: WDFREQUEST {:?} belongs to no queue", request.handle()),
            );
            None
        }
    }
}

fn require_cancel(callback: PFN_WDF_REQUEST_CANCEL) {
    if callback.is_none() {
        verifier::fatal(REQUIRED_PARAMETER_IS_NULL, 0, 0, "EvtRequestCancel is null");
    }
}

wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// Makes a request cancelable. If it was cancelled already, EvtRequestCancel is called.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestMarkCancelable(request: WDFREQUEST, callback: PFN_WDF_REQUEST_CANCEL) {
        require_cancel(callback);
        if let Some((request, queue)) = presented(request, "WdfRequestMarkCancelable") {
            let _status = cancel::mark(&queue, &request, callback, cancel::IfCancelled::CallBack);
        }
    }

    /// Makes a request cancelable. If it was cancelled already, fails, and EvtRequestCancel is not called.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestMarkCancelableEx(request: WDFREQUEST, callback: PFN_WDF_REQUEST_CANCEL) -> NTSTATUS {
        require_cancel(callback);
        match presented(request, "WdfRequestMarkCancelableEx") {
            Some((request, queue)) => cancel::mark(&queue, &request, callback, cancel::IfCancelled::Fail),
            None => STATUS_INVALID_DEVICE_REQUEST,
        }
    }

    /// Takes cancelability back. STATUS_CANCELLED: EvtRequestCancel was called or will be, and must complete the request.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestUnmarkCancelable(request: WDFREQUEST) -> NTSTATUS {
        match presented(request, "WdfRequestUnmarkCancelable") {
            Some((request, _)) => cancel::unmark(&request),
            None => STATUS_INVALID_DEVICE_REQUEST,
        }
    }

    /// Gives a request to another queue of the same device.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestForwardToIoQueue(request: WDFREQUEST, destination: WDFQUEUE) -> NTSTATUS {
        let request = object::get::<Request>(request);
        let destination = object::get::<Queue>(destination);
        forward::to_queue(&request, &destination)
    }

    /// Gives a request back to the head of the manual queue it was taken from.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestRequeue(request: WDFREQUEST) -> NTSTATUS {
        match presented(request, "WdfRequestRequeue") {
            Some((request, queue)) => forward::requeue(&queue, &request),
            None => STATUS_INVALID_DEVICE_REQUEST,
        }
    }

    /// Answers EvtIoStop: the driver keeps the request, or gives it back to the queue.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestStopAcknowledge(request: WDFREQUEST, requeue: BOOLEAN) {
        if let Some((request, queue)) = presented(request, "WdfRequestStopAcknowledge") {
            power::acknowledge(&queue, &request, requeue != 0);
        }
    }
}
