//! Runs the steps of a command one after another, a chunk of a step at a time.

use hawser_abi::descriptor::DeviceStep;
use hawser_abi::queue::CompletionStatus;
use zerocopy::{FromZeros, IntoBytes};

use crate::chunk::Current;
use crate::cost::Cycles;
use crate::fault::{CommandFault, StepFault};
use crate::host_access::HostAccess;
use crate::lanes::Lanes;
use crate::local_memory::LocalMemory;
use crate::place::Reach;
use crate::step::check;
use crate::transfer::Machine;
use crate::view::View;

/// Steps fetched at once.
const STEPS_AT_ONCE: u32 = 64;

/// The part of device-local memory that a command may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) base: u64,
    pub(crate) length: u64,
}

/// Whether a command goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    More,
    Finished,
}

/// What a piece of work may use beside the command itself.
pub(crate) struct Resources<'a, 'bus> {
    pub(crate) host: &'a mut HostAccess<'bus>,
    pub(crate) local: &'a mut LocalMemory,
    pub(crate) lanes: &'a mut Lanes,
    pub(crate) cycles: &'a mut Cycles,
}

/// A command whose descriptor has been read.
pub(crate) struct Program {
    views: Vec<View>,
    window: Window,
    steps: u64,
    step_count: u32,
    next: u32,
    /// Fetched steps, the next one last.
    fetched: Vec<DeviceStep>,
    current: Option<Current>,
}

impl Program {
    pub(crate) fn new(views: Vec<View>, window: Window, steps: u64, step_count: u32) -> Self {
        Self {
            views,
            window,
            steps,
            step_count,
            next: 0,
            fetched: Vec::new(),
            current: None,
        }
    }

    /// Runs one chunk of one step.
    pub(crate) fn advance(&mut self, resources: &mut Resources<'_, '_>) -> Result<Progress, CommandFault> {
        let index = self.next;
        self.advance_step(resources).map_err(|fault| fault.of_step(index))
    }

    fn advance_step(&mut self, resources: &mut Resources<'_, '_>) -> Result<Progress, StepFault> {
        if self.current.is_none() {
            let step = self.fetch(resources.host)?;
            let reach = Reach {
                views: &self.views,
                window: self.window,
            };
            self.current = Some(Current::new(check(&step, &reach)?));
            resources.cycles.step();
        }
        let mut machine = Machine {
            views: &self.views,
            resources,
        };
        if let Some(current) = &mut self.current
            && machine.run_chunk(current)? == Progress::More
        {
            return Ok(Progress::More);
        }
        self.current = None;
        self.next += 1;
        Ok(if self.next < self.step_count {
            Progress::More
        } else {
            Progress::Finished
        })
    }

    fn fetch(&mut self, host: &mut HostAccess<'_>) -> Result<DeviceStep, StepFault> {
        let fault = StepFault::step(CompletionStatus::BusError);
        if self.fetched.is_empty() {
            let count = self.step_count.saturating_sub(self.next).min(STEPS_AT_ONCE);
            let at = u64::from(self.next) * size_of::<DeviceStep>() as u64;
            let mut steps = vec![DeviceStep::new_zeroed(); count as usize];
            host.read(self.steps + at, steps.as_mut_slice().as_mut_bytes())
                .map_err(|_| fault)?;
            steps.reverse();
            self.fetched = steps;
        }
        self.fetched.pop().ok_or(fault)
    }
}
