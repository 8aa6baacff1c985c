//! The map stage: the parts of a request are mapped one after the other, each by a transaction of its own.
//!
//! The stage serves one request at a time. So no request ever holds some of its mappings while it waits for a request that waits for it, however few map registers
//! the machine has.

use hawser_abi::reason::Reason;
use hawser_core::{DeviceAddress, Direction, MappingIndex, Refusal, SlotId, View, ViewBuilder, ViewError};
use kmdf::dma::{self, Execution, Part, ProgramDma, Programmed, ScatterGatherList};
use kmdf::{NewDevice, NtStatus, Result, SpinLock};

use crate::device::Device;
use crate::job::{Dma, Job, Views};
use crate::slots::{OwnedJob, accept};
use crate::stats::End;
use crate::tags::SlotQueue;
use crate::{settle, start};

/// Who is in the stage, and who waits for it.
#[derive(Debug)]
pub struct MapStage(SpinLock<Gate>);

#[derive(Debug)]
struct Gate {
    inside: Option<SlotId>,
    outside: SlotQueue,
}

impl MapStage {
    /// An empty stage.
    pub fn new(device: &NewDevice<'_>) -> Result<Self> {
        Ok(Self(device.spin_lock(Gate::new())?))
    }

    /// Lets a job in, or parks it until it is its turn.
    fn admit(&self, device: &Device, job: OwnedJob) -> Option<OwnedJob> {
        let slot = job.slot?;
        let mut gate = self.0.lock();
        match gate.admit(slot) {
            Admission::Inside => Some(job),
            Admission::Outside => {
                device.slots.park(job);
                None
            }
        }
    }

    /// The job inside has left; gives the next one.
    fn leave(&self, device: &Device) -> Option<OwnedJob> {
        let mut gate = self.0.lock();
        device.slots.take(gate.leave()?)
    }
}

/// Whether a job may go in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Admission {
    Inside,
    Outside,
}

impl Gate {
    const fn new() -> Self {
        Self {
            inside: None,
            outside: SlotQueue::new(),
        }
    }

    fn admit(&mut self, slot: SlotId) -> Admission {
        if self.inside.is_some() {
            self.outside.push(slot);
            return Admission::Outside;
        }
        self.inside = Some(slot);
        Admission::Inside
    }

    fn leave(&mut self) -> Option<SlotId> {
        self.inside = self.outside.pop();
        self.inside
    }
}

/// Whether a job still needs the stage.
enum Progress {
    /// EvtProgramDma will go on with it.
    Waiting,
    /// It has left.
    Left,
}

/// A job whose data has been copied in comes to the stage. `IRQL <= DISPATCH_LEVEL`.
pub fn enter(device: &Device, mut job: OwnedJob) {
    match views(device, &job) {
        Ok(views) => job.work.views = Some(views),
        Err(_) => return abandon(device, job, mapping_failed()),
    }
    if job.work.plan.mappings().is_empty() {
        return start::start(device, job);
    }
    if let Some(job) = device.map_stage.admit(device, job) {
        serve(device, job);
    }
}

/// Maps the job inside, and then whoever waits.
fn serve(device: &Device, job: OwnedJob) {
    let mut inside = Some(job);
    while let Some(job) = inside {
        match map_parts(device, job) {
            Progress::Waiting => return,
            Progress::Left => inside = device.map_stage.leave(device),
        }
    }
}

fn views(device: &Device, job: &Job) -> Result<Views> {
    let checked = job.work.checked.ok_or(NtStatus::INTERNAL_ERROR)?;
    let limits = device.limits().ok_or(NtStatus::DEVICE_DOES_NOT_EXIST)?;
    let address = device.arena.block(job.work.block)?.address;
    let builder = |view| ViewBuilder::new(view, &checked, job.work.plan.layout(), address, &limits);
    Ok(Views {
        read: builder(View::Read),
        write: builder(View::Write),
    })
}

/// Maps what is left of a job's parts.
fn map_parts(device: &Device, mut job: OwnedJob) -> Progress {
    loop {
        if let Some(end) = job.work.end {
            abandon(device, job, end);
            return Progress::Left;
        }
        let execution = match prepare(&mut job) {
            Ok(Some(execution)) => execution,
            Ok(None) => {
                start::start(device, job);
                return Progress::Left;
            }
            Err(_) => {
                abandon(device, job, mapping_failed());
                return Progress::Left;
            }
        };
        match execute(device, job, execution) {
            Some(back) => job = back,
            None => return Progress::Waiting,
        }
    }
}

/// Prepares the next part, if there is one.
fn prepare(job: &mut Job) -> Result<Option<Execution>> {
    let Job {
        dma: Dma::Mapping(mapping),
        work,
        ..
    } = job
    else {
        return Err(NtStatus::INTERNAL_ERROR);
    };
    let Some(next) = work.plan.mappings().get(mapping.mapped()) else {
        return Ok(None);
    };
    let part = Part {
        offset: next.range.offset as usize,
        length: next.range.length as usize,
        direction: match next.direction {
            Direction::ToDevice => dma::Direction::ToDevice,
            Direction::FromDevice => dma::Direction::FromDevice,
        },
    };
    mapping.prepare::<Program>(part).map(Some)
}

/// Executes a transaction. Gives the job back where EvtProgramDma has been called, or never will be.
fn execute(device: &Device, job: OwnedJob, execution: Execution) -> Option<OwnedJob> {
    let slot = job.slot?;
    device.slots.park_executing(job);
    match execution.execute(slot.index()) {
        Ok(()) => device.slots.after_execute(slot),
        Err(failed) => {
            let mut job = device.slots.after_failure(slot)?;
            if let Dma::Mapping(mapping) = &mut job.dma {
                let taken = mapping.failed(failed);
                debug_assert!(taken.is_ok(), "the transaction is of this request");
            }
            job.work.end = Some(mapping_failed());
            Some(job)
        }
    }
}

fn refused(error: ViewError) -> End {
    match error {
        ViewError::BadScatterGather(refusal) => End::Refused(refusal),
        ViewError::OutsideArena | ViewError::OutOfOrder => mapping_failed(),
    }
}

fn mapping_failed() -> End {
    End::Refused(Refusal::new(Reason::MappingFailed))
}

/// Hawser's EvtProgramDma: adds the elements of a part to the segment table.
#[derive(Debug)]
struct Program;

impl ProgramDma for Program {
    type Device = Device;

    fn program(device: &Device, key: usize, proof: Programmed, list: &ScatterGatherList<'_>) {
        let Some(mut job) = device.slots.take_executing(key) else {
            debug_assert!(false, "a job is parked while its transaction is executed");
            return;
        };
        let supplied = accept(&mut job, proof).map_err(|_| mapping_failed());
        if let Err(end) = supplied.and_then(|()| supply(device, &mut job, list)) {
            job.work.end = Some(end);
        }
        if let Some(job) = device.slots.after_program(job) {
            serve(device, job);
        }
    }
}

/// Adds the list of the part that was mapped last. An empty list, one of the wrong length and one that the device cannot reach are refused.
fn supply(device: &Device, job: &mut Job, list: &ScatterGatherList<'_>) -> core::result::Result<(), End> {
    let Dma::Mapping(mapping) = &job.dma else {
        return Err(mapping_failed());
    };
    let index = mapping.mapped().checked_sub(1).ok_or_else(mapping_failed)?;
    let direction = job
        .work
        .plan
        .mappings()
        .get(index)
        .ok_or_else(mapping_failed)?
        .direction;
    let mut views = job.work.views.ok_or_else(mapping_failed)?;
    let mut block = device.arena.block(job.work.block).map_err(|_| mapping_failed())?;
    let view = match direction {
        Direction::ToDevice => &mut views.read,
        Direction::FromDevice => &mut views.write,
    };
    let elements = list
        .elements()
        .map(|(address, length)| (DeviceAddress(address.0), length));
    let supplied = view.supply(job.pieces(), MappingIndex(index as u8), elements, &mut block);
    supplied.map_err(refused)?;
    job.work.views = Some(views);
    Ok(())
}

/// Ends a job that the device was never told of. `IRQL <= DISPATCH_LEVEL`.
pub fn abandon(device: &Device, mut job: OwnedJob, end: End) {
    job.work.end = Some(end);
    job.dma = match job.take_dma() {
        Dma::Mapping(mapping) => match mapping.abandon() {
            Ok((idle, request)) => Dma::LetGo(idle, request),
            Err(mapping) => Dma::Mapping(mapping),
        },
        Dma::Mapped(mapped) => {
            let (idle, request) = mapped.abandon();
            Dma::LetGo(idle, request)
        }
        other => other,
    };
    settle::settle(device, job);
}

#[cfg(test)]
mod tests {
    use super::*;
    use hawser_core::SlotTable;

    #[test]
    fn one_job_at_a_time_in_the_order_of_arrival() {
        let mut table = SlotTable::new();
        let [a, b, c] = core::array::from_fn(|_| table.allocate().expect("free"));
        let mut gate = Gate::new();
        assert_eq!(gate.admit(a), Admission::Inside);
        assert_eq!(gate.admit(b), Admission::Outside);
        assert_eq!(gate.admit(c), Admission::Outside);
        assert_eq!(gate.leave(), Some(b));
        assert_eq!(gate.admit(a), Admission::Outside, "the stage is not free in between");
        assert_eq!(gate.leave(), Some(c));
        assert_eq!(gate.leave(), Some(a));
        assert_eq!(gate.leave(), None);
        assert_eq!(gate.admit(b), Admission::Inside);
    }
}
