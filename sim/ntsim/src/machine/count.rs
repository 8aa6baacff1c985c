//! Things that a machine counts while it runs.

use std::cell::Cell;

/// The live counters.
#[derive(Debug, Default)]
pub struct Count {
    /// Calls of kernel functions by drivers and the framework.
    pub kernel_calls: Cell<u64>,
    /// Reads of device registers.
    pub register_reads: Cell<u64>,
    /// Writes of device registers.
    pub register_writes: Cell<u64>,
    /// Pool allocations by the driver.
    pub driver_allocations: Cell<u64>,
    /// Pool allocations by anyone.
    pub pool_allocations: Cell<u64>,
    /// Interrupts that service routines claimed.
    pub interrupts: Cell<u64>,
    /// DPCs that ran.
    pub dpcs: Cell<u64>,
}

/// The counters at one moment; the difference of two says what a phase cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Calls of kernel functions by drivers and the framework.
    pub kernel_calls: u64,
    /// Reads of device registers.
    pub register_reads: u64,
    /// Writes of device registers.
    pub register_writes: u64,
    /// Pool allocations by the driver.
    pub driver_allocations: u64,
    /// Pool allocations by anyone.
    pub pool_allocations: u64,
    /// Interrupts that service routines claimed.
    pub interrupts: u64,
    /// DPCs that ran.
    pub dpcs: u64,
}

impl Count {
    /// Adds one.
    pub(crate) fn bump(counter: &Cell<u64>) {
        counter.set(counter.get() + 1);
    }

    /// The present values.
    #[must_use]
    pub fn snapshot(&self) -> Counters {
        Counters {
            kernel_calls: self.kernel_calls.get(),
            register_reads: self.register_reads.get(),
            register_writes: self.register_writes.get(),
            driver_allocations: self.driver_allocations.get(),
            pool_allocations: self.pool_allocations.get(),
            interrupts: self.interrupts.get(),
            dpcs: self.dpcs.get(),
        }
    }
}

impl core::ops::Sub for Counters {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            kernel_calls: self.kernel_calls - before.kernel_calls,
            register_reads: self.register_reads - before.register_reads,
            register_writes: self.register_writes - before.register_writes,
            driver_allocations: self.driver_allocations - before.driver_allocations,
            pool_allocations: self.pool_allocations - before.pool_allocations,
            interrupts: self.interrupts - before.interrupts,
            dpcs: self.dpcs - before.dpcs,
        }
    }
}
