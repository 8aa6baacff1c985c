//! Requests: what stands for an IRP while it is in the framework and with the driver.
//!
//! - `irp`: the IRP itself; `object`: the request; `verify`: what the framework's verifier checks;
//! - `complete`, `buffers`, `queries`, `ownership`: the functions on requests;
//! - `status`: the rewriting of the framework's own statuses.

pub(crate) mod buffers;
pub(crate) mod complete;
pub(crate) mod irp;
pub(crate) mod object;
mod ownership;
pub(crate) mod queries;
pub mod status;
pub(crate) mod verify;

pub(crate) use object::Request;

use crate::cross::WdfExport;
use crate::kmdf::device::Device;
use crate::kmdf::object::Ref;
use irp::Irp;
use object::{Marks, Watcher};
use wdk_sys::*;

/// The request functions of the framework.
pub(crate) const FUNCTIONS: &[&[WdfExport]] = &[
    complete::FUNCTIONS,
    buffers::FUNCTIONS,
    queries::FUNCTIONS,
    ownership::FUNCTIONS,
];

/// Gives the request of a create IRP to the driver, which owns it then. Returns what the dispatch routine returns.
pub(crate) fn present_create(device: &Ref<Device>, irp: PIRP, callback: impl FnOnce(WDFREQUEST)) -> NTSTATUS {
    let irp = Irp::new(irp);
    let request = match object::create(device, irp) {
        Ok(request) => request,
        Err(status) => return irp.fail(status),
    };
    irp.mark_pending();
    request.watcher.set(Watcher::Package);
    request.mark(Marks::DRIVER_OWNED);
    request.set_presented();
    callback(request.raw());
    STATUS_PENDING
}
