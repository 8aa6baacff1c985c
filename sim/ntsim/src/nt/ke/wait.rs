//! Waiting for dispatcher objects, and sleeping.

use super::{
    header::{ObjectKind, header},
    spin, time,
};
use crate::{
    machine, sched,
    sched::{Time, Woken},
    verifier::{self, irql},
};
use wdk_sys::{
    BOOLEAN, DISPATCH_LEVEL, KPROCESSOR_MODE, KWAIT_REASON, NTSTATUS, PLARGE_INTEGER, PVOID, STATUS_SUCCESS,
    STATUS_TIMEOUT,
};

/// How long a wait may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    Forever,
    None,
    Until(Time),
}

/// Reads a timeout: null waits for ever, negative is relative, positive a system time.
fn patience(timeout: PLARGE_INTEGER) -> Patience {
    if timeout.is_null() {
        return Patience::Forever;
    }
    // SAFETY: not null, so the caller passes a valid timeout; anything else faults here as it would there.
    match unsafe { time::quad(timeout) } {
        0 => Patience::None,
        units => Patience::Until(time::due(units)),
    }
}

/// A wait that can take time gives the processor away.
fn check_level(what: &str) {
    let level = u64::from(sched::current_irql());
    if level >= u64::from(DISPATCH_LEVEL) {
        verifier::fatal(
            irql::WAIT_AT_DISPATCH,
            [level, 0, 0],
            format!("{what} at IRQL {level} with a timeout that is not 0"),
        );
    }
    spin::check_none_held("a thread waits");
}

crate::nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Waits for an event, timer or thread.
    #[irql(..= DISPATCH_LEVEL)]
    fn KeWaitForSingleObject(
        object: PVOID,
        _reason: KWAIT_REASON,
        _mode: KPROCESSOR_MODE,
        _alertable: BOOLEAN,
        timeout: PLARGE_INTEGER,
    ) -> NTSTATUS {
        let header = header(object);
        let patience = patience(timeout);
        if patience != Patience::None {
            check_level("KeWaitForSingleObject");
        }
        if let ObjectKind::Other(code) = header.kind() {
            let text = format!("KeWaitForSingleObject on something that is no dispatcher object (type {code})");
            verifier::fatal(irql::WAIT_OBJECT, [u64::from(code), 0, 0], text);
        }
        if header.consume() {
            return STATUS_SUCCESS;
        }
        let deadline = match patience {
            Patience::None => return STATUS_TIMEOUT,
            Patience::Forever => None,
            Patience::Until(time) => Some(time),
        };
        let satisfied = machine::with(|m| m.ke.waiters.enter(header));
        let woken = sched::block("a dispatcher object", || satisfied.get(), deadline);
        machine::with(|m| m.ke.waiters.leave(&satisfied));
        match woken {
            Woken::Ready => STATUS_SUCCESS,
            Woken::TimedOut => STATUS_TIMEOUT,
        }
    }

    /// Sleeps.
    #[irql(..= APC_LEVEL)]
    fn KeDelayExecutionThread(_mode: KPROCESSOR_MODE, _alertable: BOOLEAN, interval: PLARGE_INTEGER) -> NTSTATUS {
        if let Patience::Until(time) = patience(interval) {
            check_level("KeDelayExecutionThread");
            sched::block("a delay", || false, Some(time));
        }
        STATUS_SUCCESS
    }
}
