//! What may happen next.
//!
//! The first of the enabled steps is what first-come order does: an interrupt that can be delivered, a DPC that can run, the running context going on.
//! Devices, other processors and other threads have their turn after so many points, so that nobody starves.

use super::State;
use crate::{machine::Machine, nt::ke::interrupt::LineId};
use wdk_sys::{DISPATCH_LEVEL, KIRQL};

const DISPATCH: KIRQL = DISPATCH_LEVEL as KIRQL;

/// A device steps once in so many turns while processors are busy.
const DEVICE_TURN: u64 = 16;
/// Another processor runs once in so many turns.
const PROCESSOR_TURN: u64 = 64;
/// A thread makes room for another once in so many turns.
const QUANTUM: u64 = 4096;

/// Something that may happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The running context goes on.
    Continue,
    /// A processor takes an interrupt.
    Interrupt { processor: usize, line: LineId },
    /// A processor runs a DPC.
    Dpc { processor: usize },
    /// The top context of a processor goes on.
    Run { processor: usize },
    /// An idle processor takes a thread.
    Dispatch { processor: usize },
    /// A thread goes back to the queue and another takes its processor.
    Preempt { processor: usize },
    /// A device steps.
    Device { index: usize },
    /// A little time passes while everything could go on.
    Elapse,
    /// Nothing else can happen: time passes until something is due.
    Time,
}

impl Machine {
    /// Fills the list of enabled steps. `running` is the processor whose top context is at a scheduling point.
    pub(super) fn enabled_steps(&self, running: Option<usize>, steps: &mut Vec<Step>) {
        steps.clear();
        let sched = &self.sched;
        let count = sched.processors.len();
        let first = running.unwrap_or_else(|| sched.last_processor.get());
        for offset in 0..count {
            self.interruptions((first + offset) % count, steps);
        }
        if running.is_some() {
            steps.push(Step::Continue);
        }
        for offset in 0..count {
            let processor = (first + offset) % count;
            if Some(processor) != running {
                self.processor_step(processor, steps);
            }
        }
        if let Some(processor) = running
            && sched.can_preempt(processor)
        {
            steps.push(Step::Preempt { processor });
        }
        self.pci.busy_devices(|index| steps.push(Step::Device { index }));
        if !steps.is_empty() && self.sched.clock.next().is_some() {
            steps.push(Step::Elapse);
        }
        self.take_turns(running.is_some(), steps);
    }

    /// The interrupt and the DPC that a processor could take.
    fn interruptions(&self, index: usize, steps: &mut Vec<Step>) {
        let processor = &self.sched.processors[index];
        let irql = processor.irql();
        if let Some(line) = self.ke.interrupts.deliverable(index, irql) {
            steps.push(Step::Interrupt { processor: index, line });
        }
        if irql < DISPATCH && !processor.dpcs.borrow().is_empty() {
            steps.push(Step::Dpc { processor: index });
        }
    }

    fn processor_step(&self, processor: usize, steps: &mut Vec<Step>) {
        match self.sched.processors[processor].top() {
            Some(top) if top.spinning.get().is_none() => steps.push(Step::Run { processor }),
            Some(_) => {}
            None if !self.sched.ready.borrow().is_empty() => steps.push(Step::Dispatch { processor }),
            None => {}
        }
    }

    /// Puts a step first whose turn it is.
    fn take_turns(&self, busy: bool, steps: &mut [Step]) {
        let turn = self.sched.turn.get();
        self.sched.turn.set(turn + 1);
        if !busy {
            return;
        }
        let due = |step: &Step| match step {
            Step::Device { .. } => turn % DEVICE_TURN == DEVICE_TURN - 1,
            Step::Run { .. } | Step::Dispatch { .. } => turn % PROCESSOR_TURN == PROCESSOR_TURN - 1,
            Step::Preempt { .. } => turn % QUANTUM == QUANTUM - 1,
            _ => false,
        };
        if let Some(found) = steps.iter().rposition(due) {
            steps.swap(0, found);
        }
    }
}

impl State {
    /// Whether the thread on a processor could make room for another.
    fn can_preempt(&self, processor: usize) -> bool {
        let stack = self.processors[processor].stack.borrow();
        stack.len() == 1 && stack[0].irql.get() < DISPATCH && !self.ready.borrow().is_empty()
    }
}
