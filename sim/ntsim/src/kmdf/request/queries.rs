//! The functions that ask about a request.

use super::object::Request;
use super::verify;
use crate::kmdf::object::{self, Ref};
use crate::kmdf::verifier;
use crate::verifier::kmdf::{REQUIRED_PARAMETER_IS_NULL, WRONG_STRUCTURE_SIZE};
use crate::verifier::kmdf_request::REQUEST_NO_FILE_OBJECT;
use wdk_sys::*;

/// The request of a handle.
fn request(handle: WDFREQUEST) -> Ref<Request> {
    object::get::<Request>(handle)
}

/// Fills in a request's parameters.
pub(crate) fn parameters(request: &Ref<Request>, place: PWDF_REQUEST_PARAMETERS) -> NTSTATUS {
    if let Err(status) = verify::not_completed(request, "WdfRequestGetParameters") {
        return status;
    }
    let irp = request.live_irp(request.handle(), "WdfRequestGetParameters");
    let mut parameters = irp.parameters();
    let neither = irp.major() == IRP_MJ_DEVICE_CONTROL && irp.device_control().method() == METHOD_NEITHER;
    if neither && verifier::verifier_on() {
        // User addresses are for EvtIoInCallerContext.
        parameters.DeviceIoControl.Type3InputBuffer = core::ptr::null_mut();
    }
    let size = USHORT::try_from(size_of::<WDF_REQUEST_PARAMETERS>()).expect("a small structure");
    let kind = irp.major().cast_signed();
    let filled = WDF_REQUEST_PARAMETERS {
        Size: size,
        MinorFunction: irp.minor(),
        Type: kind,
        Parameters: parameters,
    };
    // SAFETY: the caller checked the pointer.
    unsafe { place.write(filled) };
    STATUS_SUCCESS
}

/// Whether the driver's structure for parameters is there and has the right size.
pub(crate) fn check_parameters(place: PWDF_REQUEST_PARAMETERS) -> bool {
    if place.is_null() {
        verifier::fatal(REQUIRED_PARAMETER_IS_NULL, 0, 0, "the place for the parameters is null");
    }
    // SAFETY: not null; the driver's own structure.
    let size = unsafe { (*place).Size };
    let fits = usize::from(size) >= size_of::<WDF_REQUEST_PARAMETERS>();
    if !fits {
        verifier::debug_break(WRONG_STRUCTURE_SIZE, format!("WDF_REQUEST_PARAMETERS with Size {size}"));
    }
    fits
}

/// The file object of a request; null, after a verifier break, when the driver has none.
fn file_object(request: &Ref<Request>) -> WDFFILEOBJECT {
    if verify::not_completed(request, "WdfRequestGetFileObject").is_err() {
        return core::ptr::null_mut();
    }
    let irp = request.live_irp(request.handle(), "WdfRequestGetFileObject");
    if let Some(found) = request.device().file_object(irp.file()) {
        return found.raw();
    }
    verifier::debug_break(REQUEST_NO_FILE_OBJECT, format!("WDFREQUEST {:?}", request.handle()));
    core::ptr::null_mut()
}

wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// The parameters: lengths, control code...
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestGetParameters(handle: WDFREQUEST, place: PWDF_REQUEST_PARAMETERS) {
        let request = request(handle);
        if check_parameters(place) {
            let _status = parameters(&request, place);
        }
    }

    /// The status in the IRP.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestGetStatus(handle: WDFREQUEST) -> NTSTATUS {
        let request = request(handle);
        request.live_irp(request.handle(), "WdfRequestGetStatus").status()
    }

    /// The number of bytes in the IRP.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestGetInformation(handle: WDFREQUEST) -> ULONG_PTR {
        let request = request(handle);
        if verify::not_completed(&request, "WdfRequestGetInformation").is_err() {
            return 0;
        }
        request.live_irp(request.handle(), "WdfRequestGetInformation").information()
    }

    /// Sets the number of bytes in the IRP.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestSetInformation(handle: WDFREQUEST, information: ULONG_PTR) {
        let request = request(handle);
        if verify::not_completed(&request, "WdfRequestSetInformation").is_ok() {
            request.live_irp(request.handle(), "WdfRequestSetInformation").set_information(information);
        }
    }

    /// The file object through which the request came.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestGetFileObject(handle: WDFREQUEST) -> WDFFILEOBJECT {
        file_object(&request(handle))
    }

    /// Whether user mode or the kernel sent the request.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestGetRequestorMode(handle: WDFREQUEST) -> KPROCESSOR_MODE {
        let request = request(handle);
        request.live_irp(request.handle(), "WdfRequestGetRequestorMode").requestor_mode()
    }

    /// The queue that the request is in, or that presented it; null when it came through none.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestGetIoQueue(handle: WDFREQUEST) -> WDFQUEUE {
        request(handle).queue().map_or(core::ptr::null_mut(), |queue| queue.raw())
    }

    /// The IRP.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestWdmGetIrp(handle: WDFREQUEST) -> PIRP {
        let request = request(handle);
        let _checked = verify::not_completed(&request, "WdfRequestWdmGetIrp");
        request.irp().map_or(core::ptr::null_mut(), |irp| irp.raw())
    }

    /// Whether the request was cancelled.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestIsCanceled(handle: WDFREQUEST) -> BOOLEAN {
        let request = request(handle);
        if verify::owned_and_not_cancelable(&request, "WdfRequestIsCanceled").is_err() {
            return 0;
        }
        let irp = request.live_irp(request.handle(), "WdfRequestIsCanceled");
        BOOLEAN::from(irp.is_cancelled() || request.was_cancelled())
    }

    /// Whether the request comes from a reserve for low memory: never, here.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfRequestIsReserved(handle: WDFREQUEST) -> BOOLEAN {
        let _request = request(handle);
        0
    }
}
