//! The PnP and power managers.

use crate::{cross::Export, machine::{LedgerEntry, Options}};

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
