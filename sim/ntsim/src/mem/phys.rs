//! Physical memory: page frames, their numbers, and which addresses of the host show them.

use super::{
    MemoryModel,
    host::{Access, Area, HostMemory, Run},
    permutation::PagePermutation,
    ranges::Ranges,
};
use std::cell::RefCell;

/// A page frame number, as drivers see it in an MDL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pfn(pub u64);

/// A page of the simulated memory, by its place in the memory file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Frame(pub u64);

/// What page frames are used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Pool.
    Pool,
    /// A buffer shared by driver and device.
    CommonBuffer,
    /// Memory of a user process.
    User,
    /// Pages that a device accesses in place of others.
    Bounce,
}

/// Frames that were allocated together.
#[derive(Debug)]
struct Extent {
    of: Use,
    /// Ranges of it that are locked by MDLs.
    locks: u64,
    /// Freed by its owner while locked: goes when the last lock does.
    condemned: bool,
}

/// 64 GiB of frames: so many that a freed one is not used again soon.
const FRAME_BITS: u32 = 24;
/// The first page frame number: physical memory starts at 4 GiB, so that an address cut to 32 bits is wrong.
const FIRST_PFN: u64 = 1 << 20;
/// Pages of address space for mappings of user memory, and for system mappings.
const AREA_PAGES: u64 = 1 << 26;

/// Which mapping of the memory an address belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    /// Pool and common buffers.
    System,
    /// A mapping that an MDL describes.
    SystemPtes,
    /// A user process.
    User(Access),
}

/// A mapping in an area: the frames it shows, by page.
#[derive(Debug)]
pub(super) struct View {
    pub(super) frames: Vec<Run>,
    pub(super) access: Access,
}

impl View {
    /// The frame at a page of the view.
    fn frame(&self, page: u64) -> Option<Frame> {
        let mut skip = page;
        for run in &self.frames {
            if skip < run.pages {
                return Some(Frame(run.frame + skip));
            }
            skip -= run.pages;
        }
        None
    }
}

/// An area of the address space with the views in it.
#[derive(Debug)]
pub(super) struct Views {
    area: Area,
    live: RefCell<Ranges<View>>,
}

impl Views {
    fn new() -> Self {
        Self {
            area: Area::reserve(AREA_PAGES),
            live: RefCell::new(Ranges::new(1, AREA_PAGES, 1)),
        }
    }
}

/// The physical memory of a machine.
#[derive(Debug)]
pub struct Physical {
    host: HostMemory,
    frames: RefCell<Ranges<Extent>>,
    numbering: Option<PagePermutation>,
    pub(super) user: Views,
    pub(super) system: Views,
}

impl Physical {
    /// Empty memory of a model.
    #[must_use]
    pub fn new(model: MemoryModel, seed: u64) -> Self {
        let numbering = (model == MemoryModel::Scrambled).then(|| PagePermutation::new(FRAME_BITS, seed ^ 0x5046_4E73));
        Self {
            host: HostMemory::new(1 << FRAME_BITS),
            frames: RefCell::new(Ranges::new(1, 1 << FRAME_BITS, 1)),
            numbering,
            user: Views::new(),
            system: Views::new(),
        }
    }

    /// Allocates zeroed consecutive frames.
    pub fn allocate(&self, pages: u64, of: Use) -> Option<Frame> {
        let extent = Extent {
            of,
            locks: 0,
            condemned: false,
        };
        let frame = self.frames.borrow_mut().allocate(pages, 1, extent)?;
        self.host.commit(Run { frame, pages });
        Some(Frame(frame))
    }

    /// Frees what [`Self::allocate`] gave: at once, or when the last lock on it goes.
    pub fn free(&self, start: Frame) {
        let mut frames = self.frames.borrow_mut();
        let extent = frames.find_mut(start.0).expect("frees what it allocated");
        extent.condemned = true;
        self.collect(&mut frames, start);
    }

    /// Keeps the frames of `run` from being freed.
    pub fn lock(&self, run: Run) {
        self.change_locks(run, |extent| extent.locks += 1);
    }

    /// Undoes one [`Self::lock`].
    pub fn unlock(&self, run: Run) {
        self.change_locks(run, |extent| extent.locks -= 1);
    }

    /// Changes each extent that `run` touches.
    fn change_locks(&self, run: Run, change: impl Fn(&mut Extent)) {
        let mut frames = self.frames.borrow_mut();
        let mut at = run.frame;
        while at < run.frame + run.pages {
            let Some(found) = frames.find(at) else { return };
            let (start, end) = (found.start, found.start + found.length);
            if let Some(extent) = frames.find_mut(start) {
                change(extent);
            }
            self.collect(&mut frames, Frame(start));
            at = end;
        }
    }

    /// Frees an extent that nothing holds any more.
    fn collect(&self, frames: &mut Ranges<Extent>, start: Frame) {
        let gone = frames
            .find(start.0)
            .is_some_and(|found| found.value.condemned && found.value.locks == 0);
        if gone && let Some((pages, _)) = frames.free(start.0) {
            self.host.retire(Run { frame: start.0, pages });
        }
    }

    /// The number of a frame.
    #[must_use]
    pub fn pfn(&self, frame: Frame) -> Pfn {
        Pfn(FIRST_PFN + self.numbering.map_or(frame.0, |numbering| numbering.forward(frame.0)))
    }

    /// The frame that has a number, whether it is in use or not.
    #[must_use]
    pub fn frame(&self, pfn: Pfn) -> Option<Frame> {
        let number = pfn
            .0
            .checked_sub(FIRST_PFN)
            .filter(|number| *number < 1 << FRAME_BITS)?;
        Some(Frame(
            self.numbering.map_or(number, |numbering| numbering.inverse(number)),
        ))
    }

    /// The state of a frame, in words.
    #[must_use]
    pub fn describe(&self, frame: Frame) -> &'static str {
        let frames = self.frames.borrow();
        match frames.find(frame.0).map(|found| found.value.of) {
            Some(Use::Pool) => "pool",
            Some(Use::CommonBuffer) => "a common buffer",
            Some(Use::User) => "user memory",
            Some(Use::Bounce) => "a bounce buffer",
            None if frames.is_past(frame.0) => "memory that was freed",
            None => "no memory",
        }
    }

    /// What a frame is used for, if it is in use.
    #[must_use]
    pub fn used_for(&self, frame: Frame) -> Option<Use> {
        self.frames.borrow().find(frame.0).map(|found| found.value.of)
    }

    /// What was allocated for one of these uses and is there still, in the order of the frames.
    pub(super) fn extents_of(&self, uses: &[Use]) -> Vec<Run> {
        let frames = self.frames.borrow();
        let wanted = frames.iter().filter(|found| uses.contains(&found.value.of));
        wanted
            .map(|found| Run {
                frame: found.start,
                pages: found.length,
            })
            .collect()
    }

    /// The kernel's address of a frame that is in use.
    #[must_use]
    pub fn address(&self, frame: Frame) -> *mut u8 {
        self.host.at(frame.0)
    }

    /// The addresses of pool and common buffers, used or not.
    #[must_use]
    pub fn system_addresses(&self) -> core::ops::Range<usize> {
        self.host.direct().addresses()
    }

    /// The addresses of the mappings of MDLs.
    #[must_use]
    pub fn pte_addresses(&self) -> core::ops::Range<usize> {
        self.system.area.addresses()
    }

    /// The addresses of user memory.
    #[must_use]
    pub fn user_addresses(&self) -> core::ops::Range<usize> {
        self.user.area.addresses()
    }

    /// The frame that an address shows, and through which mapping.
    #[must_use]
    pub fn resolve(&self, address: usize) -> Option<(Frame, Region)> {
        if let Some(page) = self.host.direct().page_of(address) {
            let system = self.used_for(Frame(page)).filter(|of| *of != Use::User);
            return system.map(|_| (Frame(page), Region::System));
        }
        if let Some((frame, access)) = self.user.resolve(address) {
            return Some((frame, Region::User(access)));
        }
        self.system
            .resolve(address)
            .map(|(frame, _)| (frame, Region::SystemPtes))
    }

    /// Maps frames at fresh addresses of `views`.
    pub(super) fn map(&self, views: &Views, frames: Vec<Run>, access: Access) -> Option<*mut u8> {
        let pages = frames.iter().map(|run| run.pages).sum();
        let mapped = frames.clone();
        let start = views.live.borrow_mut().allocate(pages, 1, View { frames, access })?;
        let mut page = start;
        for run in mapped {
            self.host.map(&views.area, page, run, access);
            page += run.pages;
        }
        Some(views.area.at(start))
    }
}

impl Views {
    /// Undoes a mapping by its first address; its length in pages.
    pub(super) fn unmap(&self, address: usize) -> Option<u64> {
        let page = self.area.page_of(address)?;
        let mut live = self.live.borrow_mut();
        let found = live.find(page).filter(|found| found.start == page)?.start;
        let (pages, _) = live.free(found)?;
        self.area.clear(found, pages);
        Some(pages)
    }

    fn resolve(&self, address: usize) -> Option<(Frame, Access)> {
        let page = self.area.page_of(address)?;
        let live = self.live.borrow();
        let found = live.find(page)?;
        found
            .value
            .frame(page - found.start)
            .map(|frame| (frame, found.value.access))
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, Frame, MemoryModel, Physical, Region, Run, Use};
    use proptest::prelude::*;

    #[test]
    fn a_locked_frame_outlives_its_owner() {
        let memory = Physical::new(MemoryModel::Flat, 0);
        let frame = memory.allocate(2, Use::User).unwrap();
        memory.lock(Run {
            frame: frame.0 + 1,
            pages: 1,
        });
        memory.free(frame);
        assert_eq!(memory.used_for(frame), Some(Use::User));
        memory.unlock(Run {
            frame: frame.0 + 1,
            pages: 1,
        });
        assert_eq!(memory.describe(frame), "memory that was freed");
    }

    #[test]
    fn user_memory_has_no_system_address() {
        let memory = Physical::new(MemoryModel::Flat, 0);
        let frame = memory.allocate(1, Use::User).unwrap();
        assert_eq!(memory.resolve(memory.address(frame).addr()), None);
        let at = memory
            .map(
                &memory.user,
                vec![Run {
                    frame: frame.0,
                    pages: 1,
                }],
                Access::Read,
            )
            .unwrap();
        assert_eq!(
            memory.resolve(at.addr() + 17),
            Some((frame, Region::User(Access::Read)))
        );
        assert_eq!(memory.user.unmap(at.addr()), Some(1));
        assert_eq!(memory.resolve(at.addr()), None);
    }

    #[test]
    fn scrambled_frames_are_not_consecutive() {
        let memory = Physical::new(MemoryModel::Scrambled, 1);
        let pfns: Vec<_> = (0..64).map(|frame| memory.pfn(Frame(frame)).0).collect();
        assert!(pfns.windows(2).any(|pair| pair[0] + 1 != pair[1]));
    }

    proptest! {
        #[test]
        fn numbering_is_invertible(seed in any::<u64>(), frame in 0_u64..1 << 24) {
            for model in [MemoryModel::Flat, MemoryModel::Scrambled, MemoryModel::Iommu] {
                let memory = Physical::new(model, seed);
                prop_assert_eq!(memory.frame(memory.pfn(Frame(frame))), Some(Frame(frame)));
            }
        }
    }
}
