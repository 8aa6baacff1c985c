//! The end of a simulated PC, and what is said about it.

use std::fmt;

use ntsim::machine;

/// What the machine says about itself after shutdown.
#[derive(Clone, Debug)]
pub struct Report {
    machine: machine::Report,
}

impl Report {
    pub(crate) fn new(machine: machine::Report) -> Self {
        Self { machine }
    }

    /// Whether nothing is outstanding and no rule was broken.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.machine.ledger.is_empty() && self.machine.findings.is_empty() && self.machine.crash.is_none()
    }

    /// Hash of everything that happened; equal for equal configurations.
    #[must_use]
    pub fn trace_hash(&self) -> u64 {
        self.machine.trace_hash
    }

    /// The simulator's own report.
    #[must_use]
    pub fn machine(&self) -> &machine::Report {
        &self.machine
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.machine.fmt(f)
    }
}
