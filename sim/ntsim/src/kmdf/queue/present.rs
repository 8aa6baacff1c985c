//! Presenting a request: the handler that fits is called, and requests that no handler wants are completed.

use super::cancel;
use super::object::Queue;
use crate::kmdf::object::Ref;
use crate::kmdf::request::Request;
use crate::kmdf::request::complete;
use crate::kmdf::request::irp::Irp;
use crate::kmdf::request::object::{Marks, Watcher};
use crate::kmdf::{call, sync};
use wdk_sys::*;

/// What becomes of a request.
enum Handler {
    /// `EvtIoRead` or `EvtIoWrite`, with the length.
    Transfer(&'static str, unsafe extern "win64" fn(WDFQUEUE, WDFREQUEST, usize), u32),
    /// `EvtIoDeviceControl` or `EvtIoInternalDeviceControl`.
    Control(
        &'static str,
        unsafe extern "win64" fn(WDFQUEUE, WDFREQUEST, usize, usize, ULONG),
    ),
    /// `EvtIoDefault`.
    Default(unsafe extern "win64" fn(WDFQUEUE, WDFREQUEST)),
    /// None: it is completed with this status.
    Complete(NTSTATUS),
}

/// The length of a read or write.
fn transfer_length(irp: Irp) -> Option<u32> {
    match irp.major() {
        IRP_MJ_READ => Some(irp.read_length()),
        IRP_MJ_WRITE => Some(irp.write_length()),
        _ => None,
    }
}

impl Queue {
    /// Whether a read or write of zero bytes is completed without troubling the driver.
    pub(super) fn completes_itself(&self, irp: Irp) -> bool {
        !self.allow_zero_length && transfer_length(irp) == Some(0)
    }

    fn handler(&self, irp: Irp) -> Handler {
        let calls = &self.callbacks;
        let specific = match irp.major() {
            IRP_MJ_READ => calls
                .read
                .map(|function| Handler::Transfer("EvtIoRead", function, irp.read_length())),
            IRP_MJ_WRITE => calls
                .write
                .map(|function| Handler::Transfer("EvtIoWrite", function, irp.write_length())),
            IRP_MJ_DEVICE_CONTROL => calls
                .control
                .map(|function| Handler::Control("EvtIoDeviceControl", function)),
            IRP_MJ_INTERNAL_DEVICE_CONTROL => calls
                .internal
                .map(|function| Handler::Control("EvtIoInternalDeviceControl", function)),
            _ => None,
        };
        match specific.or(calls.default.map(Handler::Default)) {
            None => Handler::Complete(STATUS_INVALID_DEVICE_REQUEST),
            Some(_) if self.completes_itself(irp) => Handler::Complete(STATUS_SUCCESS),
            Some(handler) => handler,
        }
    }
}

/// Gives a request to the driver. With the framework's verifier on the request object outlives its completion until the handler has returned.
pub(super) fn present(queue: &Ref<Queue>, request: &Ref<Request>) {
    let irp = request.live_irp(request.handle(), "presentation");
    request.watcher.set(Watcher::Queue);
    request.mark(Marks::DRIVER_OWNED);
    request.unmark(Marks::FORWARDED);
    let kept = cancel::keeps_requests();
    if kept {
        request.object().reference();
    }
    let handler = queue.handler(irp);
    if !matches!(handler, Handler::Complete(_)) {
        request.set_presented();
    }
    call_handler(queue, request, irp, handler);
    if kept {
        request.object().dereference();
    }
}

fn call_handler(queue: &Ref<Queue>, request: &Ref<Request>, irp: Irp, handler: Handler) {
    let (owner, handle) = (queue.raw(), request.raw());
    let lock = queue.lock.as_deref();
    match handler {
        Handler::Complete(status) => complete::complete_with(request, status, 0),
        Handler::Transfer(name, function, length) => sync::under(lock, || {
            // SAFETY: the driver's callback for exactly this.
            let call = || unsafe { function(owner, handle, length as usize) };
            call::void(name, call, || format!("length={length}"));
        }),
        Handler::Default(function) => sync::under(lock, || {
            // SAFETY: the driver's callback for exactly this.
            let call = || unsafe { function(owner, handle) };
            call::void("EvtIoDefault", call, String::new);
        }),
        Handler::Control(name, function) => {
            let control = irp.device_control();
            let (output, input) = (control.output as usize, control.input as usize);
            let args = || format!("code={:#x} out={output} in={input}", control.code);
            sync::under(lock, || {
                // SAFETY: the driver's callback for exactly this.
                let call = || unsafe { function(owner, handle, output, input, control.code) };
                call::void(name, call, args);
            });
        }
    }
}
