//! Data buffers in pages of their own.
//!
//! The pages come from `VirtualAlloc`, so that no other data of the process shares a page, or a cache line, with what the device writes.

use std::ffi::c_void;
use std::io;
use std::ptr::{self, NonNull};

use windows_sys::Win32::System::Memory::{
    MEM_COMMIT, MEM_RELEASE, MEM_RESERVE, PAGE_READWRITE, VirtualAlloc, VirtualFree,
};

use crate::transport::{Buffer, OutsideBuffer, TransportError};

const PAGE: usize = 4096;

/// A data buffer.
#[derive(Debug)]
pub struct WindowsBuffer {
    pages: NonNull<u8>,
    page_offset: usize,
    length: usize,
}

// SAFETY: the buffer owns its pages, and moving the pointer to another thread moves all access to them.
unsafe impl Send for WindowsBuffer {}
// SAFETY: through a shared reference the pages are only read.
unsafe impl Sync for WindowsBuffer {}

impl WindowsBuffer {
    /// A zeroed buffer that begins `page_offset` bytes after a page boundary.
    pub(super) fn allocate(length: usize, page_offset: usize) -> Result<Self, TransportError> {
        let size = length
            .checked_add(page_offset)
            .filter(|_| page_offset < PAGE)
            .map(|size| size.max(1));
        let Some(size) = size else {
            return Err(TransportError::new(
                "allocating a buffer",
                "the page offset is not within a page, or the size overflows",
            ));
        };
        // SAFETY: the system chooses the address of new pages.
        let pages = unsafe { VirtualAlloc(ptr::null(), size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE) };
        let pages = NonNull::new(pages.cast::<u8>())
            .ok_or_else(|| TransportError::new("VirtualAlloc", io::Error::last_os_error()))?;
        Ok(Self {
            pages,
            page_offset,
            length,
        })
    }

    /// The first byte.
    pub(super) fn start(&self) -> *mut u8 {
        // SAFETY: `pages` has `page_offset + length` bytes at least, so that the offset stays within them or at their end.
        unsafe { self.pages.as_ptr().add(self.page_offset) }
    }

    /// Bytes of the buffer for a call that takes 32 bits.
    pub(super) fn length_u32(&self) -> Option<u32> {
        u32::try_from(self.length).ok()
    }

    fn at(&self, offset: usize, length: usize) -> Result<*mut u8, OutsideBuffer> {
        OutsideBuffer::check(offset, length, self.length)?;
        // SAFETY: `offset` was just checked to be within the buffer or at its end.
        Ok(unsafe { self.start().add(offset) })
    }
}

impl Buffer for WindowsBuffer {
    fn len(&self) -> usize {
        self.length
    }

    fn read(&self, offset: usize, into: &mut [u8]) -> Result<(), OutsideBuffer> {
        let from = self.at(offset, into.len())?;
        // SAFETY: `into.len()` bytes from `from` on are in the buffer, which no request uses while it can be borrowed and which nobody
        // writes while it is borrowed shared; `into` is another allocation.
        unsafe { ptr::copy_nonoverlapping(from, into.as_mut_ptr(), into.len()) };
        Ok(())
    }

    fn write(&mut self, offset: usize, from: &[u8]) -> Result<(), OutsideBuffer> {
        let into = self.at(offset, from.len())?;
        // SAFETY: `from.len()` bytes from `into` on are in the buffer, which is borrowed exclusively; `from` is another allocation.
        unsafe { ptr::copy_nonoverlapping(from.as_ptr(), into, from.len()) };
        Ok(())
    }
}

impl Drop for WindowsBuffer {
    fn drop(&mut self) {
        // SAFETY: `pages` is what `VirtualAlloc` returned, and a request that is in flight owns its buffer, so that no driver uses it.
        unsafe { VirtualFree(self.pages.as_ptr().cast::<c_void>(), 0, MEM_RELEASE) };
    }
}
