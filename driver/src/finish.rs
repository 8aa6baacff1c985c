//! The end of a request: its record, its space, its completion. `IRQL <= DISPATCH_LEVEL`.

use hawser_abi::result::{NOT_APPLICABLE, ResultRecord, Timeline, VERSION, state};
use hawser_core::Outcome;
use kmdf::NtStatus;
use zerocopy::FromZeros;

use crate::device::Device;
use crate::job::{Dma, Work};
use crate::results::Handle;
use crate::slots::OwnedJob;
use crate::stats::End;

/// Completes the request of a settled job.
pub fn finish(device: &Device, mut job: OwnedJob) {
    let (idle, request) = match job.take_dma() {
        Dma::LetGo(idle, request) => (idle, request),
        other => {
            job.dma = other;
            return device.slots.park(job);
        }
    };
    job.dma = Dma::Idle(idle);
    job.work.timeline.completed = job.age();
    let record = record(&job.work);
    if let Some(end) = &job.work.end {
        device.counters.ended(end);
    }
    if let (Some(ticket), Some(handle)) = (job.work.ticket, request.file::<Handle>()) {
        handle.complete(ticket, &record);
    }
    let status = NtStatus::from_bits(record.status);
    let length = job.work.checked.map_or(0, |checked| checked.data_length());
    let bytes = if status.is_success() { length as usize } else { 0 };
    give_back(device, job);
    device.waiting.wake();
    request.complete_with_information(status, bytes);
}

/// Gives a job's space and slot back.
pub fn give_back(device: &Device, mut job: OwnedJob) {
    let work = core::mem::take(&mut job.work);
    device.arena.give_back(work.block);
    device.scratch.give_back(work.scratch);
    if let Some(list) = job.take_list() {
        device.large_lists.give_back(list);
    }
    device.slots.free(job);
}

/// The record of a submission about which nothing is known but its cookie.
pub fn blank_record(cookie: u64) -> ResultRecord {
    ResultRecord {
        size: size_of::<ResultRecord>() as u32,
        version: VERSION,
        cookie,
        state: state::IN_FLIGHT,
        step: NOT_APPLICABLE,
        operand: NOT_APPLICABLE,
        ..ResultRecord::new_zeroed()
    }
}

/// The record of a job that has ended.
fn record(work: &Work) -> ResultRecord {
    let Work {
        checked,
        plan,
        views,
        timeline,
        ended,
        end,
        ..
    } = work;
    let mut record = blank_record(checked.map_or(0, |checked| checked.cookie()));
    record.state = state::COMPLETED;
    match end {
        Some(End::Ran(Outcome::Fault(fault))) => fault.write_to(&mut record),
        Some(End::Refused(refusal)) => refusal.write_to(&mut record),
        _ => {}
    }
    let reason = end
        .as_ref()
        .map_or(hawser_abi::reason::Reason::DeviceFailed, End::reason);
    record.reason = reason as u32;
    record.status = reason.status();
    record.mappings = plan.packed_mappings();
    record.device_cycles = ended.map_or(0, |ended| ended.cycles);
    record.bytes_to_device = plan.bytes_to_device();
    record.bytes_from_device = plan.bytes_from_device();
    record.bytes_copied_in = plan.bytes_copied_in();
    record.bytes_copied_out = if reason.status() == 0 {
        plan.bytes_copied_out()
    } else {
        0
    };
    record.elements = views.map_or(0, |views| views.read.elements().saturating_add(views.write.elements()));
    record.timeline = Timeline { ..*timeline };
    record
}

#[cfg(test)]
mod tests {
    use super::*;
    use hawser_abi::reason::Reason;
    use hawser_core::{Fault, Refusal};

    fn ended(end: End) -> ResultRecord {
        record(&Work {
            end: Some(end),
            ..Work::default()
        })
    }

    #[test]
    fn a_success_has_no_reason_and_names_no_step() {
        let record = ended(End::Ran(Outcome::Success));
        assert_eq!((record.state, record.status, record.reason), (state::COMPLETED, 0, 0));
        assert_eq!((record.step, record.operand), (NOT_APPLICABLE, NOT_APPLICABLE));
    }

    #[test]
    fn a_fault_names_step_and_operand() {
        let fault = Fault {
            reason: Reason::DivideByZero,
            step: Some(7),
            operand: Some(hawser_abi::program::OperandIndex::B),
            offset: 24,
        };
        let record = ended(End::Ran(Outcome::Fault(fault)));
        assert_eq!(record.status, Reason::DivideByZero.status());
        assert_eq!((record.step, record.operand, record.offset), (7, 2, 24));
    }

    #[test]
    fn refusals_and_losses_keep_their_reason() {
        let refused = ended(End::Refused(Refusal::new(Reason::MappingFailed)));
        assert_eq!(refused.reason, Reason::MappingFailed as u32);
        let lost = ended(End::Abandoned(Reason::TimedOut));
        assert_eq!(lost.status, Reason::TimedOut.status());
        assert_eq!(lost.state, state::COMPLETED);
    }

    #[test]
    fn a_job_without_an_end_is_never_a_success() {
        assert_ne!(record(&Work::default()).status, 0);
    }
}
