//! Waiting: threads that block and processors that spin.

use super::{Context, ContextKind, State, Time, context_handle, coroutine};
use crate::{
    machine,
    verifier::{self, irql, locks},
};
use std::rc::Rc;
use wdk_sys::{APC_LEVEL, KIRQL};

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// What was waited for is there.
    Ready,
    /// The deadline has passed first.
    TimedOut,
}

/// What a thread waits for.
#[derive(Clone, Copy)]
pub(crate) struct Waiting {
    /// In words.
    pub(crate) label: &'static str,
    /// Says whether it is there. Points into the stack of the thread, which stays as it is while the thread waits.
    ready: *const dyn Fn() -> bool,
}

/// The running thread waits until `ready` says so or the deadline has passed. `ready` may look at state, but not reach a scheduling point.
///
/// A wait at DISPATCH_LEVEL or above, or in a context that is no thread, stops the machine.
pub fn block(label: &'static str, ready: impl Fn() -> bool, deadline: Option<Time>) -> Woken {
    let context = context_handle();
    check_may_wait(&context, label);
    if ready() {
        super::point(label);
        return Woken::Ready;
    }
    let ready: &dyn Fn() -> bool = &ready;
    // SAFETY: only the lifetime changes. The pointer is used while the thread is in this function, where `ready` lives; afterwards it is taken back.
    let ready = unsafe { core::mem::transmute::<*const (dyn Fn() -> bool + '_), *const dyn Fn() -> bool>(ready) };
    context.waiting.set(Some(Waiting { label, ready }));
    context.timed_out.set(false);
    let timer = deadline.map(|due| machine::with(|m| m.sched.clock.at(due, expire(&context))));
    machine::with(|m| m.sched.park(&context));
    coroutine::suspend();
    context.waiting.set(None);
    if let Some(key) = timer {
        machine::with(|m| m.sched.clock.cancel(key));
    }
    if context.timed_out.get() {
        Woken::TimedOut
    } else {
        Woken::Ready
    }
}

/// What happens at the deadline of a wait.
fn expire(context: &Rc<Context>) -> Box<dyn FnOnce()> {
    let context = Rc::clone(context);
    Box::new(move || {
        context.timed_out.set(true);
        notify();
    })
}

fn check_may_wait(context: &Context, label: &str) {
    let level = context.irql.get();
    if level > APC_LEVEL as KIRQL || context.kind != ContextKind::Thread {
        let text = format!("{} waits for {label} at IRQL {level}", context.name);
        verifier::fatal(irql::WAIT_AT_DISPATCH, [u64::from(level), 0, 0], text);
    }
}

/// Says that something changed that threads may wait for.
pub fn notify() {
    machine::with(|m| m.sched.notified.set(true));
}

impl State {
    /// Takes the running thread off its processor and lets it wait.
    fn park(&self, context: &Rc<Context>) {
        let processor = context.processor.take().expect("a running thread is on a processor");
        let top = self.processors[processor].stack.borrow_mut().pop();
        debug_assert!(
            top.is_some_and(|top| Rc::ptr_eq(&top, context)),
            "the running thread is on top"
        );
        self.blocked.borrow_mut().push(Rc::clone(context));
    }

    /// Moves threads whose wait is over to the queue of those that can run.
    pub(super) fn poll_blocked(&self) {
        let waiting = self.blocked.take();
        let (over, still): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|context| is_over(context));
        self.ready.borrow_mut().extend(over);
        self.blocked.borrow_mut().extend(still);
    }
}

fn is_over(context: &Context) -> bool {
    let waiting = context.waiting.get().expect("a blocked thread waits for something");
    // SAFETY: the thread is still in `block`, so what the pointer points to is alive.
    let ready = unsafe { &*waiting.ready };
    // The condition is asked first: what is there at the deadline is taken.
    if ready() {
        context.timed_out.set(false);
        return true;
    }
    context.timed_out.get()
}

/// Spins until `free` says that the lock at `address` is; the processor takes interrupts meanwhile, if its IRQL lets it. `owner` tells who holds the lock.
pub(crate) fn spin_until_free(address: usize, free: impl Fn() -> bool, owner: impl Fn() -> Option<Rc<Context>>) {
    let context = context_handle();
    while !free() {
        if let Some(owner) = owner() {
            check_deadlock(&context, &owner);
        }
        context.spinning.set(Some(address));
        coroutine::suspend();
        context.spinning.set(None);
    }
}

/// Waiting for a lock that the same processor holds would never end.
fn check_deadlock(waiter: &Rc<Context>, owner: &Rc<Context>) {
    let same = Rc::ptr_eq(waiter, owner);
    if same || owner.processor.get().is_some_and(|p| waiter.processor.get() == Some(p)) {
        let text = if same {
            format!("{} acquires a spin lock that it holds", waiter.name)
        } else {
            format!(
                "{} waits for a spin lock held by {}, which it interrupted",
                waiter.name, owner.name
            )
        };
        verifier::fatal(locks::SPIN_LOCK_DEADLOCK, [0; 3], text);
    }
}

/// Lets the processors go on that spin on this lock.
pub(crate) fn wake_spinners(address: usize) {
    machine::with(|m| {
        for processor in &m.sched.processors {
            for context in processor.stack.borrow().iter() {
                if context.spinning.get() == Some(address) {
                    context.spinning.set(None);
                }
            }
        }
    });
}
