//! DMA: enablers, transactions, common buffers.
//!
//! - `state`, `chain`, `transfer`, `profile`: what is pure: states, map-register arithmetic, fragments, configuration;
//! - `adapter`, `mdl`: the HAL's adapter and MDLs as the framework sees them;
//! - `enabler`, `transaction`, `common_buffer`: the objects; `transaction_api`, `transaction_settings`: the functions on transactions;
//! - `overlap`: which running transaction uses the buffer of a request.

pub(crate) mod adapter;
pub mod chain;
pub(crate) mod common_buffer;
pub(crate) mod enabler;
pub(crate) mod mdl;
mod overlap;
pub mod profile;
pub mod state;
pub(crate) mod transaction;
mod transaction_api;
mod transaction_settings;
pub mod transfer;

pub(crate) use overlap::check_completion;

use crate::cross::WdfExport;
use crate::kmdf::device::Device;
use crate::kmdf::object::{Handle, Ref};
use crate::kmdf::verifier;
use crate::verifier::kmdf::{REQUIRED_PARAMETER_IS_NULL, WAIT_NOT_ALLOWED};
use enabler::Enabler;
use wdk_sys::*;

/// The DMA functions of the framework.
pub(crate) const FUNCTIONS: &[&[WdfExport]] = &[
    enabler::FUNCTIONS,
    transaction_api::FUNCTIONS,
    transaction_settings::FUNCTIONS,
    common_buffer::FUNCTIONS,
];

/// The DMA state of one machine: the transactions that the device may be working on.
#[derive(Default)]
pub(crate) struct State {
    running: overlap::Running,
}

/// The DMA state of one device: its enablers.
#[derive(Default)]
pub(crate) struct Enablers {
    enablers: enabler::List,
}

impl Enablers {
    fn add(&self, enabler: Ref<Enabler>) {
        self.enablers.add(enabler);
    }

    fn remove(&self, handle: Handle) {
        self.enablers.remove(handle);
    }

    fn all(&self) -> Vec<Ref<Enabler>> {
        self.enablers.all()
    }
}

/// D0 was entered: Fill, Enable and SelfManagedIoStart of each enabler.
pub(crate) fn power_up(device: &Ref<Device>) -> NTSTATUS {
    enabler::power_up(device)
}

/// D0 is being left: SelfManagedIoStop, Disable and Flush of each enabler. All run; the answer is the first failure.
pub(crate) fn power_down(device: &Ref<Device>) -> NTSTATUS {
    enabler::power_down(device)
}

/// Bug check 0x10D/4 when a required pointer is null.
fn require<T>(pointer: *const T, what: &str) {
    if pointer.is_null() {
        verifier::fatal(REQUIRED_PARAMETER_IS_NULL, 0, 0, format!("{what} is null"));
    }
}

/// What functions for PASSIVE_LEVEL check themselves, and only with the framework's verifier on.
fn verify_passive(function: &str) -> Result<(), NTSTATUS> {
    // SAFETY: callable in any context.
    let irql = unsafe { ntddk::KeGetCurrentIrql() };
    if u32::from(irql) == PASSIVE_LEVEL || !verifier::verifier_on() {
        return Ok(());
    }
    verifier::debug_break(
        WAIT_NOT_ALLOWED,
        format!("{function} needs PASSIVE_LEVEL and was called at IRQL {irql}"),
    );
    Err(STATUS_INVALID_DEVICE_REQUEST)
}

/// Runs a function that makes an object, and writes the handle, or null, where the driver wants it.
fn answer<T>(place: *mut *mut T, make: impl FnOnce() -> Result<*mut T, NTSTATUS>) -> NTSTATUS {
    require(place, "the place for the handle");
    // SAFETY: not null; the driver's own variable.
    unsafe { place.write(core::ptr::null_mut()) };
    match make() {
        Ok(handle) => {
            // SAFETY: as above.
            unsafe { place.write(handle) };
            STATUS_SUCCESS
        }
        Err(status) => status,
    }
}
