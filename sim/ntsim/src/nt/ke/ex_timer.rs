//! The timers that the executive allocates: `EX_TIMER`.

use super::{dpc, time};
use crate::{
    cross, machine, sched,
    sched::TimerKey,
    verifier::{self, irql},
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};
use wdk_sys::{
    BOOLEAN, LONGLONG, PEX_TIMER, PEXT_CALLBACK, PEXT_CANCEL_PARAMETERS, PEXT_DELETE_PARAMETERS, PEXT_SET_PARAMETERS,
    PVOID, ULONG,
};

/// One timer.
struct ExTimer {
    callback: PEXT_CALLBACK,
    context: PVOID,
    set: Cell<Option<TimerKey>>,
    /// Callbacks queued or running.
    active: Cell<u32>,
    /// 0 for once.
    period_ns: Cell<u64>,
}

/// The timers of a machine, by the address that stands for them.
#[derive(Default)]
pub(crate) struct ExTimers {
    all: RefCell<BTreeMap<usize, Rc<ExTimer>>>,
}

impl ExTimers {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.all.borrow().len()
    }
}

fn find(timer: PEX_TIMER) -> Rc<ExTimer> {
    let found = machine::with(|m| m.ke.ex_timers.all.borrow().get(&timer.addr()).cloned());
    found.unwrap_or_else(|| {
        verifier::fatal(
            irql::EX_TIMER_UNKNOWN,
            [0; 3],
            "an EX_TIMER was used that does not exist (any more)",
        )
    })
}

/// Sets the clock for an expiration.
fn arm(handle: usize, timer: &Rc<ExTimer>, due: sched::Time) {
    let this = Rc::clone(timer);
    let key = machine::with(|m| m.sched.clock.at(due, Box::new(move || expire(handle, &this, due))));
    timer.set.set(Some(key));
}

fn expire(handle: usize, timer: &Rc<ExTimer>, due: sched::Time) {
    timer.set.set(None);
    if timer.period_ns.get() > 0 {
        arm(handle, timer, due.after_ns(timer.period_ns.get()));
    }
    timer.active.set(timer.active.get() + 1);
    let this = Rc::clone(timer);
    dpc::call_at_dispatch("EX_TIMER", move || {
        if let Some(callback) = this.callback {
            let handle = core::ptr::without_provenance_mut(handle);
            // SAFETY: the driver gave this routine for this timer, with this context.
            cross::callback(
                "EXT_CALLBACK",
                || unsafe { callback(handle, this.context) },
                String::new,
            );
        }
        this.active.set(this.active.get() - 1);
        sched::notify();
    });
}

fn cancel(timer: &ExTimer) -> bool {
    timer.period_ns.set(0);
    timer
        .set
        .take()
        .is_some_and(|key| machine::with(|m| m.sched.clock.cancel(key)))
}

crate::nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Allocates a timer.
    #[irql(..= DISPATCH_LEVEL)]
    fn ExAllocateTimer(callback: PEXT_CALLBACK, context: PVOID, _attributes: ULONG) -> PEX_TIMER {
        let timer = Rc::new(ExTimer {
            callback,
            context,
            set: Cell::new(None),
            active: Cell::new(0),
            period_ns: Cell::new(0),
        });
        let handle = machine::with(|m| m.ke.new_handle());
        machine::with(|m| m.ke.ex_timers.all.borrow_mut().insert(handle, timer));
        core::ptr::without_provenance_mut(handle)
    }

    /// Sets a timer; due time and period are in units of 100 ns. True when it was set already.
    #[irql(..= DISPATCH_LEVEL)]
    fn ExSetTimer(timer: PEX_TIMER, due: LONGLONG, period: LONGLONG, _parameters: PEXT_SET_PARAMETERS) -> BOOLEAN {
        let found = find(timer);
        let was_set = cancel(&found);
        found.period_ns.set(u64::try_from(period).unwrap_or(0).saturating_mul(100));
        arm(timer.addr(), &found, time::due(due));
        BOOLEAN::from(was_set)
    }

    /// Takes a timer back. True when it was set.
    #[irql(..= DISPATCH_LEVEL)]
    fn ExCancelTimer(timer: PEX_TIMER, _parameters: PEXT_CANCEL_PARAMETERS) -> BOOLEAN {
        BOOLEAN::from(cancel(&find(timer)))
    }

    /// Frees a timer, after taking it back; with `wait`, after its callback has returned. True when it was set.
    #[irql(..= DISPATCH_LEVEL)]
    fn ExDeleteTimer(
        timer: PEX_TIMER,
        take_back: BOOLEAN,
        wait: BOOLEAN,
        _parameters: PEXT_DELETE_PARAMETERS,
    ) -> BOOLEAN {
        let found = find(timer);
        let was_set = take_back != 0 && cancel(&found);
        if wait != 0 {
            sched::block("a timer's callback", || found.set.get().is_none() && found.active.get() == 0, None);
        }
        machine::with(|m| m.ke.ex_timers.all.borrow_mut().remove(&timer.addr()));
        BOOLEAN::from(was_set)
    }
}
