//! Which running transaction uses the buffer of a request: completing such a request lets the memory go while the device may still access it.
//!
//! The real framework sees this only for transactions that were initialized with the request; for the others it is silent, and memory is corrupted. Here it
//! is a rule of its own.

use super::mdl;
use crate::kmdf;
use crate::kmdf::object::Handle;
use crate::verifier;
use crate::verifier::kmdf_dma::REQUEST_COMPLETED_UNDER_DMA;
use core::ops::Range;
use std::cell::RefCell;
use std::collections::BTreeMap;
use wdk_sys::PMDL;

/// The addresses that each running transaction uses.
#[derive(Default)]
pub(super) struct Running(RefCell<BTreeMap<Handle, Vec<Range<usize>>>>);

/// A transaction was started.
pub(super) fn started(transaction: Handle, mdls: &[PMDL]) {
    let ranges = mdls.iter().map(|&mdl| mdl::addresses(mdl)).collect();
    kmdf::state(|s| s.dma.running.0.borrow_mut().insert(transaction, ranges));
}

/// A transaction no longer uses its buffer.
pub(super) fn ended(transaction: Handle) {
    kmdf::state(|s| s.dma.running.0.borrow_mut().remove(&transaction));
}

/// A request with this MDL is about to be completed.
pub(crate) fn check_completion(request: Handle, mdl: PMDL) {
    if mdl.is_null() {
        return;
    }
    let buffer = mdl::addresses(mdl);
    let user = kmdf::state(|s| user_of(&s.dma.running.0.borrow(), &buffer));
    if let Some(transaction) = user {
        let text = format!(
            "WDFREQUEST {request:?} was completed while WDFDMATRANSACTION {transaction:?} was using its buffer"
        );
        verifier::violation_with(
            REQUEST_COMPLETED_UNDER_DMA,
            [request.value(), transaction.value(), 0],
            text,
        );
    }
}

/// The first transaction whose addresses overlap these.
fn user_of(running: &BTreeMap<Handle, Vec<Range<usize>>>, buffer: &Range<usize>) -> Option<Handle> {
    let overlaps = |range: &Range<usize>| range.start < buffer.end && buffer.start < range.end;
    running
        .iter()
        .find(|(_, ranges)| ranges.iter().any(overlaps))
        .map(|(handle, _)| *handle)
}
