//! What the framework's verifier checks before it lets the driver act on a request. With the verifier off nothing is checked.

use super::object::{Marks, Request};
use crate::kmdf::object::Ref;
use crate::kmdf::verifier;
use crate::verifier::kmdf_request::*;
use wdk_sys::*;

/// The driver must own the request.
pub(crate) fn owned(request: &Ref<Request>, function: &str) -> Result<(), NTSTATUS> {
    if !verifier::verifier_on() || request.marks().contains(Marks::DRIVER_OWNED) {
        return Ok(());
    }
    let why = if request.is_completed() {
        "it was completed"
    } else {
        "it is in a queue, or was given back to one"
    };
    verifier::debug_break(
        REQUEST_NOT_OWNED,
        format!(
            "{function}: the driver does not own WDFREQUEST {:?}: {why}",
            request.handle()
        ),
    );
    Err(STATUS_INVALID_DEVICE_REQUEST)
}

/// The request must not be completed yet.
pub(crate) fn not_completed(request: &Ref<Request>, function: &str) -> Result<(), NTSTATUS> {
    if !verifier::verifier_on() || !request.is_completed() {
        return Ok(());
    }
    verifier::debug_break(
        REQUEST_COMPLETED,
        format!("{function}: WDFREQUEST {:?} was completed", request.handle()),
    );
    Err(STATUS_INVALID_DEVICE_REQUEST)
}

/// The request must not be cancelable.
pub(crate) fn not_cancelable(request: &Ref<Request>, function: &str) -> Result<(), NTSTATUS> {
    if !verifier::verifier_on() || !request.marks().contains(Marks::CANCELABLE) {
        return Ok(());
    }
    verifier::debug_break(
        REQUEST_CANCELABLE,
        format!("{function}: WDFREQUEST {:?} is cancelable", request.handle()),
    );
    Err(STATUS_INVALID_DEVICE_REQUEST)
}

/// The request must be cancelable.
pub(crate) fn cancelable(request: &Ref<Request>, function: &str) -> Result<(), NTSTATUS> {
    if !verifier::verifier_on() || request.marks().contains(Marks::CANCELABLE) {
        return Ok(());
    }
    verifier::debug_break(
        REQUEST_NOT_CANCELABLE,
        format!("{function}: WDFREQUEST {:?} is not cancelable", request.handle()),
    );
    Err(STATUS_INVALID_DEVICE_REQUEST)
}

/// The driver must own the request, and it must not be cancelable.
pub(crate) fn owned_and_not_cancelable(request: &Ref<Request>, function: &str) -> Result<(), NTSTATUS> {
    owned(request, function)?;
    not_cancelable(request, function)
}
