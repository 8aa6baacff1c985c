//! The map stage: the parts of a request are mapped one after the other, each by a transaction of its own.
//!
//! No request holds mappings while it waits for map registers, however few the machine has. Only a first part may wait for the HAL to find registers, and only while
//! no other request of this device holds any. Every other part is mapped at once or not at all: where registers are short, the request gives back what it has, and
//! starts anew when a neighbour has released some; where there is no such neighbour it is refused.

use hawser_abi::reason::Reason;
use hawser_core::{
    DeviceAddress, Direction, MappingIndex, Refusal, ScatterGatherElements, TableMemory, View, ViewBuilder, ViewError,
};
use kmdf::dma::{self, Execution, Part, Patience, ProgramDma, Programmed, ScatterGatherList};
use kmdf::{NtStatus, Result};

use crate::device::Device;
use crate::job::{Dma, Job, Views};
use crate::slots::{OwnedJob, accept};
use crate::stage::{Holders, Shortage};
use crate::stats::End;
use crate::{settle, start};

/// Whether a job still needs the stage.
enum Progress {
    /// EvtProgramDma or a neighbour's release will go on with it.
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

/// A job has let go of its mappings. Goes on with the job inside where it waits for map registers. `IRQL <= DISPATCH_LEVEL`.
pub fn released(device: &Device, job: &mut Job) {
    if !core::mem::take(&mut job.work.holds_registers) {
        return;
    }
    if let Some(job) = device.map_stage.release(device) {
        serve(device, job);
    }
}

/// Looks whether the job inside, if it waits for map registers, has still reason to. `IRQL <= DISPATCH_LEVEL`.
pub fn look_again(device: &Device) {
    if let Some(job) = device.map_stage.take_blocked(device) {
        serve(device, job);
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
        let (releases, holders) = device.map_stage.holders();
        job.work.releases = releases;
        let execution = match prepare(&mut job, holders) {
            Ok(Some(execution)) => execution,
            Ok(None) => {
                job.work.holds_registers = true;
                device.map_stage.hold();
                start::start(device, job);
                return Progress::Left;
            }
            Err(_) => {
                abandon(device, job, mapping_failed());
                return Progress::Left;
            }
        };
        match execute(device, job, execution) {
            Executed::Back(back) => job = back,
            Executed::Waiting => return Progress::Waiting,
            Executed::Short(back) => match start_anew(device, back) {
                Some(back) => job = back,
                None => return Progress::Waiting,
            },
        }
    }
}

/// Gives back what a job has mapped, since it cannot have all it needs now. Gives the job where it goes on at once: to map again, or to end.
fn start_anew(device: &Device, mut job: OwnedJob) -> Option<OwnedJob> {
    unmap(&mut job);
    match views(device, &job) {
        Ok(views) => job.work.views = Some(views),
        Err(_) => job.work.end = Some(mapping_failed()),
    }
    if let Some(reason) = device.control.refuses() {
        job.work.end = Some(End::Abandoned(reason));
    }
    if job.work.end.is_some() {
        return Some(job);
    }
    let before = job.work.releases;
    match device.map_stage.short(device, job, before) {
        Shortage::TryAgain(job) => Some(job),
        Shortage::Wait => None,
        Shortage::GiveUp(mut job) => {
            job.work.end = Some(mapping_failed());
            Some(job)
        }
    }
}

/// Unmaps the parts of a job that is not on the device; its request stays with it.
fn unmap(job: &mut Job) {
    job.dma = match job.take_dma() {
        Dma::Mapping(mapping) => match mapping.abandon() {
            Ok((idle, request)) => Dma::Mapping(idle.begin(request)),
            Err(mapping) => Dma::Mapping(mapping),
        },
        other => other,
    };
}

/// Prepares the next part, if there is one.
fn prepare(job: &mut Job, holders: Holders) -> Result<Option<Execution>> {
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
    let patience = if mapping.mapped() == 0 && holders == Holders::None {
        Patience::WaitForRegisters
    } else {
        Patience::Immediate
    };
    mapping.prepare::<Program>(part, patience).map(Some)
}

/// What became of the execution of a transaction.
enum Executed {
    /// The part is mapped, or the job has to end.
    Back(OwnedJob),
    /// EvtProgramDma has not ended, and will go on.
    Waiting,
    /// There are too few map registers.
    Short(OwnedJob),
}

impl From<Option<OwnedJob>> for Executed {
    fn from(job: Option<OwnedJob>) -> Self {
        job.map_or(Self::Waiting, Self::Back)
    }
}

/// Executes a transaction.
fn execute(device: &Device, job: OwnedJob, execution: Execution) -> Executed {
    let Some(slot) = job.slot else {
        debug_assert!(false, "a job in the stage has a slot");
        return Executed::Waiting;
    };
    device.slots.park_executing(job);
    match execution.execute(slot.index()) {
        Ok(()) => device.slots.after_execute(slot).into(),
        Err(failed) => {
            let status = failed.status();
            let Some(mut job) = device.slots.after_failure(slot) else {
                return Executed::Waiting;
            };
            if let Dma::Mapping(mapping) = &mut job.dma {
                let taken = mapping.failed(failed);
                debug_assert!(taken.is_ok(), "the transaction is of this request");
            }
            if status == NtStatus::INSUFFICIENT_RESOURCES {
                return Executed::Short(job);
            }
            job.work.end = Some(mapping_failed());
            Executed::Back(job)
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

    fn program(device: &Device, key: usize, programmed: Programmed<'_>) {
        let Some(mut job) = device.slots.take_executing(key) else {
            debug_assert!(false, "a job is parked while its transaction is executed");
            return;
        };
        // With the proof goes the list.
        let supplied = supply(device, &mut job, programmed.list());
        let accepted = accept(&mut job, programmed).map_err(|_| mapping_failed());
        if let Err(end) = accepted.and(supplied) {
            job.work.end = Some(end);
        }
        if let Some(job) = device.slots.after_program(job) {
            serve(device, job);
        }
    }
}

/// Adds the list of the part that was on its way. An empty list, one of the wrong length and one that the device cannot reach are refused.
fn supply(device: &Device, job: &mut Job, list: &ScatterGatherList<'_>) -> core::result::Result<(), End> {
    let Dma::Mapping(mapping) = &job.dma else {
        return Err(mapping_failed());
    };
    let index = mapping.mapped();
    let direction = job
        .work
        .plan
        .mappings()
        .get(index)
        .ok_or_else(mapping_failed)?
        .direction;
    let mut views = job.work.views.ok_or_else(mapping_failed)?;
    let mut block = device.arena.block(job.work.block).map_err(|_| mapping_failed())?;
    let (pieces, runs) = job.pieces_and_runs();
    let (view, run) = match direction {
        Direction::ToDevice => (&mut views.read, &mut runs.read),
        Direction::FromDevice => (&mut views.write, &mut runs.write),
    };
    let mut memory = TableMemory {
        run,
        writer: &mut block,
    };
    let elements = ScatterGatherElements::new(list.elements(), |element| {
        (DeviceAddress(element.address().0), element.length())
    });
    let supplied = view.supply(pieces, MappingIndex(index as u8), elements, &mut memory);
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
