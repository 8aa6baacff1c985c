//! The kernel core: IRQL, locks, waits, DPCs, timers, threads, work items and interrupts.

pub mod interrupt;

use crate::{
    cross::Export,
    machine::{LedgerEntry, Options},
};

/// The functions that this part exports.
pub(crate) const EXPORTS: &[&[Export]] = &[];

/// The state of the kernel core.
pub struct State {
    pub(crate) interrupts: interrupt::Lines,
}

impl State {
    pub(crate) fn new(options: &Options) -> Self {
        Self { interrupts: interrupt::Lines::new(options) }
    }

    /// Adds what is outstanding.
    pub(crate) fn ledger(&self, _out: &mut Vec<LedgerEntry>) {}
}
