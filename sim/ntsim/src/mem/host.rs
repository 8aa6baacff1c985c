//! The host memory behind the simulated physical memory: one sparse memory file, a direct map of it, and areas for further mappings of its pages.

use super::PAGE;
use core::ffi::c_void;
use libc::{
    MAP_ANONYMOUS, MAP_FAILED, MAP_FIXED, MAP_NORESERVE, MAP_PRIVATE, MAP_SHARED, PROT_NONE, PROT_READ, PROT_WRITE,
};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// Consecutive pages of the memory file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The first page.
    pub frame: u64,
    /// How many pages.
    pub pages: u64,
}

/// What a mapping lets the CPU do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reads.
    Read,
    /// Reads and writes.
    ReadWrite,
}

impl Access {
    const fn protection(self) -> i32 {
        match self {
            Self::Read => PROT_READ,
            Self::ReadWrite => PROT_READ | PROT_WRITE,
        }
    }
}

/// A reserved range of host addresses without access.
#[derive(Debug)]
pub struct Area {
    base: *mut u8,
    pages: u64,
}

impl Area {
    /// Reserves `pages` pages of address space.
    pub fn reserve(pages: u64) -> Self {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
        // SAFETY: a fresh anonymous mapping at an address of the host's choice touches nothing that exists.
        let base = unsafe { libc::mmap(core::ptr::null_mut(), bytes(pages), PROT_NONE, flags, -1, 0) };
        assert!(base != MAP_FAILED, "the host refuses {pages} pages of address space");
        Self {
            base: base.cast(),
            pages,
        }
    }

    /// The address of a page of the area.
    pub fn at(&self, page: u64) -> *mut u8 {
        self.base.wrapping_add(bytes(page))
    }

    /// The first address.
    pub fn start(&self) -> usize {
        self.base.addr()
    }

    /// The page of an address, if it is in the area.
    pub fn page_of(&self, address: usize) -> Option<u64> {
        let page = (address.checked_sub(self.start())? / PAGE) as u64;
        (page < self.pages).then_some(page)
    }

    /// The addresses of the area.
    pub fn addresses(&self) -> core::ops::Range<usize> {
        self.start()..self.start() + bytes(self.pages)
    }

    /// Takes all access away again; the range stays reserved.
    pub fn clear(&self, page: u64, pages: u64) {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED;
        // SAFETY: replaces pages of this area's own reservation.
        let mapped = unsafe { libc::mmap(self.at(page).cast(), bytes(pages), PROT_NONE, flags, -1, 0) };
        assert!(mapped != MAP_FAILED, "the host refuses to unmap");
    }
}

impl Drop for Area {
    fn drop(&mut self) {
        // SAFETY: the whole of this area's own reservation; whoever held an address in it is gone with the machine.
        unsafe { libc::munmap(self.base.cast(), bytes(self.pages)) };
    }
}

/// The memory file and its direct map.
#[derive(Debug)]
pub struct HostMemory {
    file: OwnedFd,
    direct: Area,
}

impl HostMemory {
    /// An empty memory of `pages` pages; a page costs nothing before it is used.
    pub fn new(pages: u64) -> Self {
        // SAFETY: the name is a valid string; the call has no other precondition.
        let file = unsafe { libc::memfd_create(c"ntsim-physical-memory".as_ptr(), libc::MFD_CLOEXEC) };
        assert!(file >= 0, "the host refuses a memory file");
        // SAFETY: a descriptor that was just made and that nobody else owns.
        let file = unsafe { OwnedFd::from_raw_fd(file) };
        // SAFETY: resizes a file that only this struct uses.
        let sized = unsafe { libc::ftruncate(file.as_raw_fd(), bytes(pages) as i64) };
        assert!(sized == 0, "the host refuses a memory file of {pages} pages");
        Self {
            file,
            direct: Area::reserve(pages),
        }
    }

    /// Where the direct map lies.
    pub fn direct(&self) -> &Area {
        &self.direct
    }

    /// The address of a page in the direct map.
    pub fn at(&self, frame: u64) -> *mut u8 {
        self.direct.at(frame)
    }

    /// Makes pages present in the direct map.
    pub fn commit(&self, run: Run) {
        self.map(&self.direct, run.frame, run, Access::ReadWrite);
    }

    /// Takes pages out of the direct map and gives their content back to the host.
    pub fn retire(&self, run: Run) {
        self.direct.clear(run.frame, run.pages);
        let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
        // SAFETY: the pages belong to nobody any more; their content is lost on purpose.
        let punched = unsafe {
            libc::fallocate(
                self.file.as_raw_fd(),
                mode,
                bytes(run.frame) as i64,
                bytes(run.pages) as i64,
            )
        };
        assert!(punched == 0, "the host refuses to free memory");
    }

    /// Maps the pages of `run` at `page` of `area`.
    pub fn map(&self, area: &Area, page: u64, run: Run, access: Access) {
        let (protection, flags) = (access.protection(), MAP_SHARED | MAP_NORESERVE | MAP_FIXED);
        let at: *mut c_void = area.at(page).cast();
        let descriptor = self.file.as_raw_fd();
        // SAFETY: replaces pages of the area's own reservation, which the caller allocated for this mapping.
        let mapped = unsafe {
            libc::mmap(
                at,
                bytes(run.pages),
                protection,
                flags,
                descriptor,
                bytes(run.frame) as i64,
            )
        };
        assert!(mapped == at, "the host refuses a mapping (too many of them?)");
    }
}

/// The length of `pages` pages.
pub const fn bytes(pages: u64) -> usize {
    pages as usize * PAGE
}

/// Joins consecutive pages into runs.
pub fn runs(frames: impl IntoIterator<Item = u64>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for frame in frames {
        match runs.last_mut() {
            Some(run) if run.frame + run.pages == frame => run.pages += 1,
            _ => runs.push(Run { frame, pages: 1 }),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::{Access, Area, HostMemory, Run, runs};

    #[test]
    fn two_mappings_of_a_page_show_the_same_bytes() {
        let memory = HostMemory::new(16);
        let area = Area::reserve(4);
        memory.commit(Run { frame: 3, pages: 1 });
        memory.map(&area, 2, Run { frame: 3, pages: 1 }, Access::ReadWrite);
        // SAFETY: the page was just mapped there.
        unsafe { area.at(2).wrapping_add(5).write_volatile(7) };
        // SAFETY: committed above.
        assert_eq!(unsafe { memory.at(3).wrapping_add(5).read_volatile() }, 7);
    }

    #[test]
    fn retired_pages_come_back_zeroed() {
        let memory = HostMemory::new(4);
        let run = Run { frame: 1, pages: 1 };
        memory.commit(run);
        // SAFETY: committed above.
        unsafe { memory.at(1).write_volatile(1) };
        memory.retire(run);
        memory.commit(run);
        // SAFETY: committed again.
        assert_eq!(unsafe { memory.at(1).read_volatile() }, 0);
    }

    #[test]
    fn consecutive_frames_join() {
        let expected = [
            Run { frame: 1, pages: 2 },
            Run { frame: 5, pages: 1 },
            Run { frame: 4, pages: 1 },
        ];
        assert_eq!(runs([1, 2, 5, 4]), expected);
        assert!(runs([]).is_empty());
    }
}
