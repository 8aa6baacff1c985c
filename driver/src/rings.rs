//! A submission and a completion ring in a common buffer, and their doorbells.

use hawser_abi::queue::{COMMAND_RUN, CompletionEntry, SubmissionEntry};
use hawser_abi::registers as reg;
use hawser_core::{CompletionRing, DescriptorHead, SlotId, SubmissionRing};
use kmdf::dma::{CommonBuffer, DmaEnabler};
use kmdf::{MappedRegisters, NtStatus, Result};

/// Entries of either ring: twice the slots, so that no ring is ever full.
pub const ENTRIES: u32 = 64;
const SUBMISSION_BYTES: usize = ENTRIES as usize * size_of::<SubmissionEntry>();
const COMPLETION_BYTES: usize = ENTRIES as usize * size_of::<CompletionEntry>();
const PAGE: usize = 4096;
const COMPLETIONS_AT: usize = SUBMISSION_BYTES.next_multiple_of(PAGE);
const _: () = assert!(hawser_core::SLOTS < ENTRIES as usize && ENTRIES <= hawser_abi::queue::MAX_ENTRIES);

/// A queue pair.
#[derive(Debug)]
pub struct QueuePair {
    number: u16,
    memory: CommonBuffer,
    /// Indexes of the submission ring.
    pub submissions: SubmissionRing,
    /// Indexes of the completion ring.
    pub completions: CompletionRing,
    state: State,
}

/// Whether the device works with the rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Closed,
}

/// The device does not take commands from the ring now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

/// A command is in the ring, and only its doorbell is left.
#[derive(Debug)]
#[must_use = "the device has not been told"]
pub struct Written(());

impl QueuePair {
    /// Queue pair `number`, closed.
    pub fn new(enabler: &DmaEnabler, number: u16) -> Result<Self> {
        let memory = enabler.common_buffer(COMPLETIONS_AT + COMPLETION_BYTES)?;
        let submissions = SubmissionRing::new(ENTRIES).ok_or(NtStatus::INTERNAL_ERROR)?;
        let completions = CompletionRing::new(ENTRIES).ok_or(NtStatus::INTERNAL_ERROR)?;
        Ok(Self {
            number,
            memory,
            submissions,
            completions,
            state: State::Closed,
        })
    }

    /// The queue's number.
    pub const fn number(&self) -> u16 {
        self.number
    }

    /// Device address of the submission ring.
    pub const fn submissions_address(&self) -> u64 {
        self.memory.address().0
    }

    /// Device address of the completion ring.
    pub const fn completions_address(&self) -> u64 {
        self.memory.address().0 + COMPLETIONS_AT as u64
    }

    /// Device address of the last byte of the rings.
    pub const fn last_address(&self) -> u64 {
        self.memory.last_address().0
    }

    /// Empties both rings. The device must not be using them.
    pub fn rebuild(&mut self) {
        self.memory.memory().clear();
        self.submissions.reset();
        self.completions.reset();
    }

    /// The device takes commands from now on.
    pub fn open(&mut self) {
        self.state = State::Open;
    }

    /// No doorbell is written any more.
    pub fn close(&mut self) {
        self.state = State::Closed;
    }

    /// There is room for a command, and the device would take it.
    pub const fn takes_commands(&self) -> core::result::Result<(), Closed> {
        if matches!(self.state, State::Open) && self.submissions.free() > 0 {
            Ok(())
        } else {
            Err(Closed)
        }
    }

    /// Writes a command to the place at the tail of the ring, which the device does not look at before the doorbell.
    pub fn write(&self, slot: SlotId, descriptor: DescriptorHead) -> core::result::Result<Written, Closed> {
        self.takes_commands()?;
        let index = self.submissions.tail();
        let entry = SubmissionEntry {
            command: COMMAND_RUN,
            reserved0: 0,
            tag: slot.tag(),
            generation: slot.generation(),
            descriptor: descriptor.address.0,
            descriptor_length: descriptor.length,
            reserved1: [0; 44],
        };
        let at = index as usize * size_of::<SubmissionEntry>();
        self.memory.memory().write_value(at, &entry).map_err(|_| Closed)?;
        Ok(Written(()))
    }

    /// Rings the doorbell for the command that was just written: the one register write of a submission.
    pub fn ring(&mut self, registers: &MappedRegisters, _written: Written) {
        let pushed = self.submissions.push();
        debug_assert!(pushed.is_some(), "there was room for the command");
        registers.ring32(reg::sq_tail_doorbell(self.number), self.submissions.tail());
    }

    /// The completion at the head of the ring, if its phase says that there is one. Hostile until checked.
    pub fn completion(&self) -> Option<CompletionEntry> {
        let at = COMPLETIONS_AT + self.completions.head() as usize * size_of::<CompletionEntry>();
        let phase_at = at + core::mem::offset_of!(CompletionEntry, phase);
        let phase: u16 = self.memory.memory().read_value(phase_at).ok()?;
        if phase & hawser_abi::queue::PHASE != self.completions.expected_phase() {
            return None;
        }
        kmdf::read_fence();
        self.memory.memory().read_value(at).ok()
    }

    /// Tells the device how far completions were read: one register write for a batch.
    pub fn acknowledge(&self, registers: &MappedRegisters) {
        if self.state == State::Open {
            registers.ring32(reg::cq_head_doorbell(self.number), self.completions.head());
        }
    }
}
