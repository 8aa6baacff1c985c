//! Kernel timers.

use super::{
    dpc,
    header::{Header, release, type_code},
    time,
};
use crate::{
    machine, sched,
    sched::{Time, TimerKey},
};
use std::{cell::RefCell, collections::BTreeMap};
use wdk_sys::{_TIMER_TYPE, BOOLEAN, KTIMER, LARGE_INTEGER, LONG, PKDPC, PKTIMER, TIMER_TYPE, ULONG};

/// The timers of a machine that are set.
#[derive(Default)]
pub(crate) struct Timers {
    set: RefCell<BTreeMap<usize, TimerKey>>,
}

impl Timers {
    /// How many are set.
    pub(super) fn count(&self) -> usize {
        self.set.borrow().len()
    }

    /// Whether a timer in this range of addresses is set.
    pub(super) fn any_in(&self, start: usize, end: usize) -> bool {
        self.set.borrow().range(start..end).next().is_some()
    }
}

/// When a timer is due, how often, and what it queues.
#[derive(Clone, Copy)]
struct Plan {
    timer: PKTIMER,
    due: Time,
    /// In milliseconds; 0 for once.
    period: u32,
}

/// Sets a timer; true when it was set already.
fn set(plan: Plan, dpc: PKDPC) -> bool {
    let was_set = cancel(plan.timer);
    Header::of(plan.timer).set_signal(0);
    // SAFETY: the caller of the exported function passes a timer that was initialized; anything else faults here as it would there.
    unsafe { field!(plan.timer, KTIMER, Dpc).write(dpc) };
    // SAFETY: as above.
    unsafe { field!(plan.timer, KTIMER, Period).write(plan.period) };
    arm(plan);
    was_set
}

fn arm(plan: Plan) {
    machine::with(|m| {
        let key = m.sched.clock.at(plan.due, Box::new(move || expire(plan)));
        m.ke.timers.set.borrow_mut().insert(plan.timer.addr(), key);
    });
}

/// The timer is due. Runs inside whatever is interrupted.
fn expire(plan: Plan) {
    machine::with(|m| m.ke.timers.set.borrow_mut().remove(&plan.timer.addr()));
    if plan.period > 0 {
        arm(Plan {
            due: plan.due.after_ns(u64::from(plan.period) * 1_000_000),
            ..plan
        });
    }
    let header = Header::of(plan.timer);
    header.set_signal(1);
    release(header);
    // SAFETY: a timer that is set is in place: freeing it is caught when its memory is freed.
    let dpc = unsafe { field!(plan.timer, KTIMER, Dpc).read() };
    if !dpc.is_null() {
        dpc::insert(dpc, core::ptr::null_mut(), core::ptr::null_mut());
    }
}

fn cancel(timer: PKTIMER) -> bool {
    machine::with(|m| {
        let key = m.ke.timers.set.borrow_mut().remove(&timer.addr());
        key.is_some_and(|key| m.sched.clock.cancel(key))
    })
}

fn initialize(timer: PKTIMER, kind: TIMER_TYPE) {
    let code = if kind == _TIMER_TYPE::SynchronizationTimer {
        type_code::SYNCHRONIZATION_TIMER
    } else {
        type_code::NOTIFICATION_TIMER
    };
    // SAFETY: the caller of the exported function passes memory for the timer; zero is a valid value of every field.
    unsafe { timer.write_bytes(0, 1) };
    Header::of(timer).initialize(code, 0);
}

/// The 64 bits of a due time.
fn units(due: LARGE_INTEGER) -> i64 {
    // SAFETY: every view of the union is plain integers of 64 bits together.
    unsafe { due.QuadPart }
}

crate::nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Makes a notification timer.
    #[irql(any)]
    fn KeInitializeTimer(timer: PKTIMER) {
        initialize(timer, _TIMER_TYPE::NotificationTimer);
    }

    /// Makes a timer.
    #[irql(any)]
    fn KeInitializeTimerEx(timer: PKTIMER, kind: TIMER_TYPE) {
        initialize(timer, kind);
    }

    /// Sets a timer to fire once. True when it was set already.
    #[irql(..= DISPATCH_LEVEL)]
    fn KeSetTimer(timer: PKTIMER, due: LARGE_INTEGER, dpc: PKDPC) -> BOOLEAN {
        BOOLEAN::from(set(Plan { timer, due: time::due(units(due)), period: 0 }, dpc))
    }

    /// Sets a timer, with a period in milliseconds. True when it was set already.
    #[irql(..= DISPATCH_LEVEL)]
    fn KeSetTimerEx(timer: PKTIMER, due: LARGE_INTEGER, period: LONG, dpc: PKDPC) -> BOOLEAN {
        BOOLEAN::from(set(Plan { timer, due: time::due(units(due)), period: period.max(0).cast_unsigned() }, dpc))
    }

    /// Sets a timer that may fire a little late, so that several can fire together. True when it was set already.
    #[irql(..= DISPATCH_LEVEL)]
    fn KeSetCoalescableTimer(
        timer: PKTIMER,
        due: LARGE_INTEGER,
        period: ULONG,
        tolerance: ULONG,
        dpc: PKDPC,
    ) -> BOOLEAN {
        let late = sched::choose(2, "coalesced timer") as u64 * u64::from(tolerance) * 1_000_000;
        BOOLEAN::from(set(Plan { timer, due: time::due(units(due)).after_ns(late), period }, dpc))
    }

    /// Takes a timer back. True when it was set. Its DPC may be queued or running all the same.
    #[irql(..= DISPATCH_LEVEL)]
    fn KeCancelTimer(timer: PKTIMER) -> BOOLEAN {
        BOOLEAN::from(cancel(timer))
    }
}
