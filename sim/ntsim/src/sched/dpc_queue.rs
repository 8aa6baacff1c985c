//! The DPC queues of the processors.

use super::try_context_handle;
use crate::machine;

/// A queued DPC.
pub(crate) struct DpcEntry {
    /// The address of its kernel object, by which it can be found; 0 for none.
    pub(crate) key: usize,
    /// Its name for reports.
    pub(crate) name: &'static str,
    /// What it does.
    pub(crate) run: Box<dyn FnOnce()>,
}

/// Where in the queue a DPC goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Importance {
    Normal,
    High,
}

/// Queues a DPC to a processor, by default the one that runs.
pub(crate) fn queue_dpc(entry: DpcEntry, target: Option<usize>, importance: Importance) {
    let here = try_context_handle().and_then(|context| context.processor.get());
    machine::with(|m| {
        let index = target.or(here).unwrap_or(0) % m.sched.processors.len();
        let mut queue = m.sched.processors[index].dpcs.borrow_mut();
        match importance {
            Importance::Normal => queue.push_back(entry),
            Importance::High => queue.push_front(entry),
        }
    });
}

/// Takes a DPC out of whatever queue it is in.
pub(crate) fn remove_dpc(key: usize) -> Option<DpcEntry> {
    machine::with(|m| {
        m.sched.processors.iter().find_map(|processor| {
            let mut queue = processor.dpcs.borrow_mut();
            let at = queue.iter().position(|entry| entry.key == key)?;
            queue.remove(at)
        })
    })
}

/// Whether a DPC object in this range of addresses is queued.
pub(crate) fn dpc_in(machine: &machine::Machine, start: usize, end: usize) -> bool {
    let inside = |entry: &DpcEntry| entry.key != 0 && (start..end).contains(&entry.key);
    machine
        .sched
        .processors
        .iter()
        .any(|processor| processor.dpcs.borrow().iter().any(inside))
}
