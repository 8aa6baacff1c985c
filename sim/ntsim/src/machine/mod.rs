//! The machine: the parts of one simulated computer, how it is built, run and reported on.

mod builder;
mod count;
mod current;
mod ledger;
mod options;
mod report;
mod running;
mod scarcity;

pub use builder::Builder;
pub use count::{Count, Counters};
pub use current::{MachineOwner, current, exists, with};
pub use ledger::LedgerEntry;
pub use options::{InterruptSupply, Options};
pub use report::Report;
pub(crate) use scarcity::strikes;
pub use scarcity::{Failing, Scarce, Scarcity};

use crate::{hal, kmdf, mem, mmio, nt, pci, sched, trace, verifier};
use std::cell::RefCell;

/// One simulated computer. Each part keeps its own state behind cells; no borrow is held across a scheduling point.
pub struct Machine {
    /// How it was built.
    pub(crate) options: Options,
    pub(crate) sched: sched::State,
    pub(crate) trace: trace::Recorder,
    pub(crate) ke: nt::ke::State,
    pub(crate) io: nt::io::State,
    pub(crate) pnp: nt::pnp::State,
    pub(crate) registry: nt::registry::State,
    pub(crate) mem: mem::State,
    pub(crate) mmio: mmio::State,
    pub(crate) pci: pci::State,
    pub(crate) hal: hal::State,
    pub(crate) kmdf: kmdf::State,
    pub(crate) scarcity: scarcity::State,
    /// Things counted while it runs.
    pub(crate) count: Count,
    pub(crate) findings: RefCell<Vec<verifier::Finding>>,
    pub(crate) crash: RefCell<Option<verifier::Crash>>,
}

impl Machine {
    /// Starts to describe a machine.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl core::fmt::Debug for Machine {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Machine")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
