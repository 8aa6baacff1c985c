//! Kernel objects in memory that is being freed.

use crate::{
    machine, sched,
    verifier::{self, irql},
};

/// Memory is freed that drivers put kernel objects into: none of them may be in use. To be called by whatever frees pool.
pub fn check_freed(start: usize, length: usize) {
    let end = start.saturating_add(length);
    let what = machine::with(|m| {
        let ke = &m.ke;
        [
            (ke.timers.any_in(start, end), "a timer that is set"),
            (sched::dpc_in(m, start, end), "a DPC that is queued"),
            (ke.locks.held_in(start, end), "a spin lock that is held"),
            (ke.waiters.any_in(start, end), "an object that a thread waits for"),
        ]
        .into_iter()
        .find_map(|(found, what)| found.then_some(what))
    });
    if let Some(what) = what {
        verifier::violation(irql::OBJECT_FREED_IN_USE, format!("memory was freed that holds {what}"));
    }
    machine::with(|m| m.ke.locks.forget(start, end));
}
