//! The kernel core: IRQL, locks, waits, DPCs, timers, threads, work items and interrupts.

mod bug_check;
mod connect;
mod debug_format;
mod debug_print;
pub mod dpc;
mod event;
mod ex_timer;
mod fast_mutex;
mod header;
pub mod interrupt;
mod interrupt_object;
mod irql;
mod message_table;
mod processor;
pub mod spin;
mod spin_functions;
mod stale;
pub mod thread;
mod time;
mod timer;
mod wait;
mod work_item;

pub(crate) use header::signal;
pub use interrupt_object::check_interrupts;
pub use stale::check_freed;
pub(crate) use stale::in_use;
pub use work_item::check_unload as check_work_items;

use core::cell::Cell;

use crate::{
    cross::Export,
    machine::{LedgerEntry, Options},
};

/// The functions that this part exports.
pub(crate) const EXPORTS: &[&[Export]] = &[
    bug_check::EXPORTS,
    bug_check::FRAMEWORK_EXPORTS,
    connect::EXPORTS,
    connect::FRAMEWORK_EXPORTS,
    debug_print::EXPORTS,
    dpc::EXPORTS,
    event::EXPORTS,
    ex_timer::EXPORTS,
    fast_mutex::EXPORTS,
    interrupt_object::EXPORTS,
    irql::EXPORTS,
    processor::EXPORTS,
    spin_functions::EXPORTS,
    thread::EXPORTS,
    time::EXPORTS,
    time::HAL_EXPORTS,
    timer::EXPORTS,
    wait::EXPORTS,
    work_item::EXPORTS,
];

/// The first opaque handle.
const FIRST_HANDLE: usize = 0xFFFF_9000_0000_0000;

/// The state of the kernel core.
pub struct State {
    pub(crate) interrupts: interrupt::Lines,
    pub(crate) connected: interrupt_object::Connected,
    pub(crate) locks: spin::Locks,
    pub(crate) waiters: header::Waiters,
    pub(crate) timers: timer::Timers,
    pub(crate) ex_timers: ex_timer::ExTimers,
    pub(crate) work_items: work_item::WorkItems,
    pub(crate) threads: thread::Threads,
    /// The message tables of connected interrupts.
    tables: connect::Tables,
    handles: Cell<usize>,
}

impl State {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            interrupts: interrupt::Lines::new(options.processors),
            connected: interrupt_object::Connected::default(),
            locks: spin::Locks::default(),
            waiters: header::Waiters::default(),
            timers: timer::Timers::default(),
            ex_timers: ex_timer::ExTimers::default(),
            work_items: work_item::WorkItems::default(),
            threads: thread::Threads::default(),
            tables: connect::Tables::default(),
            handles: Cell::new(FIRST_HANDLE),
        }
    }

    /// A value that stands for an opaque kernel object: an address in kernel space, never given twice.
    fn new_handle(&self) -> usize {
        let handle = self.handles.get();
        self.handles.set(handle + 64);
        handle
    }

    /// Adds what is outstanding.
    pub(crate) fn ledger(&self, out: &mut Vec<LedgerEntry>) {
        let mut add = |kind, count: usize| {
            if count > 0 {
                out.push(LedgerEntry {
                    kind,
                    owner: "drivers".to_owned(),
                    count: count as u64,
                    bytes: 0,
                });
            }
        };
        add("connected interrupt", self.connected.count());
        add("work item", self.work_items.count());
        add("EX_TIMER", self.ex_timers.count());
        add("set timer", self.timers.count());
    }
}
