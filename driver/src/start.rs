//! The start: the tables are completed, the descriptor is written, and one doorbell tells the device. `IRQL <= DISPATCH_LEVEL`.

use core::time::Duration;

use hawser_abi::reason::Reason;
use hawser_core::{DescriptorHead, DescriptorPlace, OnQueue, TableMemory, ViewBuilder, write_descriptor};
use kmdf::{Instant, NtStatus, Result};

use crate::device::Device;
use crate::job::{BlockMemory, Dma, Job, Runs, Views};
use crate::let_go::run_of;
use crate::map;
use crate::params::LONGEST_TIMEOUT_MS;
use crate::slots::OwnedJob;
use crate::stats::{End, count};
use crate::watchdog;

/// Starts a job all of whose parts are mapped.
pub fn start(device: &Device, mut job: OwnedJob) {
    job.dma = match job.take_dma() {
        Dma::Mapping(mapping) => match mapping.finish() {
            Ok(mapped) => Dma::Mapped(mapped),
            Err(mapping) => Dma::Mapping(mapping),
        },
        other => other,
    };
    job.work.timeline.mapped = job.age();
    let mapped = job
        .work
        .plan
        .bytes_to_device()
        .saturating_add(job.work.plan.bytes_from_device());
    count(&device.counters.bytes_mapped, mapped);
    let end = match describe(device, &mut job) {
        Ok(head) => match launch(device, job, head) {
            Ok(()) => return watchdog::watch(device),
            Err(back) => {
                job = back;
                End::Abandoned(device.control.refuses().unwrap_or(Reason::DeviceReset))
            }
        },
        Err(_) => End::Abandoned(Reason::DeviceFailed),
    };
    map::abandon(device, job, end);
}

/// Completes the segment tables and writes the descriptor.
fn describe(device: &Device, job: &mut Job) -> Result<DescriptorHead> {
    let mut block = device.arena.block(job.work.block)?;
    let (Some(checked), Some(views)) = (job.work.checked, job.work.views) else {
        return Err(NtStatus::INTERNAL_ERROR);
    };
    let (read_segments, write_segments) = finish(job, views, &mut block)?;
    let place = DescriptorPlace {
        block: block.address,
        scratch_base: job.work.scratch.offset.0,
        read_segments,
        write_segments,
    };
    write_descriptor(&checked, job.work.plan.layout(), &place, &mut block).map_err(|_| NtStatus::INTERNAL_ERROR)
}

/// Completes the segment tables, and returns how many segments each of them has.
fn finish(job: &mut Job, views: Views, block: &mut BlockMemory<'_>) -> Result<(u32, u32)> {
    let (pieces, Runs { read, write }) = job.pieces_and_runs();
    let mut finish = |mut view: ViewBuilder, run| {
        let mut memory = TableMemory { run, writer: block };
        view.finish(pieces, &mut memory).map_err(|_| NtStatus::INTERNAL_ERROR)
    };
    Ok((finish(views.read, read)?, finish(views.write, write)?))
}

/// Gives the job to the device. It comes back where the device takes no commands.
///
/// Everything that can fail is done before the job counts as started, because from then on only the device can give it back.
fn launch(device: &Device, mut job: OwnedJob, head: DescriptorHead) -> core::result::Result<(), OwnedJob> {
    let (Some(slot), Some(hardware)) = (job.slot, device.interrupts.hardware.borrow()) else {
        return Err(job);
    };
    let Some(queue) = device.queue_of(slot, &hardware) else {
        return Err(job);
    };
    let mapped = match job.take_dma() {
        Dma::Mapped(mapped) => mapped,
        other => {
            job.dma = other;
            return Err(job);
        }
    };
    // Held until the doorbell: the queue stays open, and nobody looks for the job before it is parked.
    let mut queue = queue.lock();
    let on = OnQueue {
        queue: queue.number(),
        steps: job.work.checked.map_or(0, |checked| checked.step_count()),
    };
    let deadline = Instant::now().after(time_allowed(device, &job));
    let written = queue.write(slot, head).ok();
    match written.filter(|_| device.slots.start(slot, on, deadline)) {
        Some(written) => {
            job.work.timeline.started = job.age();
            job.dma = Dma::Started(mapped.start(run_of(slot)));
            device.slots.park(job);
            queue.ring(&hardware.registers, written);
            Ok(())
        }
        None => {
            job.dma = Dma::Mapped(mapped);
            Err(job)
        }
    }
}

/// How long the program may run.
fn time_allowed(device: &Device, job: &Job) -> Duration {
    let asked = job.work.checked.map_or(0, |checked| checked.timeout_ms());
    Duration::from_millis(allowed_ms(asked, device.params.timeout_ms).into())
}

/// Milliseconds that a program may run which asks for `asked`; 0 asks for the default.
fn allowed_ms(asked: u32, default: u32) -> u32 {
    let wanted = if asked == 0 { default } else { asked };
    wanted.min(LONGEST_TIMEOUT_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_runs_as_long_as_it_asks_for_within_the_limit() {
        assert_eq!(allowed_ms(0, 10_000), 10_000);
        assert_eq!(allowed_ms(5, 10_000), 5);
        assert_eq!(allowed_ms(20_000, 10_000), 20_000);
        assert_eq!(allowed_ms(u32::MAX, 10_000), LONGEST_TIMEOUT_MS);
    }
}
