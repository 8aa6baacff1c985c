//! A submission arrives: it is checked, planned, given a slot and space, and written there. `PASSIVE_LEVEL`.

use hawser_abi::pci;
use hawser_abi::reason::Reason;
use hawser_abi::result::{ResultRecord, state};
use hawser_core::{
    Accepted, AllocateError, BeginError, BufferShape, Limits, Piece, Refusal, Room, Workspace, check, max_pieces, plan,
    readable_cookie, translate,
};
use kmdf::{Instant, NewDevice, NtStatus, Pool, PoolSlice, Request, Result, WaitLock};

use crate::device::Device;
use crate::finish;
use crate::job::{Dma, Work};
use crate::map;
use crate::results::Handle;
use crate::slots::OwnedJob;
use crate::stats::{End, count};

/// What every submission carries from its arrival on.
#[derive(Clone, Copy, Debug)]
pub struct Arrival(Instant);
kmdf::context_type!(Arrival);

/// Memory for checking and planning, and for the trusted copy of a program. Used by one submission at a time.
#[derive(Debug)]
pub struct Workbench(WaitLock<Tools>);

#[derive(Debug)]
struct Tools {
    room: Room,
    words: PoolSlice<u64>,
    pieces: PoolSlice<Piece>,
}

impl Workbench {
    /// Memory for programs of up to `max_steps` steps, with as much device-local memory as a device can have.
    pub fn new(device: &NewDevice<'_>, pool: Pool, max_steps: u32) -> Result<Self> {
        let room = Room {
            steps: max_steps,
            scratch: pci::MEMORY_BAR_SIZE,
        };
        let words = PoolSlice::zeroed(pool, room.words())?;
        let pieces = PoolSlice::zeroed(pool, max_pieces(max_steps))?;
        Ok(Self(device.wait_lock(Tools { room, words, pieces })?))
    }
}

/// A submission arrives.
pub fn arrive(device: &Device, request: Request) {
    count(&device.counters.submitted, 1);
    if request.set_note(Arrival(Instant::now())).is_err() {
        return request.complete(NtStatus::INTERNAL_ERROR);
    }
    if device.waiting.anybody() {
        return device.waiting.enqueue(device, request);
    }
    if let Attempt::NotNow(request) = attempt(device, request) {
        device.waiting.enqueue(device, request);
    }
}

/// What became of an attempt to start a submission.
#[derive(Debug)]
pub enum Attempt {
    /// It was started, or ended.
    Taken,
    /// There is no slot or no space for it now, or the device is being set up again.
    NotNow(Request),
}

/// Why a submission is not started.
enum Hindrance {
    /// It never will be.
    Refused(Refusal),
    /// There is no slot or no space for it now.
    NotNow,
}

impl From<Refusal> for Hindrance {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Hindrance {
    fn reason(reason: Reason) -> Self {
        Self::Refused(Refusal::new(reason))
    }
}

/// Starts a submission if there is a slot and space.
pub fn attempt(device: &Device, request: Request) -> Attempt {
    if let Some(reason) = device.control.refuses() {
        end_unstarted(device, request, End::Abandoned(reason));
        return Attempt::Taken;
    }
    if device.control.is_restarting() {
        return Attempt::NotNow(request);
    }
    let Some(mut job) = device.slots.allocate() else {
        return Attempt::NotNow(request);
    };
    match admit(device, &mut job, &request) {
        Ok(()) => {
            go(device, job, request);
            Attempt::Taken
        }
        Err(hindrance) => {
            finish::give_back(device, job);
            match hindrance {
                Hindrance::NotNow => return Attempt::NotNow(request),
                Hindrance::Refused(refusal) => end_unstarted(device, request, End::Refused(refusal)),
            }
            Attempt::Taken
        }
    }
}

/// Prepares the program for the device, and enters it among the results of its handle. That comes last, because what has been entered would have to be taken back; so the steps of a program whose cookie is in use, or for
/// which the handle has no place yet, are written for nothing.
fn admit(device: &Device, job: &mut OwnedJob, request: &Request) -> core::result::Result<(), Hindrance> {
    let limits = device.limits().ok_or(Hindrance::reason(Reason::DeviceGone))?;
    job.work = Work {
        arrived: request.note::<Arrival>().map_or_else(Instant::now, |arrival| arrival.0),
        ..Work::default()
    };
    prepare(device, job, request, &limits)?;
    let cookie = job.work.checked.map_or(0, |checked| checked.cookie());
    if let Some(handle) = request.file::<Handle>() {
        job.work.ticket = Some(handle.begin(cookie).map_err(|error| match error {
            BeginError::CookieInUse => Hindrance::reason(Reason::CookieInUse),
            BeginError::Full => Hindrance::NotNow,
        })?);
    }
    job.work.timeline.submitted = job.age();
    Ok(())
}

/// Checks and plans the program, carves its space, and writes it there. What is written comes from the trusted copy that was checked, so the workbench is kept until then.
fn prepare(
    device: &Device,
    job: &mut OwnedJob,
    request: &Request,
    limits: &Limits,
) -> core::result::Result<(), Hindrance> {
    let mut tools = device.workbench.0.lock();
    let Tools { room, words, pieces } = &mut *tools;
    let mut workspace = Workspace::new(words, *room);
    let mut accepted = check(program(request), shape(request), limits, &mut workspace)?;
    let plan = plan(&mut accepted, limits, pieces)?;
    job.work.checked = Some(accepted.checked());
    job.work.plan = plan;
    if !job.keep_pieces(pieces.get(..plan.pieces()).unwrap_or_default()) {
        // The list goes with the job, and an empty one takes its place.
        let empty = device.large_lists.take().ok_or(Hindrance::NotNow)?;
        job.keep_list(core::mem::replace(pieces, empty));
    }
    carve(device, job)?;
    write_steps(device, job, &accepted)
}

/// Writes the translated steps into the job's block, which is large enough.
fn write_steps(device: &Device, job: &OwnedJob, accepted: &Accepted<'_, '_>) -> core::result::Result<(), Hindrance> {
    let block = device.arena.block(job.work.block);
    let written = block.map(|mut block| translate(accepted, job.work.plan.layout(), &mut block));
    if let Ok(Ok(())) = written {
        return Ok(());
    }
    debug_assert!(false, "the block is the one that was planned");
    Err(Hindrance::reason(Reason::MappingFailed))
}

/// The input buffer: empty where the I/O manager made none.
fn program(request: &Request) -> &[u8] {
    request.direct_input().unwrap_or_default()
}

/// The output buffer: of length 0 where the I/O manager made none.
fn shape(request: &Request) -> BufferShape {
    request.user_buffer().map_or(
        BufferShape {
            length: 0,
            page_offset: 0,
        },
        |buffer| BufferShape {
            length: buffer.len() as u64,
            page_offset: buffer.page_offset(),
        },
    )
}

/// Carves a window of device-local memory and a block of the arena: both or none.
fn carve(device: &Device, job: &mut OwnedJob) -> core::result::Result<(), Hindrance> {
    let scratch_size = job.work.checked.map_or(0, |checked| checked.scratch_size());
    let scratch = device
        .scratch
        .carve(scratch_size)
        .map_err(|error| no_space(error, Reason::ScratchTooLarge))?;
    match device.arena.carve(job.work.plan.layout().total) {
        Ok(block) => {
            job.work.scratch = scratch;
            job.work.block = block;
            Ok(())
        }
        Err(error) => {
            device.scratch.give_back(scratch);
            Err(no_space(error, Reason::ArenaTooSmall))
        }
    }
}

fn no_space(error: AllocateError, reason: Reason) -> Hindrance {
    match error {
        AllocateError::NeverFits => Hindrance::reason(reason),
        AllocateError::NotNow => Hindrance::NotNow,
    }
}

/// Writes the copied data into the block, and goes on to the map stage.
fn go(device: &Device, mut job: OwnedJob, request: Request) {
    let Dma::Idle(idle) = job.take_dma() else {
        debug_assert!(false, "the job of a free slot is idle");
        return request.complete(NtStatus::INTERNAL_ERROR);
    };
    job.dma = Dma::Mapping(idle.begin(request));
    match crate::copy_in::copy_in(device, &mut job) {
        Ok(()) => map::enter(device, job),
        Err(_) => map::abandon(device, job, End::Refused(Refusal::new(Reason::MappingFailed))),
    }
}

/// Ends a submission that has no slot.
pub fn end_unstarted(device: &Device, request: Request, end: End) {
    device.counters.ended(&end);
    let status = NtStatus::from_bits(end.reason().status());
    let cookie = readable_cookie(program(&request));
    if let (Some(cookie), Some(handle)) = (cookie, request.file::<Handle>()) {
        handle.note(cookie, &record_of(&request, cookie, &end));
    }
    request.complete(status);
}

/// The record of a submission that never had a slot.
fn record_of(request: &Request, cookie: u64, end: &End) -> ResultRecord {
    let mut record = finish::blank_record(cookie);
    record.state = state::COMPLETED;
    record.reason = end.reason() as u32;
    record.status = end.reason().status();
    if let End::Refused(refusal) = end {
        refusal.write_to(&mut record);
    }
    if let Some(arrival) = request.note::<Arrival>() {
        record.timeline.completed = Instant::now().nanoseconds_since(arrival.0).max(1);
    }
    record
}
