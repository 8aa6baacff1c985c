//! What a machine says about itself.

use super::{Counters, LedgerEntry, Machine};
use crate::{
    sched::Time,
    trace,
    verifier::{Crash, Finding},
};

/// What a machine says about itself.
#[derive(Debug, Clone)]
pub struct Report {
    /// What is outstanding.
    pub ledger: Vec<LedgerEntry>,
    /// What was counted.
    pub counters: Counters,
    /// Violations that did not stop it.
    pub findings: Vec<Finding>,
    /// Why it stopped, if it did.
    pub crash: Option<Crash>,
    /// The virtual time.
    pub time: Time,
    /// The number of scheduling points so far.
    pub points: u64,
    /// The hash of the trace.
    pub trace_hash: u64,
}

impl Machine {
    /// What the machine says about itself now.
    #[must_use]
    pub fn report(&self) -> Report {
        let mut ledger = Vec::new();
        self.io.ledger(&mut ledger);
        self.pnp.ledger(&mut ledger);
        self.registry.ledger(&mut ledger);
        self.mem.ledger(&mut ledger);
        self.mmio.ledger(&mut ledger);
        self.ke.ledger(&mut ledger);
        self.hal.ledger(&mut ledger);
        self.kmdf.ledger(&mut ledger);
        Report {
            ledger,
            counters: self.counters(),
            findings: self.findings(),
            crash: self.crash(),
            time: self.now(),
            points: self.sched.points.get(),
            trace_hash: self.trace_hash(),
        }
    }

    /// What was counted so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.count.snapshot()
    }

    /// The violations that did not stop the machine.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        self.findings.borrow().clone()
    }

    /// Why the machine stopped, if it did.
    #[must_use]
    pub fn crash(&self) -> Option<Crash> {
        self.crash.borrow().clone()
    }

    /// The virtual time.
    #[must_use]
    pub fn now(&self) -> Time {
        self.sched.clock.now()
    }

    /// The hash of all events and choices so far.
    #[must_use]
    pub fn trace_hash(&self) -> u64 {
        self.trace.hash()
    }

    /// Removes and returns the events kept so far.
    #[must_use]
    pub fn take_trace(&self) -> Vec<trace::Event> {
        self.trace.take()
    }

    /// The choices made so far, when the whole trace is kept.
    #[must_use]
    pub fn choices(&self) -> Vec<crate::sched::Choice> {
        self.sched.choice_log()
    }

    /// The events kept so far, from index `from` on.
    #[must_use]
    pub fn trace_since(&self, from: usize) -> Vec<trace::Event> {
        self.trace.since(from)
    }

    /// The first crash is the one that counts.
    pub(crate) fn set_crash(&self, crash: Crash) {
        self.crash.borrow_mut().get_or_insert(crash);
    }
}

impl core::fmt::Display for Report {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        writeln!(
            f,
            "{} after {} points, trace {:016x}",
            self.time, self.points, self.trace_hash
        )?;
        for entry in &self.ledger {
            writeln!(
                f,
                "  outstanding: {} {} ({} bytes), {}",
                entry.count, entry.kind, entry.bytes, entry.owner
            )?;
        }
        for finding in &self.findings {
            writeln!(
                f,
                "  finding {}: {} (in {}, {})",
                finding.rule.id, finding.text, finding.context, finding.time
            )?;
        }
        match &self.crash {
            Some(crash) => write!(f, "{crash}"),
            None => Ok(()),
        }
    }
}
