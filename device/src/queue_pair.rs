//! A submission ring and its completion ring: configuration, indices, phase, and the commands that are to be aborted.

use std::collections::BTreeMap;

use hawser_abi::pci::MSIX_MESSAGES;
use hawser_abi::queue::{
    CompletionEntry, CompletionStatus, MAX_ENTRIES, MIN_ENTRIES, NO_OPERAND, NO_STEP, PHASE, SubmissionEntry,
};

use crate::command::{Job, Stage};
use crate::fault::{CommandFault, FatalFault};
use crate::lanes::Lanes;
use crate::moderation::Collected;
use crate::registers::QueueRegister;

const PAGE: u64 = 4096;

/// A ring in host memory, as configured.
#[derive(Clone, Copy, Debug, Default)]
struct Ring {
    base: u64,
    entries: u32,
}

impl Ring {
    /// Entries from index `from` up to index `to`.
    fn distance(self, from: u32, to: u32) -> u32 {
        to.wrapping_sub(from) & self.entries.wrapping_sub(1)
    }

    fn next(self, index: u32) -> u32 {
        (index + 1) & self.entries.wrapping_sub(1)
    }

    fn is_usable(self, entry: usize) -> bool {
        let size = u64::from(self.entries) * entry as u64;
        self.entries != 0 && self.base.checked_add(size).is_some()
    }
}

/// A queue pair.
#[derive(Default)]
pub(crate) struct QueuePair {
    sq: Ring,
    cq: Ring,
    message: u16,
    enabled: bool,
    sq_tail: u32,
    sq_head: u32,
    cq_tail: u32,
    cq_head: u32,
    phase: u16,
    /// Commands fetched since the queue was enabled.
    fetched: u64,
    /// Tags to abort when they are fetched, as one of the first so many commands.
    aborts: BTreeMap<u16, u64>,
    pub(crate) job: Option<Job>,
    pub(crate) collected: Collected,
    pub(crate) lanes: Lanes,
}

impl QueuePair {
    pub(crate) fn message(&self) -> u16 {
        self.message
    }

    pub(crate) fn read(&self, register: QueueRegister) -> u64 {
        match register {
            QueueRegister::SqBase => self.sq.base,
            QueueRegister::CqBase => self.cq.base,
            QueueRegister::SqEntries => self.sq.entries.into(),
            QueueRegister::CqEntries => self.cq.entries.into(),
            QueueRegister::Message => self.message.into(),
            QueueRegister::Enable => self.enabled.into(),
        }
    }

    pub(crate) fn configure(&mut self, register: QueueRegister, value: u64) -> Result<(), FatalFault> {
        if register == QueueRegister::Enable {
            return self.enable(value);
        }
        if self.enabled {
            return Err(FatalFault::configuration("an enabled queue was configured"));
        }
        match register {
            QueueRegister::SqBase => self.sq.base = base(value)?,
            QueueRegister::CqBase => self.cq.base = base(value)?,
            QueueRegister::SqEntries => self.sq.entries = entries(value)?,
            QueueRegister::CqEntries => self.cq.entries = entries(value)?,
            QueueRegister::Message => self.message = message(value)?,
            QueueRegister::Enable => {}
        }
        Ok(())
    }

    fn enable(&mut self, value: u64) -> Result<(), FatalFault> {
        match (value, self.enabled) {
            (0, _) => {
                self.disable();
                Ok(())
            }
            (1, false)
                if self.sq.is_usable(size_of::<SubmissionEntry>())
                    && self.cq.is_usable(size_of::<CompletionEntry>()) =>
            {
                self.disable();
                self.enabled = true;
                Ok(())
            }
            (1, false) => Err(FatalFault::configuration("a queue was enabled without its rings")),
            (1, true) => Err(FatalFault::configuration("a queue was enabled twice")),
            _ => Err(FatalFault::configuration(
                "a queue was enabled with a value other than 1",
            )),
        }
    }

    /// Forgets all commands and indices; keeps the configuration.
    fn disable(&mut self) {
        *self = Self {
            sq: self.sq,
            cq: self.cq,
            message: self.message,
            phase: PHASE,
            ..Self::default()
        };
    }

    pub(crate) fn ring_submissions(&mut self, queue: u16, tail: u64) -> Result<(), FatalFault> {
        self.sq_tail = self.index(queue, tail, self.sq)?;
        Ok(())
    }

    pub(crate) fn ring_completions(&mut self, queue: u16, head: u64) -> Result<(), FatalFault> {
        let head = self.index(queue, head, self.cq)?;
        if self.cq.distance(self.cq_head, head) > self.cq.distance(self.cq_head, self.cq_tail) {
            return Err(FatalFault::doorbell(
                queue,
                "a doorbell consumed completions that were not posted",
            ));
        }
        self.cq_head = head;
        Ok(())
    }

    fn index(&self, queue: u16, value: u64, ring: Ring) -> Result<u32, FatalFault> {
        if !self.enabled {
            return Err(FatalFault::doorbell(
                queue,
                "a doorbell of a disabled queue was written",
            ));
        }
        u32::try_from(value)
            .ok()
            .filter(|index| *index < ring.entries)
            .ok_or(FatalFault::doorbell(queue, "a doorbell was outside its ring"))
    }

    /// Aborts the command with this tag that is running, or the ones that wait in the ring now. A tag that comes later is another command.
    pub(crate) fn abort(&mut self, tag: u16) {
        match &mut self.job {
            Some(job) if job.tag == tag => {
                if !job.has_ended() {
                    job.end(Err(CommandFault::command(CompletionStatus::Aborted)));
                }
            }
            _ => {
                let waiting = self.sq.distance(self.sq_head, self.sq_tail);
                if waiting > 0 {
                    self.aborts.insert(tag, self.fetched.saturating_add(waiting.into()));
                }
            }
        }
    }

    /// Address of the submission entry to fetch next.
    pub(crate) fn next_submission(&self) -> Option<u64> {
        let ready = self.enabled && self.job.is_none() && self.sq_head != self.sq_tail;
        ready.then(|| self.sq.base + u64::from(self.sq_head) * size_of::<SubmissionEntry>() as u64)
    }

    pub(crate) fn accept(&mut self, entry: &SubmissionEntry) {
        let mut job = Job::new(entry);
        let doomed = self.aborts.remove(&entry.tag).is_some_and(|until| self.fetched < until);
        if doomed {
            job.end(Err(CommandFault::command(CompletionStatus::Aborted)));
        }
        self.job = Some(job);
        self.fetched = self.fetched.saturating_add(1);
        self.sq_head = self.sq.next(self.sq_head);
        if self.sq_head == self.sq_tail {
            self.aborts.clear();
        }
    }

    /// The completion of the command that has ended, if there is one and the completion ring has room.
    pub(crate) fn ended(&self) -> Option<CompletionEntry> {
        let job = self.job.as_ref()?;
        let Stage::Ended(outcome) = &job.stage else {
            return None;
        };
        if self.cq.next(self.cq_tail) == self.cq_head {
            return None;
        }
        let fault = outcome.err();
        Some(CompletionEntry {
            tag: job.tag,
            sq_head: self.sq_head as u16,
            generation: job.generation,
            cycles: job.cycles.total(),
            offset: fault.map_or(0, |fault| fault.offset),
            step: fault.map_or(NO_STEP, |fault| fault.step),
            status: fault.map_or(CompletionStatus::Success, |fault| fault.status) as u8,
            operand: fault.map_or(NO_OPERAND, |fault| fault.operand),
            phase: 0,
        })
    }

    /// Address and phase of the next completion entry.
    pub(crate) fn next_completion(&self) -> (u64, u16) {
        let offset = u64::from(self.cq_tail) * size_of::<CompletionEntry>() as u64;
        (self.cq.base + offset, self.phase)
    }

    pub(crate) fn posted(&mut self) {
        self.cq_tail = self.cq.next(self.cq_tail);
        if self.cq_tail == 0 {
            self.phase ^= PHASE;
        }
    }
}

fn base(value: u64) -> Result<u64, FatalFault> {
    if value.is_multiple_of(PAGE) {
        Ok(value)
    } else {
        Err(FatalFault::configuration("a ring was not page aligned"))
    }
}

fn entries(value: u64) -> Result<u32, FatalFault> {
    u32::try_from(value)
        .ok()
        .filter(|entries| entries.is_power_of_two() && (MIN_ENTRIES..=MAX_ENTRIES).contains(entries))
        .ok_or(FatalFault::configuration("a ring had an impossible number of entries"))
}

fn message(value: u64) -> Result<u16, FatalFault> {
    u16::try_from(value)
        .ok()
        .filter(|message| *message < MSIX_MESSAGES)
        .ok_or(FatalFault::configuration(
            "a queue was given a message that does not exist",
        ))
}
