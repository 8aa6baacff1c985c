//! The scheduler: contexts are coroutines on virtual processors; everything that happens in an order happens in the order that one stream of choices says.
//!
//! A virtual processor has a stack of contexts: at the bottom a thread, on it the DPCs and interrupt service routines that interrupted it and must return
//! first. Devices have contexts of their own, on no processor. At every scheduling point the running context may go on, or something else that is enabled
//! happens first: see `step`.

mod choices;
mod clock;
mod context;
mod coroutine;
mod dpc_queue;
mod panics;
mod point;
mod run;
mod state;
mod step;
mod wait;

pub use choices::{Choice, Choices, Schedule};
pub use clock::{Clock, Time, TimerKey};
pub use context::{Context, ContextId, ContextKind};
pub(crate) use coroutine::current_stack_bounds;
pub(crate) use dpc_queue::{DpcEntry, Importance, dpc_in, queue_dpc, remove_dpc};
pub use point::{point, stall};
pub(crate) use run::{discard_contexts, run_until, settle};
pub use state::State;
pub use wait::{Woken, block, notify};
pub(crate) use wait::{spin_until_free, wake_spinners};

use crate::machine;
use std::rc::Rc;
use wdk_sys::KIRQL;

/// Whether a context of a machine runs on this thread now.
#[must_use]
pub fn in_context() -> bool {
    !coroutine::active().is_null()
}

/// The running context. Panics when there is none.
#[must_use]
pub fn context_handle() -> Rc<Context> {
    try_context_handle().expect("a kernel function was called outside the contexts of the machine: use `Machine::run`")
}

pub(crate) fn try_context_handle() -> Option<Rc<Context>> {
    let active = coroutine::active();
    if active.is_null() {
        return None;
    }
    // SAFETY: the scheduler holds an `Rc` of the context that it runs, from which this pointer was taken.
    unsafe { Rc::increment_strong_count(active) };
    // SAFETY: the count was just increased for this `Rc`.
    Some(unsafe { Rc::from_raw(active) })
}

/// Gives the running context to `f`. Panics when there is none.
pub fn with_context<R>(f: impl FnOnce(&Context) -> R) -> R {
    f(&context_handle())
}

/// The running context.
#[must_use]
pub fn context() -> ContextId {
    with_context(|context| context.id)
}

/// The name of the running context.
#[must_use]
pub fn context_name() -> String {
    try_context_handle().map_or_else(|| "outside".to_owned(), |context| context.name.to_string())
}

/// The IRQL of the running context.
#[must_use]
pub fn current_irql() -> KIRQL {
    with_context(|context| context.irql.get())
}

/// The IRQL of the running context; PASSIVE_LEVEL outside the machine.
#[must_use]
pub fn irql_or_passive() -> KIRQL {
    try_context_handle().map_or(0, |context| context.irql.get())
}

/// Sets the IRQL and returns the old one. The rules about raising are in the kernel functions.
pub fn raise(irql: KIRQL) -> KIRQL {
    with_context(|context| context.irql.replace(irql))
}

/// Sets the IRQL. What that lets through happens at the next scheduling point.
pub fn lower(irql: KIRQL) {
    with_context(|context| context.irql.set(irql));
}

/// The virtual time.
#[must_use]
pub fn now() -> Time {
    machine::with(|m| m.sched.clock.now())
}

/// One choice out of `n` (at least 1): 0 is what first-come order does.
#[must_use]
pub fn choose(n: usize, label: &'static str) -> usize {
    machine::with(|m| m.sched.choose(&m.trace, n, label))
}

/// Starts a thread at PASSIVE_LEVEL.
pub fn spawn(name: &str, f: impl FnOnce() + 'static) -> ContextId {
    machine::with(|m| m.sched.spawn_thread(name, Box::new(f)))
}

/// Whether a context has ended.
#[must_use]
pub fn is_done(id: ContextId) -> bool {
    machine::with(|m| !m.sched.contexts.borrow().contains_key(&id))
}

/// Never comes back: the running context is given up.
pub(crate) fn abandon() -> ! {
    loop {
        coroutine::suspend();
    }
}

/// Lets a device's context go on until it has done a step.
pub(crate) fn resume_device(context: &Rc<Context>) {
    coroutine::resume(context);
}

/// Ends a step of a device.
pub(crate) fn suspend_device() {
    coroutine::suspend();
}

/// Ends the running thread where it is; nothing on its stack is dropped.
pub(crate) fn end_context() -> ! {
    with_context(|context| context.ended.set(true));
    abandon()
}
