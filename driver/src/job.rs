//! One request's state while it has a slot. Made for each slot when the device is added, and used again and again.

use hawser_core::{
    ArenaWriter, Block, BlockOffset, Checked, DeviceAddress, Ended, OutsideArena, Piece, Pieces, Plan, SegmentRun,
    SlotId, Ticket, ViewBuilder,
};
use kmdf::dma::{IdleSet, Mapped, Mapping, Started};
use kmdf::{CopyWindow, Instant, NtStatus, PoolBox, PoolSlice, Request, Result, SharedMemory};

use crate::device::Parts;
use crate::stage::Releases;
use crate::stats::End;
use hawser_abi::result::Timeline;
use zerocopy::FromZeros;

/// Most mappings of a request, both directions together.
pub const MAPPINGS: usize = 2 * hawser_core::MAX_MAPPINGS;
/// Pieces for which every slot has room of its own; plans with more borrow one of the few large lists.
pub const SMALL_PIECES: usize = 256;
/// Bytes of a user buffer that are mapped at a time for copying.
const WINDOW: usize = 1 << 20;

/// A request with a slot.
#[derive(Debug)]
pub struct Job {
    /// The slot, under the generation of this use.
    pub slot: Option<SlotId>,
    /// Where the request and its mappings are.
    pub dma: Dma,
    /// For copying from and to the user's buffer.
    pub window: CopyWindow,
    /// The plan's pieces.
    lists: Lists,
    /// For the tables of what the program reads and writes.
    runs: PoolBox<Runs>,
    /// What this use of the slot is about.
    pub work: Work,
}

// It passes through the stack when it is made, and a kernel stack has 24 KiB.
const _: () = assert!(size_of::<Job>() <= 2560);

/// What one use of a slot is about.
#[derive(Debug, Default)]
pub struct Work {
    /// The checked program.
    pub checked: Option<Checked>,
    /// How its data reaches the device.
    pub plan: Plan,
    /// Its block of the arena.
    pub block: Block,
    /// Its window of device-local memory.
    pub scratch: Block,
    /// The tables of what it reads and writes, as far as they are written.
    pub views: Option<Views>,
    /// It has left the map stage with mappings, and has not released them.
    pub holds_registers: bool,
    /// The releases of others before its last attempt to map a part.
    pub releases: Releases,
    /// Entry among the results of its handle.
    pub ticket: Option<Ticket>,
    /// When it arrived.
    pub arrived: Instant,
    /// When it passed the stages of its life.
    pub timeline: Timeline,
    /// The completion entry that ended its command.
    pub ended: Option<Ended>,
    /// How it ended, once that is known.
    pub end: Option<End>,
}

/// The two tables of segments.
#[derive(Clone, Copy, Debug)]
pub struct Views {
    pub read: ViewBuilder,
    pub write: ViewBuilder,
}

/// The segments of the two tables that are not written.
#[derive(Debug, FromZeros)]
pub struct Runs {
    pub read: SegmentRun,
    pub write: SegmentRun,
}

/// Where a request and its mappings are.
#[derive(Debug)]
pub enum Dma {
    /// There is no request, or it has been taken out.
    Idle(IdleSet<MAPPINGS>),
    /// Parts are being mapped.
    Mapping(Mapping<MAPPINGS>),
    /// All parts are mapped; the device does not know.
    Mapped(Mapped<MAPPINGS>),
    /// The device may access the parts.
    Started(Started<MAPPINGS>),
    /// Nothing is mapped any more; the request has not been completed.
    LetGo(IdleSet<MAPPINGS>, Request),
    /// On the way from one state to another, within one function.
    Moving,
}

impl Job {
    /// The state for one slot.
    pub fn new(parts: &Parts<'_>) -> Result<PoolBox<Self>> {
        let job = Self {
            slot: None,
            dma: Dma::Idle(parts.enabler.transactions()?),
            window: CopyWindow::new(WINDOW, parts.ledger)?,
            lists: Lists {
                small: PoolSlice::zeroed(parts.pool, SMALL_PIECES)?,
                large: None,
            },
            runs: PoolBox::zeroed(parts.pool)?,
            work: Work::default(),
        };
        PoolBox::new(parts.pool, job)
    }

    /// Takes the state of the mappings out, to put another one in.
    pub fn take_dma(&mut self) -> Dma {
        core::mem::replace(&mut self.dma, Dma::Moving)
    }

    /// The plan's pieces, and where the segments of its tables are put together.
    pub fn pieces_and_runs(&mut self) -> (Pieces<'_>, &mut Runs) {
        (self.lists.of(&self.work.plan), &mut self.runs)
    }

    /// Keeps a plan's pieces in the slot's own list. False where they do not fit.
    pub fn keep_pieces(&mut self, pieces: &[Piece]) -> bool {
        match self.lists.small.get_mut(..pieces.len()) {
            Some(place) => {
                place.copy_from_slice(pieces);
                true
            }
            None => false,
        }
    }

    /// Keeps a plan's pieces in the list that they were written to.
    pub fn keep_list(&mut self, list: PoolSlice<Piece>) {
        self.lists.large = Some(list);
    }

    /// Takes the list that does not belong to the slot, if there is one.
    pub fn take_list(&mut self) -> Option<PoolSlice<Piece>> {
        self.lists.large.take()
    }

    /// Time since the request arrived, in nanoseconds; never 0, which means that a stage was not reached.
    pub fn age(&self) -> u64 {
        Instant::now().nanoseconds_since(self.work.arrived).max(1)
    }

    /// Copies from the user's buffer into the block.
    pub fn copy_in(&mut self, block: &SharedMemory<'_>) -> Result {
        let Self {
            dma,
            window,
            lists,
            work,
            ..
        } = self;
        let pieces = lists.of(&work.plan);
        let Dma::Mapping(mapping) = dma else {
            return Err(NtStatus::INTERNAL_ERROR);
        };
        let buffer = mapping.request().user_buffer()?;
        window.over(&buffer, |window| {
            for run in pieces.copied_in() {
                let to = part(block, run.block, run.data.length)?;
                window.copy_from(run.data.offset as usize, &to)?;
            }
            Ok(())
        })
    }

    /// Copies from the block over the user's buffer.
    pub fn copy_out(&mut self, block: &SharedMemory<'_>) -> Result {
        let Self {
            dma,
            window,
            lists,
            work,
            ..
        } = self;
        let pieces = lists.of(&work.plan);
        let Dma::LetGo(_, request) = dma else {
            return Err(NtStatus::INTERNAL_ERROR);
        };
        let buffer = request.user_buffer()?;
        window.over(&buffer, |window| {
            for run in pieces.copied_out() {
                let from = part(block, run.block, run.data.length)?;
                window.copy_to(run.data.offset as usize, &from)?;
            }
            Ok(())
        })
    }

    /// Writes zeros over what was mapped for the device to write, as far as it can be mapped. Returns the number of bytes that were not cleared.
    pub fn clear_written(&mut self) -> Result<u64> {
        let Self {
            dma,
            window,
            lists,
            work,
            ..
        } = self;
        let pieces = lists.of(&work.plan);
        let Dma::LetGo(_, request) = dma else {
            return Err(NtStatus::INTERNAL_ERROR);
        };
        if work.plan.bytes_from_device() == 0 {
            return Ok(0);
        }
        let buffer = request.user_buffer()?;
        Ok(window.over(&buffer, |window| {
            let ranges = pieces.zero_ranges();
            ranges
                .map(|range| window.clear_possible(range.offset as usize, range.length as usize) as u64)
                .sum()
        }))
    }
}

/// Where the pieces of a plan are kept: in memory that the device cannot reach, since they are read again after it has run.
#[derive(Debug)]
struct Lists {
    /// The slot's own.
    small: PoolSlice<Piece>,
    /// One of the large lists, for a plan with many pieces.
    large: Option<PoolSlice<Piece>>,
}

impl Lists {
    fn of(&self, plan: &Plan) -> Pieces<'_> {
        let list = self.large.as_deref().unwrap_or(&self.small);
        Pieces(list.get(..plan.pieces()).unwrap_or_default())
    }
}

fn part<'m>(block: &SharedMemory<'m>, at: BlockOffset, length: u64) -> Result<SharedMemory<'m>> {
    block
        .part(at.0 as usize, length as usize)
        .map_err(|_| NtStatus::INTERNAL_ERROR)
}

/// A request's block of the arena.
#[derive(Clone, Copy, Debug)]
pub struct BlockMemory<'a> {
    /// The block, as the driver sees it.
    pub memory: SharedMemory<'a>,
    /// Where it begins, as the device sees it.
    pub address: DeviceAddress,
}

impl ArenaWriter for BlockMemory<'_> {
    fn write(&mut self, offset: BlockOffset, bytes: &[u8]) -> core::result::Result<(), OutsideArena> {
        self.memory.write(offset.0 as usize, bytes).map_err(|_| OutsideArena)
    }
}
