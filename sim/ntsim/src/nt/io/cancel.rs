//! Canceling IRPs.

use super::irp;
use crate::{
    cross, machine, mem,
    nt::ke::spin,
    sched,
    verifier::{self, io},
};
use std::cell::Cell;
use wdk_sys::{BOOLEAN, DISPATCH_LEVEL, KIRQL, PDEVICE_OBJECT, PDRIVER_CANCEL, PIRP, PKIRQL};

nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Cancels an IRP: TRUE when its cancel routine was called.
    #[irql(..= DISPATCH_LEVEL)]
    fn IoCancelIrp(Irp: PIRP) -> BOOLEAN {
        irp::check(Irp, "IoCancelIrp");
        BOOLEAN::from(cancel(Irp))
    }

    /// Acquires the lock under which cancel routines are set and called.
    #[irql(..= DISPATCH_LEVEL)]
    fn IoAcquireCancelSpinLock(Irql: PKIRQL) {
        let old = acquire();
        // SAFETY: the caller's result, valid for the call by contract.
        unsafe { Irql.write(old) };
    }

    /// Releases it, and lowers to the IRQL that is given.
    #[irql(DISPATCH_LEVEL)]
    fn IoReleaseCancelSpinLock(Irql: KIRQL) {
        spin::release(lock());
        sched::lower(Irql);
    }
}

/// The cancel spin lock: its address, once it is needed.
#[derive(Debug, Default)]
pub(crate) struct CancelLock(Cell<usize>);

fn lock() -> usize {
    let known = machine::with(|m| m.io.cancel_lock.0.get());
    if known != 0 {
        return known;
    }
    let fresh = mem::kernel_allocate(size_of::<usize>(), *b"CanL").addr();
    machine::with(|m| m.io.cancel_lock.0.set(fresh));
    fresh
}

fn acquire() -> KIRQL {
    let old = sched::raise(DISPATCH_LEVEL as KIRQL);
    spin::acquire(lock());
    old
}

/// Cancels an IRP; whether its cancel routine was called.
pub(crate) fn cancel(irp: PIRP) -> bool {
    if !irp::pin(irp) {
        return false;
    }
    let old = acquire();
    // SAFETY: a live IRP, kept by the pin.
    let place = unsafe { &raw mut (*irp).Cancel };
    // SAFETY: as above.
    unsafe { place.write(1) };
    let routine = take_routine(irp);
    let called = match routine {
        Some(_) => {
            call(irp, routine, old);
            true
        }
        None => {
            spin::release(lock());
            sched::lower(old);
            false
        }
    };
    irp::unpin(irp);
    called
}

/// Takes the cancel routine out of an IRP, as IoSetCancelRoutine does with null.
fn take_routine(irp: PIRP) -> PDRIVER_CANCEL {
    // SAFETY: a live IRP.
    let routine = unsafe { (*irp).CancelRoutine };
    // SAFETY: as above. No other context runs between the two: there is no scheduling point.
    let place = unsafe { &raw mut (*irp).CancelRoutine };
    // SAFETY: as above.
    unsafe { place.write(None) };
    routine
}

/// Calls the cancel routine, which has to release the cancel spin lock.
fn call(irp: PIRP, routine: PDRIVER_CANCEL, old: KIRQL) {
    let Some(routine) = routine else { return };
    let fields = irp::read(irp);
    if fields.CurrentLocation > fields.StackCount {
        let text = "an IRP has a cancel routine although it completed";
        verifier::fatal(io::CANCEL_ROUTINE_AFTER_COMPLETION, [irp.addr() as u64, 0, 0], text);
    }
    // SAFETY: a live IRP.
    let place = unsafe { &raw mut (*irp).CancelIrql };
    // SAFETY: as above.
    unsafe { place.write(old) };
    // SAFETY: the current location of a live IRP.
    let device: PDEVICE_OBJECT = unsafe { (*irp::current_location(irp)).DeviceObject };
    let body = || {
        // SAFETY: the cancel routine that the driver set for this IRP, called as documented for it: under the cancel spin lock.
        unsafe { routine(device, irp) };
        let after = sched::current_irql();
        if after != old {
            let text = format!(
                "a cancel routine returned at IRQL {after}; it must release the cancel spin lock to Irp->CancelIrql ({old})"
            );
            verifier::violation_with(io::CANCEL_LOCK_HELD, [irp.addr() as u64, u64::from(after), 0], text);
        }
        // The routine legitimately returns at another IRQL than it was called at.
        sched::raise(DISPATCH_LEVEL as KIRQL);
    };
    cross::callback("DriverCancel", body, String::new);
    sched::lower(old);
}
