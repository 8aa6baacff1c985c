//! Builds machines.

use super::{Count, InterruptSupply, Machine, MachineOwner, Options};
use crate::{cross, hal, kmdf, mem, mmio, nt, pci, sched, trace, verifier};
use std::{cell::RefCell, rc::Rc};

/// Describes a machine.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Builder {
    options: Options,
}

impl Builder {
    /// How device addresses relate to physical addresses.
    pub fn memory(mut self, model: mem::MemoryModel) -> Self {
        self.options.memory = model;
        self
    }

    /// The seed of all choices.
    pub fn seed(mut self, seed: u64) -> Self {
        self.options.seed = seed;
        self
    }

    /// Who makes the choices.
    pub fn schedule(mut self, schedule: sched::Schedule) -> Self {
        self.options.schedule = schedule;
        self
    }

    /// The number of processors, 1 to 64.
    pub fn processors(mut self, count: usize) -> Self {
        assert!((1..=64).contains(&count), "a machine has 1 to 64 processors");
        self.options.processors = count;
        self
    }

    /// What a violation does.
    pub fn verifier(mut self, policy: verifier::Policy) -> Self {
        self.options.policy = policy;
        self
    }

    /// What is kept of the trace.
    pub fn record_trace(mut self, mode: trace::TraceMode) -> Self {
        self.options.trace = mode;
        self
    }

    /// What interrupts devices get.
    pub fn interrupts(mut self, supply: InterruptSupply) -> Self {
        self.options.interrupts = supply;
        self
    }

    /// The number of scheduling points after which a run is given up.
    pub fn budget(mut self, points: u64) -> Self {
        self.options.budget = points;
        self
    }

    /// Which calls fail for want of memory or address space.
    pub fn scarcity(mut self, scarcity: super::Scarcity) -> Self {
        self.options.scarcity = scarcity;
        self
    }

    /// Changes options that have no method of their own.
    pub fn with(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.options);
        self
    }

    /// Builds the machine and makes it the current one of this thread, which must have none.
    #[must_use]
    pub fn build(self) -> MachineOwner {
        cross::bind_imports();
        mmio::install_fault_handler();
        let options = self.options;
        let mem = mem::State::new(&options);
        let hal = hal::State::new(&options, Rc::clone(&mem.physical));
        let machine = Rc::new(Machine {
            sched: sched::State::new(&options),
            trace: trace::Recorder::new(options.trace),
            ke: nt::ke::State::new(&options),
            io: nt::io::State::new(&options),
            pnp: nt::pnp::State::new(&options),
            registry: nt::registry::State::new(&options),
            mem,
            mmio: mmio::State::new(&options),
            pci: pci::State::new(&options),
            hal,
            kmdf: kmdf::State::new(&options),
            scarcity: super::scarcity::State::new(options.scarcity),
            count: Count::default(),
            findings: RefCell::default(),
            crash: RefCell::default(),
            options,
        });
        let owner = MachineOwner::install(machine);
        mem::explain_addresses();
        owner
    }
}
