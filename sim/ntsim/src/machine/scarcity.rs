//! Calls that fail because a test says so, as they do when a machine is short of memory or of address space. Only calls that take something can fail, never calls
//! that give it back.

use super::Machine;
use crate::{cross, cross::Domain, machine};
use std::cell::Cell;

/// Calls that can fail for want of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scarce {
    /// `ExAllocatePool2`, by drivers and by the framework for them.
    Pool,
    /// `MmMapLockedPagesSpecifyCache`, by drivers and by the framework for them.
    Mapping,
    /// `IoAllocateMdl`, by drivers and by the framework for them.
    Mdl,
}

/// Which of the calls fail, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Failing {
    /// None.
    #[default]
    None,
    /// One.
    Nth(u64),
    /// That one and all after it.
    From(u64),
}

impl Failing {
    const fn is_hit_by(self, call: u64) -> bool {
        match self {
            Self::None => false,
            Self::Nth(one) => call == one,
            Self::From(first) => call >= first,
        }
    }
}

/// How a machine is short of what there is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Scarcity {
    /// Which pool allocations fail.
    pub pool: Failing,
    /// Which mappings of locked pages into system space fail.
    pub mapping: Failing,
    /// Which allocations of MDLs fail.
    pub mdl: Failing,
}

/// The calls of one kind, and which of them fail.
#[derive(Debug, Default)]
struct Calls {
    failing: Cell<Failing>,
    made: Cell<u64>,
    failed: Cell<u64>,
}

impl Calls {
    fn new(failing: Failing) -> Self {
        Self {
            failing: Cell::new(failing),
            ..Self::default()
        }
    }

    /// Counts a call, and says whether it fails.
    fn fails(&self) -> bool {
        self.made.set(self.made.get() + 1);
        let fails = self.failing.get().is_hit_by(self.made.get());
        self.failed.set(self.failed.get() + u64::from(fails));
        fails
    }
}

/// The scarcity of a machine.
#[derive(Debug)]
pub(crate) struct State {
    pool: Calls,
    mapping: Calls,
    mdl: Calls,
}

impl State {
    pub(crate) fn new(scarcity: Scarcity) -> Self {
        Self {
            pool: Calls::new(scarcity.pool),
            mapping: Calls::new(scarcity.mapping),
            mdl: Calls::new(scarcity.mdl),
        }
    }

    const fn of(&self, what: Scarce) -> &Calls {
        match what {
            Scarce::Pool => &self.pool,
            Scarce::Mapping => &self.mapping,
            Scarce::Mdl => &self.mdl,
        }
    }
}

impl Machine {
    /// Says which calls of a kind fail from now on; they are counted anew.
    pub fn make_scarce(&self, what: Scarce, failing: Failing) {
        let calls = self.scarcity.of(what);
        calls.failing.set(failing);
        calls.made.set(0);
    }

    /// How many calls of a kind failed because a test said so.
    #[must_use]
    pub fn failed_calls(&self, what: Scarce) -> u64 {
        self.scarcity.of(what).failed.get()
    }
}

/// Whether the call that the current context makes fails. The kernel's own calls neither fail nor count.
pub(crate) fn strikes(what: Scarce) -> bool {
    cross::caller() != Domain::Kernel && machine::with(|m| m.scarcity.of(what).fails())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_call_or_all_from_one_on_fail() {
        let hits = |failing| {
            let calls = Calls::new(failing);
            [(); 4].map(|()| calls.fails())
        };
        assert_eq!(hits(Failing::None), [false; 4]);
        assert_eq!(hits(Failing::Nth(2)), [false, true, false, false]);
        assert_eq!(hits(Failing::From(3)), [false, false, true, true]);
    }
}
