//! The DPC: reads the completion rings empty. What the device writes there is hostile until it has been checked. DISPATCH_LEVEL.

use hawser_abi::registers::status;
use hawser_core::{QueueView, SLOTS};

use crate::device::Device;
use crate::hardware::Hardware;
use crate::isr::{has_errors, has_queue};
use crate::rings::ENTRIES;
use crate::slots::{Checked, OwnedJob};
use crate::stats::{End, count};
use crate::{let_go, settle, teardown};

/// Looks at everything that an interrupt may have been about.
pub fn look(device: &Device, hardware: &Hardware, causes: u32) {
    let queues = (0..hardware.queues).filter(|queue| has_queue(causes, *queue));
    let found: u32 = queues.map(|queue| drain(device, hardware, queue)).sum();
    let trouble = has_errors(causes) && in_trouble(hardware);
    if trouble {
        teardown::request(device);
    }
    if found == 0 && !trouble {
        count(&device.counters.spurious_interrupts, 1);
    }
}

/// The device is gone, or a fatal fault has stopped it.
pub fn in_trouble(hardware: &Hardware) -> bool {
    hardware.status().is_none_or(|bits| bits & status::FATAL != 0)
}

/// Reads a completion ring empty and ends the jobs of what completed. Returns the number of entries read.
pub fn drain(device: &Device, hardware: &Hardware, number: u16) -> u32 {
    let mut ended = [const { None }; SLOTS];
    let read = collect(device, hardware, number, &mut ended);
    for job in ended.into_iter().flatten() {
        end(device, job);
    }
    read
}

/// Reads the entries, under the lock of the queue, and tells the device once how far.
fn collect(device: &Device, hardware: &Hardware, number: u16, ended: &mut [Option<OwnedJob>; SLOTS]) -> u32 {
    let Some(queue) = device.queue(number) else { return 0 };
    let mut queue = queue.lock();
    let mut places = ended.iter_mut();
    let mut read = 0;
    // A device that keeps writing entries does not keep the processor: no ring holds more than this.
    while read < ENTRIES {
        let Some(entry) = queue.completion() else { break };
        let view = QueueView {
            queue: number,
            completions: &queue.completions,
            submissions: &queue.submissions,
        };
        match device.slots.complete(&entry, view) {
            Checked::NotReady => break,
            Checked::Stray => count(&device.counters.stray_completions, 1),
            Checked::Ended(what, mut job) => {
                let retired = queue.submissions.retire(what.sq_head);
                debug_assert!(retired.is_ok(), "the head was checked");
                // There are as many places as slots, and a slot ends once in a batch.
                if let Some(place) = places.next() {
                    job.work.ended = Some(what);
                    *place = Some(job);
                }
            }
        }
        queue.completions.advance();
        read += 1;
    }
    if read > 0 {
        queue.acknowledge(&hardware.registers);
    }
    read
}

/// The device has ended a command.
fn end(device: &Device, mut job: OwnedJob) {
    job.work.timeline.interrupt = job.age();
    if let Some(ended) = job.work.ended {
        job.work.end = Some(End::Ran(ended.outcome));
        job = let_go::after_completion(device, job, &ended);
    }
    settle::settle(device, job);
}
