//! Kernel objects in memory that is being freed.

use crate::{
    machine, sched,
    verifier::{self, irql},
};

/// Memory is freed that drivers put kernel objects into: none of them may be in use. To be called by whatever frees pool.
pub fn check_freed(start: usize, length: usize) {
    if let Some(what) = in_use(start, length) {
        verifier::violation(irql::OBJECT_FREED_IN_USE, format!("memory was freed that holds {what}"));
    }
    machine::with(|m| m.ke.locks.forget(start, start.saturating_add(length)));
}

/// A kernel object in this memory that the kernel still refers to.
pub(crate) fn in_use(start: usize, length: usize) -> Option<&'static str> {
    let end = start.saturating_add(length);
    machine::with(|m| {
        let ke = &m.ke;
        [
            (ke.timers.any_in(start, end), "a timer that is set"),
            (sched::dpc_in(m, start, end), "a DPC that is queued"),
            (ke.locks.held_in(start, end), "a spin lock that is held"),
            (ke.waiters.any_in(start, end), "an object that a thread waits for"),
        ]
        .into_iter()
        .find_map(|(found, what)| found.then_some(what))
    })
}
