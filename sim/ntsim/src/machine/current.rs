//! The machine of the current thread, and who owns it.

use super::Machine;
use crate::sched;
use core::{cell::Cell, ops::Deref, ptr};
use std::rc::Rc;

thread_local! {
    static CURRENT: Cell<*const Machine> = const { Cell::new(ptr::null()) };
}

/// Owns a machine: dropping it throws the machine's contexts away and lets the thread have another machine.
///
/// Code that was abandoned in a context may hold references to the machine for ever; that is why the owner, not the last reference, ends it.
pub struct MachineOwner {
    machine: Rc<Machine>,
}

impl MachineOwner {
    /// Makes a machine the thread's. Panics when there is one already: two machines would take each other's contexts for their own.
    pub(super) fn install(machine: Rc<Machine>) -> Self {
        CURRENT.with(|current| {
            assert!(current.get().is_null(), "this thread has a machine already");
            current.set(Rc::as_ptr(&machine));
        });
        Self { machine }
    }
}

impl Deref for MachineOwner {
    type Target = Machine;

    fn deref(&self) -> &Machine {
        &self.machine
    }
}

impl Drop for MachineOwner {
    fn drop(&mut self) {
        sched::discard_contexts(&self.machine);
        CURRENT.with(|current| current.set(ptr::null()));
    }
}

impl core::fmt::Debug for MachineOwner {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.machine.fmt(f)
    }
}

/// The thread's machine. Panics when there is none. Prefer [`with`]: a context that is abandoned while it holds the result leaks the machine.
#[must_use]
pub fn current() -> Rc<Machine> {
    let machine = installed();
    // SAFETY: installed from an `Rc` that its owner still has.
    unsafe { Rc::increment_strong_count(machine) };
    // SAFETY: the count was just increased for this `Rc`.
    unsafe { Rc::from_raw(machine) }
}

/// Gives the thread's machine to `f`, which must not reach a scheduling point while it borrows from it. Panics when there is none.
pub fn with<R>(f: impl FnOnce(&Machine) -> R) -> R {
    // SAFETY: the owner keeps the machine alive while it is installed, and dropping the owner inside `f` would be a use of the machine after its end by the caller.
    f(unsafe { &*installed() })
}

/// Whether the thread has a machine.
#[must_use]
pub fn exists() -> bool {
    CURRENT.with(|current| !current.get().is_null())
}

fn installed() -> *const Machine {
    let machine = CURRENT.with(Cell::get);
    assert!(!machine.is_null(), "this thread has no machine");
    machine
}
