//! Memory of user processes: what requests point to.

use super::{
    PAGE,
    host::{Access, Run},
    phys::{Frame, Physical, Region, Use},
};
use crate::machine::Machine;
use std::rc::Rc;

/// What the owning process may do with its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Read it.
    ReadOnly,
    /// Read and write it.
    ReadWrite,
}

/// Bytes of a user process, valid or not: what a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserRange {
    /// The first address.
    pub address: usize,
    /// The length in bytes.
    pub length: usize,
}

/// The memory of the user process of a machine.
#[derive(Debug, Clone)]
pub struct UserMemory(Rc<Physical>);

/// A buffer of the user process. Dropping it unmaps it; pages that a driver has locked live until they are unlocked.
#[derive(Debug)]
pub struct UserBuffer {
    physical: Rc<Physical>,
    frame: Frame,
    view: usize,
    offset: usize,
    length: usize,
}

/// A user address that is not accessible as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessViolation {
    /// The address.
    pub address: usize,
}

impl Machine {
    /// The memory of the user process.
    #[must_use]
    pub fn user_memory(&self) -> UserMemory {
        UserMemory(Rc::clone(&self.mem.physical))
    }
}

impl UserMemory {
    /// Allocates `length` zeroed bytes that begin `page_offset` bytes into a page.
    #[must_use]
    pub fn allocate(&self, length: usize, page_offset: usize, protection: Protection) -> UserBuffer {
        assert!(page_offset < PAGE, "an offset in a page is below {PAGE}");
        let pages = (page_offset + length).div_ceil(PAGE).max(1) as u64;
        let frame = self
            .0
            .allocate(pages, Use::User)
            .expect("the simulated machine is out of memory");
        let access = match protection {
            Protection::ReadOnly => Access::Read,
            Protection::ReadWrite => Access::ReadWrite,
        };
        let frames = vec![Run { frame: frame.0, pages }];
        let view = self
            .0
            .map(&self.0.user, frames, access)
            .expect("the simulated process is out of addresses");
        UserBuffer {
            physical: Rc::clone(&self.0),
            frame,
            view: view.addr(),
            offset: page_offset,
            length,
        }
    }
}

impl UserBuffer {
    /// The whole buffer.
    #[must_use]
    pub fn range(&self) -> UserRange {
        UserRange {
            address: self.view + self.offset,
            length: self.length,
        }
    }

    /// A part of the buffer. Panics when it is not inside.
    #[must_use]
    pub fn part(&self, offset: usize, length: usize) -> UserRange {
        self.check(offset, length);
        UserRange {
            address: self.view + self.offset + offset,
            length,
        }
    }

    /// Writes bytes, whatever the protection.
    pub fn write(&self, offset: usize, bytes: &[u8]) {
        let at = self.check(offset, bytes.len());
        // SAFETY: inside the buffer's frames, which are mapped while it lives; devices and drivers run on this thread only.
        unsafe { at.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    }

    /// Reads bytes.
    pub fn read(&self, offset: usize, bytes: &mut [u8]) {
        let at = self.check(offset, bytes.len());
        // SAFETY: as in `write`.
        unsafe { at.copy_to_nonoverlapping(bytes.as_mut_ptr(), bytes.len()) };
    }

    /// A copy of all of it.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.length];
        self.read(0, &mut bytes);
        bytes
    }

    /// The address of a byte in the kernel's view.
    fn check(&self, offset: usize, length: usize) -> *mut u8 {
        let inside = offset.checked_add(length).is_some_and(|end| end <= self.length);
        assert!(
            inside,
            "{length} bytes at {offset} are not in a buffer of {} bytes",
            self.length
        );
        self.physical.address(self.frame).wrapping_add(self.offset + offset)
    }
}

impl Drop for UserBuffer {
    fn drop(&mut self) {
        self.physical.user.unmap(self.view);
        self.physical.free(self.frame);
    }
}

impl Physical {
    /// The frame of a user address that may be accessed as asked.
    pub(crate) fn user_frame(&self, address: usize, need: Access) -> Result<Frame, AccessViolation> {
        match self.resolve(address) {
            Some((frame, Region::User(access))) if access == Access::ReadWrite || need == Access::Read => Ok(frame),
            _ => Err(AccessViolation { address }),
        }
    }

    /// Copies into user memory.
    pub(crate) fn copy_to_user(&self, from: *const u8, range: UserRange) -> Result<(), AccessViolation> {
        self.each_page(range, Access::ReadWrite, |page, done, length| {
            // SAFETY: `page` is `length` bytes of a user frame; the caller has as many bytes at `from` as the range is long.
            unsafe { page.copy_from_nonoverlapping(from.wrapping_add(done), length) };
        })
    }

    /// Whether all of a range may be accessed.
    pub(crate) fn probe(&self, range: UserRange, need: Access) -> Result<(), AccessViolation> {
        self.each_page(range, need, |_, _, _| {})
    }

    /// Calls `f` with (kernel address, bytes done before, bytes) for the part of each page.
    fn each_page(
        &self,
        range: UserRange,
        need: Access,
        mut f: impl FnMut(*mut u8, usize, usize),
    ) -> Result<(), AccessViolation> {
        let mut done = 0;
        while done < range.length {
            let address = range.address.wrapping_add(done);
            let length = (PAGE - address % PAGE).min(range.length - done);
            let frame = self.user_frame(address, need)?;
            f(self.address(frame).wrapping_add(address % PAGE), done, length);
            done += length;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Access, Physical, Protection, UserMemory, UserRange};
    use crate::mem::MemoryModel;
    use proptest::prelude::*;
    use std::rc::Rc;

    fn memory() -> UserMemory {
        UserMemory(Rc::new(Physical::new(MemoryModel::Scrambled, 9)))
    }

    #[test]
    fn read_only_memory_refuses_writes_by_the_kernel() {
        let memory = memory();
        let buffer = memory.allocate(10, 4090, Protection::ReadOnly);
        buffer.write(0, b"0123456789");
        assert_eq!(buffer.to_vec(), b"0123456789");
        assert!(memory.0.probe(buffer.range(), Access::Read).is_ok());
        assert!(memory.0.copy_to_user([0; 10].as_ptr(), buffer.range()).is_err());
        assert!(memory.0.probe(buffer.range(), Access::ReadWrite).is_err());
    }

    #[test]
    fn memory_past_the_end_and_after_drop_is_no_memory() {
        let memory = memory();
        let buffer = memory.allocate(4096, 0, Protection::ReadWrite);
        let range = buffer.range();
        assert!(
            memory
                .0
                .probe(UserRange { length: 4097, ..range }, Access::Read)
                .is_err()
        );
        assert!(
            memory
                .0
                .probe(
                    UserRange {
                        address: usize::MAX,
                        length: 2
                    },
                    Access::Read
                )
                .is_err()
        );
        drop(buffer);
        assert!(memory.0.probe(range, Access::Read).is_err());
    }

    proptest! {
        #[test]
        fn what_is_copied_in_comes_out(offset in 0_usize..4096, bytes in prop::collection::vec(any::<u8>(), 1..10_000)) {
            let memory = memory();
            let buffer = memory.allocate(bytes.len(), offset, Protection::ReadWrite);
            prop_assert_eq!(buffer.range().address % 4096, offset);
            memory.0.copy_to_user(bytes.as_ptr(), buffer.range()).unwrap();
            prop_assert_eq!(buffer.to_vec(), bytes);
        }
    }
}
