//! Device registers: their mapping, and the accesses to them.

use crate::{
    cross::Export,
    machine::{LedgerEntry, Options},
    verifier::Rule,
};
use core::ops::Range;

/// The functions that this part exports.
pub(crate) const EXPORTS: &[&[Export]] = &[];

/// The state of this part of a machine.
#[derive(Debug)]
pub struct State {}

impl State {
    pub(crate) fn new(_options: &Options) -> Self {
        Self {}
    }

    /// Adds what is outstanding.
    pub(crate) fn ledger(&self, _out: &mut Vec<LedgerEntry>) {}
}

/// Prepares the process for faults in drivers.
pub(crate) fn install_fault_handler() {}

/// Reports registers that a driver never unmapped. Called when it unloads.
pub fn check_unload(_driver: &str) {}

/// Says what a host fault in this range of addresses means.
pub fn explain(_range: Range<usize>, _rule: Rule, _text: &str) {}

/// Takes that back.
pub fn forget(_start: usize) {}
