//! Pool: blocks on the direct map, with guard bytes, poison and a ledger by tag.

use super::{
    PAGE,
    phys::{Frame, Physical, Use},
};
use crate::{cross::Domain, machine::LedgerEntry};
use std::{
    cell::RefCell,
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};

/// The bytes behind a block that must stay as they are.
const GUARD: usize = 16;
/// What guard bytes hold.
const GUARD_BYTE: u8 = 0xFD;
/// What a freed block holds.
const POISON: u8 = 0xDD;
/// What a block that was not asked to be zeroed holds.
const GARBAGE: u8 = 0xAA;
/// The smallest room of a block.
const SMALLEST: usize = 32;
/// How many freed blocks of a size wait before one is used again.
const QUARANTINE: usize = 64;
/// How many pages the small blocks of one size get at a time.
const CHUNK_PAGES: u64 = 16;
/// How many freed addresses are remembered, to tell a double free from a wild one.
const REMEMBERED: usize = 4096;

/// Which pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nonpaged: may be touched at any IRQL and by devices.
    NonPaged,
    /// Paged: may be touched up to APC_LEVEL.
    Paged,
}

/// What a new block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// Zeros.
    Zero,
    /// Nothing sensible.
    Garbage,
}

/// An allocation.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// The length in bytes, not 0.
    pub length: usize,
    /// The tag, first character in the lowest byte.
    pub tag: u32,
    /// Which pool.
    pub kind: Kind,
    /// Who asked.
    pub owner: Domain,
    /// What the block holds.
    pub fill: Fill,
}

/// A live block.
#[derive(Debug, Clone, Copy)]
pub struct Block {
    /// The length in bytes that was asked for.
    pub length: usize,
    /// The tag.
    pub tag: u32,
    /// Which pool.
    pub kind: Kind,
    /// Who asked.
    pub owner: Domain,
    room: Room,
}

/// Where a block lies.
#[derive(Debug, Clone, Copy)]
enum Room {
    /// In a chunk, with room for so many bytes.
    Small(usize),
    /// Pages of its own.
    Pages(u64),
}

/// What is wrong with a free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FreeError {
    /// The address is no block's.
    NotAllocated,
    /// The block was freed before.
    AlreadyFree,
    /// The tag is not the block's.
    WrongTag(u32),
    /// Bytes behind the block were overwritten; the offset of the first one. The block is freed.
    Overrun(usize),
}

/// The pool of a machine.
#[derive(Debug)]
pub struct Pool {
    physical: Rc<Physical>,
    state: RefCell<Blocks>,
}

#[derive(Debug, Default)]
struct Blocks {
    live: BTreeMap<usize, Block>,
    /// Small blocks that nobody had yet, by room.
    fresh: BTreeMap<usize, Vec<usize>>,
    /// Freed small blocks by room, oldest first.
    free: BTreeMap<usize, VecDeque<usize>>,
    /// Freed addresses, oldest first.
    history: VecDeque<usize>,
    /// Blocks that were found written to after they were freed.
    damaged: Vec<usize>,
}

impl Pool {
    /// An empty pool.
    pub fn new(physical: Rc<Physical>) -> Self {
        Self {
            physical,
            state: RefCell::default(),
        }
    }

    /// Allocates a block: 16-byte aligned, page aligned from a page on; a smaller one crosses no page boundary. None when memory is out.
    pub fn allocate(&self, request: Request) -> Option<*mut u8> {
        let with_guard = request.length.checked_add(GUARD)?;
        let (address, room) = if with_guard <= PAGE {
            self.small(with_guard)?
        } else {
            self.pages(request.length)?
        };
        let Request {
            length,
            tag,
            kind,
            owner,
            fill,
        } = request;
        let block = Block {
            length,
            tag,
            kind,
            owner,
            room,
        };
        let byte = if fill == Fill::Zero { 0 } else { GARBAGE };
        // SAFETY: the block has at least `length` bytes, is mapped, and belongs to nobody yet.
        unsafe { address.write_bytes(byte, length) };
        // SAFETY: the guard lies behind the block, inside its room.
        unsafe {
            address
                .wrapping_add(length)
                .write_bytes(GUARD_BYTE, guard_length(&block))
        };
        self.state.borrow_mut().live.insert(address.addr(), block);
        Some(address)
    }

    fn small(&self, with_guard: usize) -> Option<(*mut u8, Room)> {
        let room = with_guard.next_power_of_two().max(SMALLEST);
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let waiting = state.free.entry(room).or_default();
        let address = match state.fresh.entry(room).or_default().pop() {
            Some(address) => address,
            None if waiting.len() > QUARANTINE => waiting.pop_front()?,
            None => {
                let mut blocks = self.chunk(room)?;
                let address = blocks.pop()?;
                state.fresh.insert(room, blocks);
                address
            }
        };
        let block = self.direct(address);
        if !is_filled(block, room, POISON) {
            state.damaged.push(address);
        }
        Some((block, Room::Small(room)))
    }

    /// A chunk of poisoned blocks, the first one last.
    fn chunk(&self, room: usize) -> Option<Vec<usize>> {
        let frame = self.physical.allocate(CHUNK_PAGES, Use::Pool)?;
        let start = self.physical.address(frame);
        let length = CHUNK_PAGES as usize * PAGE;
        // SAFETY: the pages were just allocated for this chunk.
        unsafe { start.write_bytes(POISON, length) };
        Some(
            (0..length)
                .step_by(room)
                .rev()
                .map(|offset| start.addr() + offset)
                .collect(),
        )
    }

    fn pages(&self, length: usize) -> Option<(*mut u8, Room)> {
        let pages = length.div_ceil(PAGE) as u64;
        let frame = self.physical.allocate(pages, Use::Pool)?;
        Some((self.physical.address(frame), Room::Pages(pages)))
    }

    /// Frees a block; `tag` must be its tag if given.
    pub fn free(&self, address: usize, tag: Option<u32>) -> Result<Block, FreeError> {
        let mut state = self.state.borrow_mut();
        let Some(&block) = state.live.get(&address) else {
            let again = state.history.contains(&address);
            return Err(if again {
                FreeError::AlreadyFree
            } else {
                FreeError::NotAllocated
            });
        };
        if tag.is_some_and(|tag| tag != block.tag) {
            return Err(FreeError::WrongTag(block.tag));
        }
        let at = self.direct(address);
        let overrun = first_other(at.wrapping_add(block.length), guard_length(&block), GUARD_BYTE);
        state.live.remove(&address);
        state.remember(address);
        match block.room {
            Room::Small(room) => {
                // SAFETY: the room of a block that is nobody's any more.
                unsafe { at.write_bytes(POISON, room) };
                state.free.entry(room).or_default().push_back(address);
            }
            Room::Pages(_) => self.physical.free(self.frame(address)),
        }
        overrun.map_or(Ok(block), |offset| Err(FreeError::Overrun(block.length + offset)))
    }

    /// The live block that has an address in it, and where it begins.
    pub fn block_of(&self, address: usize) -> Option<(usize, Block)> {
        let state = self.state.borrow();
        let (&start, &block) = state.live.range(..=address).next_back()?;
        (address < start + block.length.max(1)).then_some((start, block))
    }

    /// Blocks that were written to after they were freed, since the last call.
    pub fn take_damaged(&self) -> Vec<usize> {
        std::mem::take(&mut self.state.borrow_mut().damaged)
    }

    /// Freed blocks that were written to and wait to be used again.
    pub fn find_damage(&self) -> Vec<usize> {
        let state = self.state.borrow();
        let waiting = state
            .free
            .iter()
            .flat_map(|(room, blocks)| blocks.iter().map(|block| (*block, *room)));
        waiting
            .filter(|(block, room)| !is_filled(self.direct(*block), *room, POISON))
            .map(|(block, _)| block)
            .collect()
    }

    /// Tag and length of every block that the driver allocated.
    pub fn owned_by_driver(&self) -> Vec<(u32, usize)> {
        let state = self.state.borrow();
        state
            .live
            .values()
            .filter(|block| block.owner == Domain::Driver)
            .map(|block| (block.tag, block.length))
            .collect()
    }

    /// Adds the blocks of driver and framework, by tag.
    pub fn ledger(&self, out: &mut Vec<LedgerEntry>) {
        let mut tags: BTreeMap<(String, u32), (u64, u64)> = BTreeMap::new();
        for block in self
            .state
            .borrow()
            .live
            .values()
            .filter(|block| block.owner != Domain::Kernel)
        {
            let entry = tags.entry((format!("{:?}", block.owner), block.tag)).or_default();
            entry.0 += 1;
            entry.1 += block.length as u64;
        }
        out.extend(tags.into_iter().map(|((owner, tag), (count, bytes))| LedgerEntry {
            kind: "pool",
            owner: format!("{owner} tag '{}'", tag_text(tag)),
            count,
            bytes,
        }));
    }

    /// A pointer to an address of the direct map.
    fn direct(&self, address: usize) -> *mut u8 {
        let start = self.physical.system_addresses().start;
        self.physical.address(Frame(0)).wrapping_add(address - start)
    }

    fn frame(&self, address: usize) -> Frame {
        Frame(((address - self.physical.system_addresses().start) / PAGE) as u64)
    }
}

impl Blocks {
    fn remember(&mut self, address: usize) {
        self.history.push_back(address);
        if self.history.len() > REMEMBERED {
            self.history.pop_front();
        }
    }
}

/// A tag as four characters.
pub fn tag_text(tag: u32) -> String {
    tag.to_le_bytes()
        .iter()
        .map(|&byte| if byte.is_ascii_graphic() { char::from(byte) } else { '.' })
        .collect()
}

/// How many guard bytes a block has.
fn guard_length(block: &Block) -> usize {
    match block.room {
        Room::Small(_) => GUARD,
        // What is left of the last page; the page after it has no memory at all.
        Room::Pages(pages) => (pages as usize * PAGE - block.length).min(4 * GUARD),
    }
}

fn is_filled(at: *const u8, length: usize, byte: u8) -> bool {
    first_other(at, length, byte).is_none()
}

/// The offset of the first byte that is not `byte`.
fn first_other(at: *const u8, length: usize, byte: u8) -> Option<usize> {
    // SAFETY: callers pass bytes inside one block's room; the driver may hold a stale pointer there, hence the volatile read.
    (0..length).find(|&offset| unsafe { at.wrapping_add(offset).read_volatile() } != byte)
}

#[cfg(test)]
mod tests {
    use super::{CHUNK_PAGES, Fill, FreeError, Kind, PAGE, Pool, QUARANTINE, Request};
    use crate::{
        cross::Domain,
        mem::{MemoryModel, phys::Physical},
    };
    use proptest::prelude::*;
    use std::rc::Rc;

    fn pool() -> Pool {
        Pool::new(Rc::new(Physical::new(MemoryModel::Flat, 0)))
    }

    fn request(length: usize) -> Request {
        Request {
            length,
            tag: 0x3141,
            kind: Kind::NonPaged,
            owner: Domain::Driver,
            fill: Fill::Zero,
        }
    }

    #[test]
    fn second_free_is_recognised() {
        let pool = pool();
        let address = pool.allocate(request(10)).unwrap().addr();
        assert!(pool.free(address, None).is_ok());
        assert_eq!(pool.free(address, None).unwrap_err(), FreeError::AlreadyFree);
        assert_eq!(pool.free(address + 1, None).unwrap_err(), FreeError::NotAllocated);
    }

    #[test]
    fn wrong_tag_frees_nothing() {
        let pool = pool();
        let address = pool.allocate(request(10)).unwrap().addr();
        assert_eq!(pool.free(address, Some(1)).unwrap_err(), FreeError::WrongTag(0x3141));
        assert!(pool.free(address, Some(0x3141)).is_ok());
    }

    #[test]
    fn overrun_is_found_at_free() {
        for length in [1, 100, PAGE - 1, PAGE + 1] {
            let pool = pool();
            let block = pool.allocate(request(length)).unwrap();
            // SAFETY: inside the guard of the block.
            unsafe { block.wrapping_add(length).write_volatile(0) };
            assert_eq!(pool.free(block.addr(), None).unwrap_err(), FreeError::Overrun(length));
        }
    }

    #[test]
    fn write_after_free_is_found_at_reuse() {
        let pool = pool();
        let block = pool.allocate(request(40)).unwrap();
        pool.free(block.addr(), None).unwrap();
        // SAFETY: a freed small block stays mapped; nothing else uses it.
        unsafe { block.wrapping_add(8).write_volatile(1) };
        assert_eq!(pool.find_damage(), [block.addr()]);
        let others: Vec<_> = (0..2 * QUARANTINE)
            .map(|_| pool.allocate(request(40)).unwrap())
            .collect();
        others
            .iter()
            .for_each(|other| assert!(pool.free(other.addr(), None).is_ok()));
        for _ in 0..16 * CHUNK_PAGES as usize * PAGE / 64 {
            if pool.allocate(request(40)).unwrap() == block {
                break;
            }
        }
        assert_eq!(pool.take_damaged(), [block.addr()]);
    }

    proptest! {
        #[test]
        fn blocks_are_aligned_and_apart(lengths in prop::collection::vec(1_usize..9000, 1..60)) {
            let pool = pool();
            let mut blocks: Vec<(usize, usize)> = Vec::new();
            for length in lengths {
                let address = pool.allocate(request(length)).unwrap().addr();
                prop_assert_eq!(address % if length >= PAGE { PAGE } else { 16 }, 0);
                prop_assert!(length >= PAGE || address / PAGE == (address + length - 1) / PAGE);
                prop_assert_eq!(pool.block_of(address + length - 1).map(|found| found.0), Some(address));
                blocks.push((address, address + length));
            }
            blocks.sort_unstable();
            prop_assert!(blocks.windows(2).all(|pair| pair[0].1 <= pair[1].0));
        }
    }
}
