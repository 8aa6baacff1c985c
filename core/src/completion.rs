//! Decides what a completion entry proves.
//!
//! An entry is what the device claims. Only one that names the current use of a slot whose command is on this very queue proves that the
//! command has ended; everything else is a stray, which is counted and otherwise ignored. No entry, whatever its bytes, does more.

use hawser_abi::program::OperandIndex;
use hawser_abi::queue::{CompletionEntry, CompletionStatus, NO_OPERAND, NO_STEP, PHASE};
use hawser_abi::reason::Reason;
use hawser_abi::result::{NOT_APPLICABLE, ResultRecord};

use crate::rings::{CompletionRing, SubmissionRing};
use crate::slots::{OnQueue, SlotId, SlotTable};

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completion {
    /// The device has not written it yet.
    NotReady,
    /// A command has ended. The caller ends its slot, retires the submission head and goes on to the next entry.
    Ended(Ended),
    /// It matches no command. The caller counts it and goes on to the next entry.
    Stray(Stray),
}

/// The end of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Whose command ended.
    pub slot: SlotId,
    /// Up to where the device has fetched the submission ring.
    pub sq_head: u32,
    /// Device cycles that it took, by the device's account.
    pub cycles: u64,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every step ran.
    Success,
    /// The device obeyed an abort.
    Aborted,
    /// A step failed.
    Fault(Fault),
}

/// Why and where a command failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What happened.
    pub reason: Reason,
    /// The step, where the device names one that the program has.
    pub step: Option<u32>,
    /// The operand, where the device names one.
    pub operand: Option<OperandIndex>,
    /// Byte offset within the operand.
    pub offset: u64,
}

impl Fault {
    /// Fills the fields of a record that say what failed and where.
    pub fn write_to(&self, record: &mut ResultRecord) {
        record.status = self.reason.status();
        record.reason = self.reason as u32;
        record.step = self.step.unwrap_or(NOT_APPLICABLE);
        record.operand = self.operand.map_or(NOT_APPLICABLE, |operand| operand as u32);
        record.offset = self.offset;
        record.length = 0;
        record.limit = 0;
    }
}

/// Why an entry matches no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stray {
    /// Reserved bits are set.
    ReservedBits,
    /// No slot has this tag.
    UnknownTag,
    /// The slot is in another use.
    WrongGeneration,
    /// The slot has no command on the device.
    NotStarted,
    /// The command was given to another queue.
    WrongQueue,
    /// The submission head is not between what was fetched and what was submitted.
    BadSubmissionHead,
}

/// The rings of one queue.
#[derive(Clone, Copy, Debug)]
pub struct QueueView<'q> {
    /// Number of the queue.
    pub queue: u16,
    /// Its completion ring.
    pub completions: &'q CompletionRing,
    /// Its submission ring.
    pub submissions: &'q SubmissionRing,
}

/// Decides what the entry at the head of a completion ring is.
///
/// A status that the contract does not define ends the command with [`Reason::DeviceProtocol`]: that it has ended is proved by tag and
/// generation, only how is unknown.
pub fn check_completion(entry: &CompletionEntry, queue: QueueView<'_>, slots: &SlotTable) -> Completion {
    if entry.phase & PHASE != queue.completions.expected_phase() {
        return Completion::NotReady;
    }
    match ended(entry, queue, slots) {
        Ok(ended) => Completion::Ended(ended),
        Err(stray) => Completion::Stray(stray),
    }
}

fn ended(entry: &CompletionEntry, queue: QueueView<'_>, slots: &SlotTable) -> Result<Ended, Stray> {
    if entry.phase & !PHASE != 0 {
        return Err(Stray::ReservedBits);
    }
    let slot = slots.last_use(entry.tag).ok_or(Stray::UnknownTag)?;
    if slot.generation() != entry.generation {
        return Err(Stray::WrongGeneration);
    }
    let command = slots.command_of(slot).ok_or(Stray::NotStarted)?;
    if command.queue != queue.queue {
        return Err(Stray::WrongQueue);
    }
    let sq_head = u32::from(entry.sq_head);
    if !queue.submissions.head_is_plausible(sq_head) {
        return Err(Stray::BadSubmissionHead);
    }
    Ok(Ended {
        slot,
        sq_head,
        cycles: entry.cycles,
        outcome: outcome(entry, command),
    })
}

fn outcome(entry: &CompletionEntry, command: OnQueue) -> Outcome {
    let reason = match CompletionStatus::from_byte(entry.status) {
        Some(CompletionStatus::Success) => return Outcome::Success,
        Some(CompletionStatus::Aborted) => return Outcome::Aborted,
        Some(CompletionStatus::BadDescriptor) => Reason::DeviceBadDescriptor,
        Some(CompletionStatus::OutOfBounds) => Reason::DeviceBounds,
        Some(CompletionStatus::Direction) => Reason::DeviceDirection,
        Some(CompletionStatus::DivideByZero) => Reason::DivideByZero,
        Some(CompletionStatus::Unsupported) => Reason::DeviceUnsupported,
        Some(CompletionStatus::BusError) => Reason::DeviceBusError,
        None => Reason::DeviceProtocol,
    };
    Outcome::Fault(Fault {
        reason,
        step: Some(entry.step).filter(|step| *step != NO_STEP && *step < command.steps),
        operand: Some(entry.operand)
            .filter(|operand| *operand != NO_OPERAND)
            .and_then(|operand| OperandIndex::from_u32(operand.into())),
        offset: entry.offset,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use zerocopy::FromZeros;

    /// A queue with one command on it, in slot 0, and a reserved slot 1.
    struct Bench {
        slots: SlotTable,
        started: SlotId,
        reserved: SlotId,
        submissions: SubmissionRing,
        completions: CompletionRing,
    }

    impl Bench {
        fn new() -> Self {
            let mut slots = SlotTable::new();
            let started = slots.allocate().expect("all slots are free");
            let reserved = slots.allocate().expect("a slot is free");
            slots
                .start(started, OnQueue { queue: 2, steps: 10 })
                .expect("the slot is reserved");
            let mut submissions = SubmissionRing::new(4).expect("a valid size");
            submissions.push();
            Self {
                slots,
                started,
                reserved,
                submissions,
                completions: CompletionRing::new(4).expect("a valid size"),
            }
        }

        fn check(&self, entry: &CompletionEntry) -> Completion {
            let queue = QueueView {
                queue: 2,
                completions: &self.completions,
                submissions: &self.submissions,
            };
            check_completion(entry, queue, &self.slots)
        }

        fn good(&self) -> CompletionEntry {
            CompletionEntry {
                tag: self.started.tag(),
                sq_head: 1,
                generation: self.started.generation(),
                cycles: 99,
                step: NO_STEP,
                operand: NO_OPERAND,
                phase: PHASE,
                ..CompletionEntry::new_zeroed()
            }
        }
    }

    #[test]
    fn a_matching_entry_ends_its_command() {
        let bench = Bench::new();
        let ended = Ended {
            slot: bench.started,
            sq_head: 1,
            cycles: 99,
            outcome: Outcome::Success,
        };
        assert_eq!(bench.check(&bench.good()), Completion::Ended(ended));
    }

    #[test]
    fn an_entry_of_the_last_lap_is_not_ready() {
        let bench = Bench::new();
        assert_eq!(
            bench.check(&CompletionEntry {
                phase: 0,
                ..bench.good()
            }),
            Completion::NotReady
        );
    }

    #[test]
    fn what_matches_no_command_is_a_stray() {
        let bench = Bench::new();
        let good = bench.good();
        let strays = [
            (
                CompletionEntry {
                    phase: PHASE | 2,
                    ..good
                },
                Stray::ReservedBits,
            ),
            (CompletionEntry { tag: 32, ..good }, Stray::UnknownTag),
            (CompletionEntry { tag: u16::MAX, ..good }, Stray::UnknownTag),
            (
                CompletionEntry {
                    generation: good.generation + 1,
                    ..good
                },
                Stray::WrongGeneration,
            ),
            (CompletionEntry { generation: 0, ..good }, Stray::WrongGeneration),
            (
                CompletionEntry {
                    tag: bench.reserved.tag(),
                    ..good
                },
                Stray::NotStarted,
            ),
            (CompletionEntry { sq_head: 2, ..good }, Stray::BadSubmissionHead),
            (
                CompletionEntry {
                    sq_head: u16::MAX,
                    ..good
                },
                Stray::BadSubmissionHead,
            ),
        ];
        for (entry, stray) in strays {
            assert_eq!(bench.check(&entry), Completion::Stray(stray));
        }
        let other = QueueView {
            queue: 1,
            completions: &bench.completions,
            submissions: &bench.submissions,
        };
        assert_eq!(
            check_completion(&good, other, &bench.slots),
            Completion::Stray(Stray::WrongQueue)
        );
    }

    #[test]
    fn the_same_entry_is_a_stray_the_second_time() {
        let mut bench = Bench::new();
        let good = bench.good();
        bench.slots.end(bench.started).expect("the slot is started");
        assert_eq!(bench.check(&good), Completion::Stray(Stray::NotStarted));
        bench.slots.free(bench.started).expect("the slot is reserved");
        assert_eq!(bench.check(&good), Completion::Stray(Stray::NotStarted));
        let next = bench.slots.allocate().expect("a slot is free");
        bench
            .slots
            .start(next, OnQueue { queue: 2, steps: 1 })
            .expect("the slot is reserved");
        assert_eq!(bench.check(&good), Completion::Stray(Stray::WrongGeneration));
    }

    #[test]
    fn statuses_become_reasons() {
        let bench = Bench::new();
        let outcome = |status| match bench.check(&CompletionEntry {
            status,
            step: 9,
            operand: 3,
            offset: 8,
            ..bench.good()
        }) {
            Completion::Ended(ended) => ended.outcome,
            other => panic!("{other:?}"),
        };
        assert_eq!((outcome(0), outcome(7)), (Outcome::Success, Outcome::Aborted));
        let faults = [
            (1, Reason::DeviceBadDescriptor),
            (2, Reason::DeviceBounds),
            (3, Reason::DeviceDirection),
            (4, Reason::DivideByZero),
            (5, Reason::DeviceUnsupported),
            (6, Reason::DeviceBusError),
            (8, Reason::DeviceProtocol),
            (255, Reason::DeviceProtocol),
        ];
        for (status, reason) in faults {
            let fault = Fault {
                reason,
                step: Some(9),
                operand: Some(OperandIndex::C),
                offset: 8,
            };
            assert_eq!(outcome(status), Outcome::Fault(fault));
        }
    }

    #[test]
    fn steps_and_operands_that_do_not_exist_are_not_reported() {
        let bench = Bench::new();
        for (step, operand) in [(10, 4), (NO_STEP, NO_OPERAND), (u32::MAX - 1, 77)] {
            let entry = CompletionEntry {
                status: 2,
                step,
                operand,
                ..bench.good()
            };
            let Completion::Ended(Ended {
                outcome: Outcome::Fault(fault),
                ..
            }) = bench.check(&entry)
            else {
                panic!("not a fault");
            };
            assert_eq!((fault.step, fault.operand), (None, None));
            let mut record = ResultRecord::new_zeroed();
            fault.write_to(&mut record);
            assert_eq!((record.step, record.operand), (NOT_APPLICABLE, NOT_APPLICABLE));
            assert_eq!((record.reason, record.status), (0x61, Reason::DeviceBounds.status()));
        }
    }

    proptest! {
        #[test]
        fn no_entry_proves_more_than_it_should(
            near in any::<bool>(), bytes in any::<[u8; 32]>(), tag in 0_u16..40, generation in 0_u32..4, phase in 0_u16..4
        ) {
            let bench = Bench::new();
            let mut entry: CompletionEntry = zerocopy::transmute!(bytes);
            if near {
                (entry.tag, entry.generation, entry.phase, entry.sq_head) = (tag, generation, phase, entry.sq_head % 6);
            }
            match bench.check(&entry) {
                Completion::NotReady => prop_assert_eq!(entry.phase & 1, 0),
                Completion::Stray(_) => prop_assert_eq!(entry.phase & 1, 1),
                Completion::Ended(ended) => {
                    prop_assert_eq!(ended.slot, bench.started);
                    prop_assert_eq!((entry.tag, entry.generation), (ended.slot.tag(), ended.slot.generation()));
                    prop_assert_eq!(entry.phase, 1);
                    prop_assert!(ended.sq_head <= 1);
                }
            }
        }
    }
}
