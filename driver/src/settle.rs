//! Settling: after the device has let go, the user's buffer gets what it is to have.
//!
//! After a success that is the bytes of the arena that the program wrote. After a failure it is zeros in place of what was mapped for the device to write, since
//! such a mapping may have carried over stale memory. Little is done at once, even in a DPC; much is done by a work item.

use core::time::Duration;

use hawser_abi::reason::Reason;
use hawser_core::{Fault, Outcome};
use kmdf::{NewDevice, NtStatus, Result, SpinLock, WorkItem, WorkItemOps};

use crate::device::Device;
use crate::finish;
use crate::job::{Dma, Job};
use crate::map;
use crate::slots::OwnedJob;
use crate::stats::{End, count};
use crate::tags::SlotQueue;

/// Most bytes that are copied or cleared at DISPATCH_LEVEL: some microseconds' worth.
const AT_ONCE: u64 = 64 << 10;
/// Most pieces of a plan that is settled at DISPATCH_LEVEL: far apart, each takes a mapping of its own.
const PIECES_AT_ONCE: usize = 32;

/// How often clearing is tried, and the time in between: the system's room for mappings comes and goes.
const CLEAR_TRIES: u32 = 16;
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

/// Jobs with much to settle, or whose buffer could not be mapped.
#[derive(Debug)]
pub struct Settling {
    slots: SpinLock<SlotQueue>,
    work: WorkItem,
}

impl Settling {
    /// No jobs.
    pub fn new(device: &NewDevice<'_>) -> Result<Self> {
        Ok(Self {
            slots: device.spin_lock(SlotQueue::new())?,
            work: device.work_item::<Settle>()?,
        })
    }
}

/// Settles a job whose end is known, and completes its request. `IRQL <= DISPATCH_LEVEL`.
pub fn settle(device: &Device, mut job: OwnedJob) {
    if !matches!(job.dma, Dma::LetGo(..)) {
        // The device may still use the memory. It stays tied, and its slot taken.
        debug_assert!(false, "a job is settled after it was let go");
        return device.slots.park(job);
    }
    map::released(device, &mut job);
    if bytes(&job) <= AT_ONCE && job.work.plan.pieces() <= PIECES_AT_ONCE {
        match settle_now(device, job) {
            Ok(()) => return,
            Err(uncleared) => job = uncleared,
        }
    }
    let Some(slot) = job.slot else { return };
    device.slots.park(job);
    device.settling.slots.lock().push(slot);
    device.settling.work.enqueue();
}

/// Bytes that are to be copied or cleared.
fn bytes(job: &Job) -> u64 {
    if succeeded(job) {
        job.work.plan.bytes_copied_out()
    } else {
        job.work.plan.bytes_from_device()
    }
}

fn succeeded(job: &Job) -> bool {
    matches!(job.work.end, Some(End::Ran(Outcome::Success)))
}

/// Settles a job and completes its request. It comes back where stale memory is left in the user's buffer.
fn settle_now(device: &Device, mut job: OwnedJob) -> core::result::Result<(), OwnedJob> {
    if succeeded(&job) && copy_out(device, &mut job).is_err() {
        job.work.end = Some(End::Ran(Outcome::Fault(UNMAPPABLE)));
    }
    if !succeeded(&job) && job.clear_written() != Ok(0) {
        return Err(job);
    }
    finish::finish(device, job);
    Ok(())
}

/// Settles a job, with patience where the system has no room to map the user's buffer. `PASSIVE_LEVEL`.
fn settle_patiently(device: &Device, mut job: OwnedJob) {
    for _ in 0..CLEAR_TRIES {
        match settle_now(device, job) {
            Ok(()) => return,
            Err(uncleared) => job = uncleared,
        }
        kmdf::delay(BETWEEN_TRIES);
    }
    // The request cannot be kept for ever, and its failure is reported either way.
    kmdf::message(c"hawser: memory of a failed request could not be cleared");
    finish::finish(device, job);
}

/// The program ran, but the system could not map the user's buffer for the copy.
const UNMAPPABLE: Fault = Fault {
    reason: Reason::MappingFailed,
    step: None,
    operand: None,
    offset: 0,
};

fn copy_out(device: &Device, job: &mut Job) -> Result {
    if job.work.plan.bytes_copied_out() == 0 {
        return Ok(());
    }
    let block = device
        .arena
        .block(job.work.block)
        .map_err(|_| NtStatus::INTERNAL_ERROR)?
        .memory;
    // What the device wrote before it wrote the completion entry is read after it.
    kmdf::read_fence();
    job.copy_out(&block)?;
    count(&device.counters.bytes_copied, job.work.plan.bytes_copied_out());
    Ok(())
}

/// Settles jobs at PASSIVE_LEVEL.
#[derive(Debug)]
struct Settle;

impl WorkItemOps for Settle {
    type Device = Device;

    fn run(device: &Device) {
        while let Some(slot) = next(device) {
            if let Some(job) = device.slots.take(slot) {
                settle_patiently(device, job);
            }
        }
    }
}

fn next(device: &Device) -> Option<hawser_core::SlotId> {
    device.settling.slots.lock().pop()
}
