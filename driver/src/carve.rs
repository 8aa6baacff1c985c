//! Space for requests: blocks of the arena, windows of device-local memory, and lists for plans with many pieces.

use hawser_core::{AllocateError, Block, DeviceAddress, OffsetAllocator, Piece, max_pieces};
use kmdf::dma::{CommonBuffer, DmaEnabler};
use kmdf::{NewDevice, NtStatus, Pool, PoolBox, PoolSlice, Result, SpinLock};

use crate::job::BlockMemory;
use crate::params::SMALLEST_ARENA;

/// Blocks that can be allocated at a time: one for each slot, and as many again so that the number is never the limit.
const BLOCKS: usize = 2 * hawser_core::SLOTS;

/// The arena: a common buffer, in which every request has a block for its descriptor, steps, tables and copies.
#[derive(Debug)]
pub struct Arena {
    memory: CommonBuffer,
    blocks: SpinLock<PoolBox<OffsetAllocator<BLOCKS>>>,
}

impl Arena {
    /// An arena of `wanted` bytes, or of as many as the system gives: half, a quarter...
    pub fn new(device: &NewDevice<'_>, enabler: &DmaEnabler, pool: Pool, wanted: usize) -> Result<Self> {
        let mut size = wanted;
        let memory = loop {
            match enabler.common_buffer(size) {
                Ok(memory) => break memory,
                Err(NtStatus::INSUFFICIENT_RESOURCES) if size / 2 >= SMALLEST_ARENA => size /= 2,
                Err(status) => return Err(status),
            }
        };
        let blocks = device.spin_lock(PoolBox::new(pool, OffsetAllocator::new(memory.len() as u64))?)?;
        Ok(Self { memory, blocks })
    }

    /// Bytes of the arena.
    pub const fn size(&self) -> u64 {
        self.memory.len() as u64
    }

    /// Device address of its last byte.
    pub const fn last_address(&self) -> u64 {
        self.memory.last_address().0
    }

    /// Bytes in use, and the most that ever were.
    pub fn usage(&self) -> (u64, u64) {
        let blocks = self.blocks.lock();
        (blocks.used(), blocks.peak())
    }

    /// Carves a block.
    pub fn carve(&self, length: u64) -> core::result::Result<Block, AllocateError> {
        self.blocks.lock().allocate(length)
    }

    /// Gives a block back.
    pub fn give_back(&self, block: Block) {
        let freed = self.blocks.lock().free(block);
        debug_assert!(freed.is_ok(), "a block is given back once");
    }

    /// A block's memory.
    pub fn block(&self, block: Block) -> Result<BlockMemory<'_>> {
        let memory = self
            .memory
            .memory()
            .part(block.offset.0 as usize, block.length as usize);
        let address = DeviceAddress(self.memory.address().0.saturating_add(block.offset.0));
        Ok(BlockMemory {
            memory: memory.map_err(|_| NtStatus::INTERNAL_ERROR)?,
            address,
        })
    }
}

/// Device-local memory, in which every request that asks for it has a window.
#[derive(Debug)]
pub struct Scratch(SpinLock<PoolBox<OffsetAllocator<BLOCKS>>>);

impl Scratch {
    /// Without memory, until the device's size is known.
    pub fn new(device: &NewDevice<'_>, pool: Pool) -> Result<Self> {
        Ok(Self(device.spin_lock(PoolBox::new(pool, OffsetAllocator::new(0))?)?))
    }

    /// The device has `size` bytes. Called while no request has a window.
    pub fn resize(&self, size: u64) {
        let mut windows = self.0.lock();
        debug_assert!(windows.live() == 0);
        **windows = OffsetAllocator::new(size);
    }

    /// Carves a window.
    pub fn carve(&self, length: u64) -> core::result::Result<Block, AllocateError> {
        self.0.lock().allocate(length)
    }

    /// Gives a window back.
    pub fn give_back(&self, window: Block) {
        let freed = self.0.lock().free(window);
        debug_assert!(freed.is_ok(), "a window is given back once");
    }
}

/// Lists for plans with many pieces, of which there are few, since each has room for the largest plan there can be.
#[derive(Debug)]
pub struct LargeLists(SpinLock<[Option<PoolSlice<Piece>>; LARGE_LISTS]>);

const LARGE_LISTS: usize = 1;

impl LargeLists {
    /// Lists for programs of up to `max_steps` steps.
    pub fn new(device: &NewDevice<'_>, pool: Pool, max_steps: u32) -> Result<Self> {
        let lists = device.spin_lock([const { None }; LARGE_LISTS])?;
        for index in 0..LARGE_LISTS {
            let list = PoolSlice::zeroed(pool, max_pieces(max_steps))?;
            if let Some(place) = lists.lock().get_mut(index) {
                *place = Some(list);
            }
        }
        Ok(Self(lists))
    }

    /// Takes a list, if one is free.
    pub fn take(&self) -> Option<PoolSlice<Piece>> {
        self.0.lock().iter_mut().find_map(Option::take)
    }

    /// Gives a list back.
    pub fn give_back(&self, list: PoolSlice<Piece>) {
        if let Some(place) = self.0.lock().iter_mut().find(|place| place.is_none()) {
            *place = Some(list);
        }
    }
}
