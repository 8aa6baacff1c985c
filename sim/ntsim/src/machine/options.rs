//! How a machine is built.

use super::Scarcity;
use crate::{hal, mem::MemoryModel, sched::Schedule, trace::TraceMode, verifier::Policy};

/// What interrupts the bus gives to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InterruptSupply {
    /// At most so many MSI-X messages.
    Messages(u16),
    /// One level-triggered line.
    Line,
}

/// How a machine is built.
#[derive(Debug, Clone)]
pub struct Options {
    /// How device addresses relate to physical addresses.
    pub memory: MemoryModel,
    /// The seed of all choices.
    pub seed: u64,
    /// Who makes the choices.
    pub schedule: Schedule,
    /// The number of processors.
    pub processors: usize,
    /// What a violation does.
    pub policy: Policy,
    /// What is kept of the trace.
    pub trace: TraceMode,
    /// What interrupts devices get.
    pub interrupts: InterruptSupply,
    /// The number of scheduling points after which a run is given up.
    pub budget: u64,
    /// How the elements of scatter/gather lists are cut.
    pub dma_elements: hal::Elements,
    /// How map registers are given out.
    pub map_registers: hal::Registers,
    /// Which calls fail for want of memory or address space.
    pub scarcity: Scarcity,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            memory: MemoryModel::default(),
            seed: 0,
            schedule: Schedule::FirstCome,
            processors: 2,
            policy: Policy::Stop,
            trace: TraceMode::Off,
            interrupts: InterruptSupply::Messages(u16::MAX),
            budget: 200_000_000,
            dma_elements: hal::Elements::default(),
            map_registers: hal::Registers::default(),
            scarcity: Scarcity::default(),
        }
    }
}
