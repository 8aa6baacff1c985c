//! The work on commands: fetches, runs and completes them, one queue after another.

use hawser_abi::queue::SubmissionEntry;
use zerocopy::{FromZeros, IntoBytes};

use crate::accelerator::Accelerator;
use crate::bus::HostBus;
use crate::command::{Job, Stage};
use crate::fault::{CommandFault, FatalFault};
use crate::host_access::HostAccess;
use crate::interrupts::queue_cause;
use crate::lanes::Lanes;
use crate::local_memory::LocalMemory;
use crate::program::{Progress, Resources};

impl Accelerator {
    /// Does one piece of work on the first queue in turn that has any; tells whether one had.
    pub(crate) fn work_on_queues(&mut self, bus: &mut dyn HostBus) -> bool {
        self.in_turn(|device, queue| match device.work_on(queue, bus) {
            Ok(worked) => worked,
            Err(fault) => {
                device.fail(fault);
                true
            }
        })
    }

    /// Goes on with a command that was running when a reset began: memory accesses under way take a while to end.
    pub(crate) fn run_down(&mut self, bus: &mut dyn HostBus) {
        self.in_turn(|device, queue| device.advance(queue, bus));
    }

    fn in_turn(&mut self, mut work: impl FnMut(&mut Self, u16) -> bool) -> bool {
        let count = self.queues.len() as u16;
        for queue in (self.turn..count).chain(0..self.turn) {
            if work(self, queue) {
                self.turn = (queue + 1) % count;
                return true;
            }
        }
        false
    }

    fn work_on(&mut self, number: u16, bus: &mut dyn HostBus) -> Result<bool, FatalFault> {
        Ok(self.fetch(number, bus)? || self.advance(number, bus) || self.complete(number, bus)?)
    }

    fn fetch(&mut self, number: u16, bus: &mut dyn HostBus) -> Result<bool, FatalFault> {
        let Some(queue) = self.queues.get_mut(usize::from(number)) else {
            return Ok(false);
        };
        let Some(address) = queue.next_submission() else {
            return Ok(false);
        };
        if !self.behaviour.fetches(number) {
            return Ok(false);
        }
        let mut entry = SubmissionEntry::new_zeroed();
        HostAccess::new(bus, self.master)
            .read(address, entry.as_mut_bytes())
            .map_err(|_| FatalFault::ring(number, 0, address))?;
        queue.accept(&entry);
        Ok(true)
    }

    fn advance(&mut self, number: u16, bus: &mut dyn HostBus) -> bool {
        let Some(queue) = self.queues.get_mut(usize::from(number)) else {
            return false;
        };
        let Some(job) = queue.job.as_mut().filter(|job| !job.has_ended()) else {
            return false;
        };
        let mut host = HostAccess::new(bus, self.master);
        match advance(job, &mut host, &mut self.local, &mut queue.lanes) {
            Ok(Progress::More) => {}
            Ok(Progress::Finished) => job.end(Ok(())),
            Err(fault) => job.end(Err(fault)),
        }
        true
    }

    /// Posts a completion: the entry in one write, after all that the command wrote, and then the interrupt.
    fn complete(&mut self, number: u16, bus: &mut dyn HostBus) -> Result<bool, FatalFault> {
        let Some(queue) = self.queues.get_mut(usize::from(number)) else {
            return Ok(false);
        };
        let Some(entry) = queue.ended() else {
            return Ok(false);
        };
        queue.job = None;
        let Some(mut posted) = self.behaviour.completion(number, entry) else {
            return Ok(true);
        };
        let (address, phase) = queue.next_completion();
        posted.phase = phase;
        HostAccess::new(bus, self.master)
            .write(address, posted.as_bytes())
            .map_err(|_| FatalFault::ring(number, entry.tag, address))?;
        queue.posted();
        let now_ns = bus.now_ns();
        queue.collected.add(now_ns);
        if queue.collected.take_due(self.moderation, now_ns) && self.behaviour.raises(queue_cause(number)) {
            self.interrupts.raise(queue_cause(number));
        }
        Ok(true)
    }
}

fn advance(
    job: &mut Job,
    host: &mut HostAccess<'_>,
    local: &mut LocalMemory,
    lanes: &mut Lanes,
) -> Result<Progress, CommandFault> {
    match &mut job.stage {
        Stage::Loading(loader) => {
            if let Some(program) = loader.advance(host, &mut job.cycles)? {
                job.stage = Stage::Running(Box::new(program));
            }
            Ok(Progress::More)
        }
        Stage::Running(program) => program.advance(&mut Resources {
            host,
            local,
            lanes,
            cycles: &mut job.cycles,
        }),
        Stage::Ended(_) => Ok(Progress::More),
    }
}
