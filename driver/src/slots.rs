//! The slots, and where each slot's job is.
//!
//! A job has one owner at a time: a thread that works on it, or this table, in which it is *parked* while something else has to happen first. Handing a job on is
//! moving it, so that nothing is ever shared that need not be.

use hawser_abi::queue::CompletionEntry;
use hawser_core::{Completion, Ended, OnQueue, QueueView, SLOTS, SlotId, SlotTable, check_completion};
use kmdf::dma::Programmed;
use kmdf::{Instant, NewDevice, NtStatus, Pool, PoolBox, Result, SpinLock};

use crate::handshake::{Handshake, Next};
use crate::job::Job;

/// A job, owned.
pub type OwnedJob = PoolBox<Job>;

/// All slots.
#[derive(Debug)]
pub struct Slots(SpinLock<PoolBox<Inner>>);

#[derive(Debug)]
struct Inner {
    table: SlotTable,
    cells: [Cell; SLOTS],
}

/// Where a slot's job is.
#[derive(Debug, Default)]
struct Cell {
    job: Option<OwnedJob>,
    mapping: Handshake,
    /// When a program on the device has to end.
    deadline: Option<Instant>,
}

impl Slots {
    /// All slots free, each with a job that `make` makes.
    pub fn new(device: &NewDevice<'_>, pool: Pool, mut make: impl FnMut() -> Result<OwnedJob>) -> Result<Self> {
        let inner = Inner {
            table: SlotTable::new(),
            cells: Default::default(),
        };
        let slots = Self(device.spin_lock(PoolBox::new(pool, inner)?)?);
        for index in 0..SLOTS {
            let job = make()?;
            if let Some(cell) = slots.0.lock().cells.get_mut(index) {
                cell.job = Some(job);
            }
        }
        Ok(slots)
    }

    /// Takes a free slot and its job.
    pub fn allocate(&self) -> Option<OwnedJob> {
        let mut inner = self.0.lock();
        let slot = inner.table.allocate()?;
        let mut job = inner.cell(slot)?.job.take()?;
        job.slot = Some(slot);
        Some(job)
    }

    /// Frees a slot whose job is at its end.
    pub fn free(&self, mut job: OwnedJob) {
        let Some(slot) = job.slot.take() else { return };
        let mut inner = self.0.lock();
        if inner.table.free(slot).is_ok() {
            inner.put(slot, job);
        }
    }

    /// Parks a job.
    pub fn park(&self, job: OwnedJob) {
        if let Some(slot) = job.slot {
            self.0.lock().put(slot, job);
        }
    }

    /// Takes a parked job.
    pub fn take(&self, slot: SlotId) -> Option<OwnedJob> {
        self.0.lock().cell(slot)?.job.take()
    }

    /// Parks a job of which a transaction is about to be executed.
    pub fn park_executing(&self, job: OwnedJob) {
        let Some(slot) = job.slot else { return };
        let mut inner = self.0.lock();
        if let Some(cell) = inner.cell(slot) {
            cell.mapping.begin();
        }
        inner.put(slot, job);
    }

    /// Takes the job of a tag for which EvtProgramDma was called.
    pub fn take_executing(&self, tag: usize) -> Option<OwnedJob> {
        self.0.lock().cells.get_mut(tag)?.job.take()
    }

    /// EvtProgramDma has done its part. Gives the job back where it has to go on with it.
    pub fn after_program(&self, job: OwnedJob) -> Option<OwnedJob> {
        let slot = job.slot?;
        let mut inner = self.0.lock();
        let cell = inner.cell(slot)?;
        match cell.mapping.programmed() {
            Next::You => Some(job),
            Next::TheOther => {
                cell.job = Some(job);
                None
            }
        }
    }

    /// The call that executes a transaction has returned with success. Gives the job where the caller has to go on with it.
    pub fn after_execute(&self, slot: SlotId) -> Option<OwnedJob> {
        let mut inner = self.0.lock();
        let cell = inner.cell(slot)?;
        match cell.mapping.returned() {
            Next::You => cell.job.take(),
            Next::TheOther => None,
        }
    }

    /// The call that executes a transaction has failed: EvtProgramDma will not be called. Gives the job.
    pub fn after_failure(&self, slot: SlotId) -> Option<OwnedJob> {
        let mut inner = self.0.lock();
        let cell = inner.cell(slot)?;
        cell.mapping.failed();
        cell.job.take()
    }

    /// The command of a slot is about to reach the device, and has to end by `deadline`. Its job has to be parked before the device hears of it. False where the
    /// slot is not reserved.
    pub fn start(&self, slot: SlotId, on: OnQueue, deadline: Instant) -> bool {
        let mut inner = self.0.lock();
        if inner.table.start(slot, on).is_err() {
            return false;
        }
        if let Some(cell) = inner.cell(slot) {
            cell.deadline = Some(deadline);
        }
        true
    }

    /// Checks a completion entry; for one that ends a command, takes the command's job.
    pub fn complete(&self, entry: &CompletionEntry, queue: QueueView<'_>) -> Checked {
        let mut inner = self.0.lock();
        match check_completion(entry, queue, &inner.table) {
            Completion::NotReady => Checked::NotReady,
            Completion::Stray(_) => Checked::Stray,
            Completion::Ended(ended) => match inner.end(ended.slot) {
                Some(job) => Checked::Ended(ended, job),
                None => Checked::Stray,
            },
        }
    }

    /// Takes the job of one command that was on a device that has stopped, and whether its time was over at `now`.
    pub fn take_stopped(&self, now: Instant) -> Option<(OwnedJob, Overdue)> {
        let mut inner = self.0.lock();
        let slot = inner.table.started().next()?;
        let overdue = inner.overdue(slot, now);
        inner.end(slot).map(|job| (job, overdue))
    }

    /// Whether any command's time is over.
    pub fn any_overdue(&self, now: Instant) -> bool {
        let mut inner = self.0.lock();
        let started = inner.started();
        started
            .into_iter()
            .flatten()
            .any(|slot| inner.overdue(slot, now) == Overdue::Yes)
    }

    /// Commands on the device.
    pub fn on_device(&self) -> u64 {
        self.0.lock().table.started().count() as u64
    }
}

/// Whether a command's time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// It is.
    Yes,
    /// It is not.
    No,
}

/// What a completion entry turned out to be.
#[derive(Debug)]
pub enum Checked {
    /// There is none yet.
    NotReady,
    /// It belongs to no command.
    Stray,
    /// It ends this job's command.
    Ended(Ended, OwnedJob),
}

impl Inner {
    fn cell(&mut self, slot: SlotId) -> Option<&mut Cell> {
        self.cells.get_mut(slot.index())
    }

    fn put(&mut self, slot: SlotId, job: OwnedJob) {
        if let Some(cell) = self.cell(slot) {
            debug_assert!(cell.job.is_none(), "a slot has one job");
            cell.job = Some(job);
        }
    }

    /// Takes the job of a started command, which is then no longer on the device.
    fn end(&mut self, slot: SlotId) -> Option<OwnedJob> {
        self.table.end(slot).ok()?;
        let cell = self.cell(slot)?;
        cell.deadline = None;
        cell.job.take()
    }

    fn started(&self) -> [Option<SlotId>; SLOTS] {
        let mut slots = self.table.started();
        core::array::from_fn(|_| slots.next())
    }

    fn overdue(&mut self, slot: SlotId, now: Instant) -> Overdue {
        let deadline = self.cell(slot).and_then(|cell| cell.deadline);
        if deadline.is_some_and(|deadline| deadline <= now) {
            Overdue::Yes
        } else {
            Overdue::No
        }
    }
}

/// Hands EvtProgramDma's proof to the job that it belongs to.
pub fn accept(job: &mut Job, proof: Programmed<'_>) -> Result {
    match &mut job.dma {
        crate::job::Dma::Mapping(mapping) => mapping.programmed(proof).map_err(|_| NtStatus::INTERNAL_ERROR),
        _ => Err(NtStatus::INTERNAL_ERROR),
    }
}
