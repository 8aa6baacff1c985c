//! Completion: the checks, the driver's cleanup callback, the IRP, the queue's next request.

use super::irp::Irp;
use super::object::{Listed, Marks, Request, Watcher};
use super::{status, verify};
use crate::kmdf::object::{self, Ref};
use crate::kmdf::queue::csq;
use crate::kmdf::{dma, file, verifier};
use crate::verifier as rules;
use crate::verifier::kmdf_request::*;
use wdk_sys::*;

/// Completes a request, for the driver or for the framework itself.
pub(crate) fn complete(request: &Ref<Request>, with: NTSTATUS, boost: CCHAR) {
    let irp = request.live_irp(request.handle(), "completion");
    if verifier::verifier_on() {
        check_cancelable(request);
        check_information(request, irp, with);
    }
    drop_cancelability(request);
    request.set_completed();
    keep_system_buffer(irp);
    let with = status::completed(with);
    let watcher = request.watcher.replace(Watcher::Nobody);
    let queue = request.queue();
    request.set_queue(None);
    dma::check_completion(request.handle(), irp.mdl());
    dma::check_completion(request.handle(), request.own_mdl());
    end_object(request);
    irp.set_status(with);
    let _irp = request.take_irp();
    if irp.major() == IRP_MJ_CREATE {
        file::create_completed(request.device(), irp.raw(), with);
    }
    irp.complete(boost);
    if watcher == Watcher::Queue
        && let Some(queue) = queue
    {
        queue.request_completed(request);
    }
    request.object().delete();
}

/// Completes a request with a status and a length.
pub(crate) fn complete_with(request: &Ref<Request>, with: NTSTATUS, information: ULONG_PTR) {
    request
        .live_irp(request.handle(), "completion")
        .set_information(information);
    complete(request, with, 0);
}

/// The driver's cleanup callback runs while the IRP is still there; then nobody may use its buffers any more.
fn end_object(request: &Ref<Request>) {
    if !request.was_presented() {
        request.object().clear_callbacks();
    }
    request.object().early_dispose();
    request.object().destroy_children();
    let users = request.users();
    if users > 0 {
        let text = format!(
            "WDFREQUEST {:?} was completed while {users} users of its buffers were left (running DMA transactions, referenced WDFMEMORYs)",
            request.handle()
        );
        verifier::fatal(
            REQUEST_COMPLETED_WITH_REFERENCES,
            request.handle().value(),
            u64::from(users),
            text,
        );
    }
    let mdl = request.own_mdl();
    if !mdl.is_null() {
        request.set_own_mdl(core::ptr::null_mut());
        // SAFETY: made by the framework for this request, and no longer used.
        unsafe { ntddk::IoFreeMdl(mdl) };
    }
}

/// A driver that completes a cancelable request races with its own cancel callback.
fn check_cancelable(request: &Ref<Request>) {
    let marks = request.marks();
    if marks.contains(Marks::CANCELABLE) && !marks.contains(Marks::CANCELLED) {
        verifier::debug_break(
            REQUEST_COMPLETED_CANCELABLE,
            format!("WDFREQUEST {:?}", request.handle()),
        );
    }
}

/// Takes a request that is still cancelable out of the queue's list.
fn drop_cancelability(request: &Ref<Request>) {
    if request.listed.get() == Listed::No {
        return;
    }
    if !verifier::verifier_on() {
        rules::violation(
            REQUEST_COMPLETED_CANCELABLE,
            format!("WDFREQUEST {:?}", request.handle()),
        );
    }
    let _cancelled = csq::remove(request);
}

/// `Information` must not exceed the buffer that the I/O manager copies to.
fn check_information(request: &Ref<Request>, irp: Irp, with: NTSTATUS) {
    let user = irp.requestor_mode() == _MODE::UserMode as KPROCESSOR_MODE;
    let limit = match irp.major() {
        IRP_MJ_READ => Some(irp.read_length()),
        IRP_MJ_WRITE => Some(irp.write_length()),
        IRP_MJ_DEVICE_CONTROL if user => Some(irp.device_control().output).filter(|length| *length > 0),
        _ => None,
    };
    let Some(limit) = limit else { return };
    if NT_SUCCESS(with) && irp.information() > ULONG_PTR::from(limit) {
        let text = format!(
            "WDFREQUEST {:?}: Information {} is more than the {limit} bytes of the buffer",
            request.handle(),
            irp.information()
        );
        // Parameter 2 says which fatal error: 4 is the length mismatch.
        verifier::fatal(REQUEST_INFORMATION_TOO_LARGE, 4, request.handle().value(), text);
    }
}

/// The I/O manager marks buffered requests without output as if they had some: Information must not make it copy then.
fn keep_system_buffer(irp: Irp) {
    let user = irp.requestor_mode() == _MODE::UserMode as KPROCESSOR_MODE;
    if irp.major() != IRP_MJ_DEVICE_CONTROL || !user || irp.flags() & IRP_INPUT_OPERATION == 0 {
        return;
    }
    let control = irp.device_control();
    if control.method() == METHOD_BUFFERED && control.output == 0 {
        if irp.information() != 0 {
            verifier::debug_break(
                REQUEST_INFORMATION_WITHOUT_OUTPUT,
                format!("Information {}", irp.information()),
            );
        }
        irp.set_flags(irp.flags() & !IRP_INPUT_OPERATION);
    }
}

/// The request of a handle that the driver completes.
fn driver_completes(handle: WDFREQUEST, function: &str) -> Option<Ref<Request>> {
    let request = object::get::<Request>(handle);
    verify::owned(&request, function).ok()?;
    Some(request)
}

wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// Completes a request; Information keeps the value it has.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestComplete(request: WDFREQUEST, status: NTSTATUS) {
        if let Some(request) = driver_completes(request, "WdfRequestComplete") {
            complete(&request, status, 0);
        }
    }

    /// Completes a request with a priority boost for the waiting thread.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestCompleteWithPriorityBoost(request: WDFREQUEST, status: NTSTATUS, boost: CCHAR) {
        if let Some(request) = driver_completes(request, "WdfRequestCompleteWithPriorityBoost") {
            complete(&request, status, boost);
        }
    }

    /// Completes a request with a number of bytes.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestCompleteWithInformation(request: WDFREQUEST, status: NTSTATUS, information: ULONG_PTR) {
        if let Some(request) = driver_completes(request, "WdfRequestCompleteWithInformation") {
            complete_with(&request, status, information);
        }
    }
}
