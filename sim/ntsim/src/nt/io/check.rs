//! The rules of dispatch routines and of completion.

use super::irp;
use crate::{
    machine,
    verifier::{self, io},
};
use std::cell::Cell;
use wdk_sys::{CCHAR, NTSTATUS, PIRP, SL_PENDING_RETURNED, STATUS_PENDING};

/// A dispatch routine that an IRP is in.
#[derive(Debug)]
pub(crate) struct Frame {
    /// The stack location that it has.
    pub(crate) location: CCHAR,
    /// How the IRP left this location again, if it did.
    pub(crate) left: Cell<Option<Left>>,
}

/// How an IRP left a stack location when it completed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Left {
    /// The location was marked pending.
    pub(crate) pending: bool,
    /// The status then.
    pub(crate) status: NTSTATUS,
}

/// Notes that an IRP leaves a location on its way up.
pub(crate) fn leave(irp: PIRP, location: CCHAR, left: Left) {
    machine::with(|m| {
        m.io.irps.with(irp, |record| {
            let here = record.frames.iter().filter(|frame| frame.location == location);
            here.for_each(|frame| frame.left.set(Some(left)));
            record.frames.retain(|frame| frame.location != location);
        });
    });
}

/// Compares what a dispatch routine returned with what it did with the IRP.
pub(crate) fn returned(irp: PIRP, frame: &Frame, name: &str, status: NTSTATUS) {
    let parameters = [irp.addr() as u64, status as u32 as u64, 0];
    match frame.left.get() {
        Some(left) if status == STATUS_PENDING && !left.pending => {
            let text = format!("{name} returned STATUS_PENDING for an IRP that was not marked pending");
            verifier::violation_with(io::PENDING_NOT_MARKED, parameters, text);
        }
        Some(left) if status != STATUS_PENDING && left.pending => {
            let text = format!("{name} marked an IRP pending and returned {status:#x}, not STATUS_PENDING");
            verifier::violation_with(io::MARKED_NOT_PENDING, parameters, text);
        }
        Some(left) if status != STATUS_PENDING && left.status != status => {
            let text = format!(
                "{name} returned {status:#x} for an IRP that it completed with {:#x}",
                left.status
            );
            verifier::violation_with(io::STATUS_DIFFERS, parameters, text);
        }
        Some(_) => {}
        None => still_held(irp, frame, name, status),
    }
}

/// The dispatch routine returned and the IRP did not complete.
fn still_held(irp: PIRP, frame: &Frame, name: &str, status: NTSTATUS) {
    if !machine::with(|m| m.io.irps.contains(irp.addr())) {
        return;
    }
    let parameters = [irp.addr() as u64, status as u32 as u64, 0];
    if status != STATUS_PENDING {
        let text = format!("{name} returned {status:#x} and neither completed the IRP nor passed it down");
        return verifier::violation_with(io::NOT_COMPLETED, parameters, text);
    }
    let fields = irp::read(irp);
    if fields.CurrentLocation == frame.location && !is_marked(irp, frame.location) {
        let text = format!("{name} returned STATUS_PENDING and did not mark the IRP pending");
        verifier::violation_with(io::PENDING_NOT_MARKED, parameters, text);
    }
}

/// Whether a location is marked pending.
pub(crate) fn is_marked(irp: PIRP, location: CCHAR) -> bool {
    // SAFETY: a location of a live IRP.
    let control = unsafe { (*irp::location(irp, location)).Control };
    u32::from(control) & SL_PENDING_RETURNED != 0
}

/// Stops the run because of an IRP that is none.
pub(crate) fn not_an_irp(irp: PIRP, what: &str) -> ! {
    let again = machine::with(|m| m.io.irps.was_freed(irp));
    let rule = if again { io::COMPLETED_TWICE } else { io::NOT_AN_IRP };
    let state = if again {
        "an IRP that was completed and freed before"
    } else {
        "something that is no IRP"
    };
    verifier::fatal(rule, [irp.addr() as u64, 0, 0], format!("{what} was given {state}"))
}

/// What must hold when a driver completes an IRP.
pub(crate) fn completion(irp: PIRP) {
    irp::check(irp, "IoCompleteRequest");
    let fields = irp::read(irp);
    let parameters = [irp.addr() as u64, 0, 0];
    let sent = machine::with(|m| m.io.irps.with(irp, |record| record.sent)) == Some(true);
    if !sent || fields.CurrentLocation > fields.StackCount {
        let text = "IoCompleteRequest was given an IRP that no driver has: it was completed before, or never sent";
        verifier::fatal(io::COMPLETED_TWICE, parameters, text);
    }
    if irp::status(irp) == STATUS_PENDING {
        verifier::violation_with(
            io::COMPLETED_PENDING,
            parameters,
            "an IRP was completed with STATUS_PENDING",
        );
    }
    if fields.CancelRoutine.is_some() {
        let text = "an IRP was completed while its cancel routine was set";
        verifier::violation_with(io::COMPLETED_CANCELABLE, parameters, text);
    }
}
