//! Buffers of user mode, and the windows through which a driver copies from and to them.

use core::marker::PhantomData;
use core::ptr::NonNull;

use wdk_sys::{
    _MDL, _MEMORY_CACHING_TYPE, _MM_PAGE_PRIORITY, _MODE, MDL_MAPPED_TO_SYSTEM_VA, MDL_PARENT_MAPPED_SYSTEM_VA,
    MDL_SOURCE_IS_NONPAGED_POOL, MdlMappingNoExecute, PMDL, ntddk,
};

use crate::ledger::{LedgerKind, LedgerRef};
use crate::shared::SharedMemory;
use crate::status::{NtStatus, Result};

const PAGE_SIZE: usize = 4096;

/// A buffer that a request describes by a locked MDL. User threads may write to it at any moment, so it is copied from and to, and never lent as a slice.
///
/// It lives no longer than its request:
///
/// ```compile_fail,E0505
/// fn late(request: kmdf::Request) -> usize {
///     let Ok(buffer) = request.user_buffer() else { return 0 };
///     request.complete(kmdf::NtStatus::SUCCESS);
///     buffer.len()
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct UserBuffer<'r> {
    mdl: NonNull<_MDL>,
    length: usize,
    page_offset: u32,
    request: PhantomData<&'r ()>,
}

impl UserBuffer<'_> {
    /// The buffer that `mdl` describes.
    ///
    /// # Safety
    /// The MDL's pages are locked for writing for the lifetime, and nobody changes the MDL itself.
    pub(crate) unsafe fn new(mdl: NonNull<_MDL>) -> Self {
        // SAFETY: a valid MDL that nobody changes.
        let description = unsafe { mdl.as_ref() };
        Self {
            mdl,
            length: description.ByteCount as usize,
            page_offset: description.ByteOffset,
            request: PhantomData,
        }
    }

    /// Bytes of the buffer, as the I/O manager locked it.
    pub const fn len(&self) -> usize {
        self.length
    }

    /// There are no bytes.
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Offset of the first byte in its page.
    pub const fn page_offset(&self) -> u32 {
        self.page_offset
    }

    pub(crate) const fn mdl(&self) -> PMDL {
        self.mdl.as_ptr()
    }

    /// The address by which the MDL functions mean the byte at `offset`. Nobody dereferences it.
    pub(crate) fn virtual_address(&self, offset: usize) -> *mut u8 {
        // SAFETY: a valid MDL that nobody changes.
        let description = unsafe { self.mdl.as_ref() };
        let start: *mut u8 = description.StartVa.cast();
        start.wrapping_add(self.page_offset as usize).wrapping_add(offset)
    }

    /// The buffer contains these bytes.
    pub(crate) fn contains(&self, offset: usize, length: usize) -> bool {
        offset.checked_add(length).is_some_and(|end| end <= self.length)
    }
}

/// An MDL of the driver's own, for mapping a buffer piece by piece. Made once, used again and again. `IRQL <= DISPATCH_LEVEL`.
#[derive(Debug)]
pub struct CopyWindow {
    mdl: NonNull<_MDL>,
    size: usize,
    ledger: LedgerRef,
}

// SAFETY: owns its MDL.
unsafe impl Send for CopyWindow {}
// SAFETY: everything that uses the MDL takes `&mut self`.
unsafe impl Sync for CopyWindow {}

impl CopyWindow {
    /// A window through which `size` bytes can be seen at a time, rounded up to whole pages.
    pub fn new(size: usize, ledger: LedgerRef) -> Result<Self> {
        let size = size.max(1).next_multiple_of(PAGE_SIZE);
        let with_offset = u32::try_from(size + PAGE_SIZE).map_err(|_| NtStatus::INVALID_PARAMETER)?;
        // SAFETY: allocates only; the page more leaves room for any offset in the first page.
        let mdl = unsafe { ntddk::IoAllocateMdl(core::ptr::null_mut(), with_offset, 0, 0, core::ptr::null_mut()) };
        let mdl = NonNull::new(mdl).ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
        ledger.get().take(LedgerKind::Mdl, size as u64);
        Ok(Self { mdl, size, ledger })
    }

    /// Opens the window over a buffer while `work` runs. It is lent, not given, so that it cannot be forgotten while something is mapped.
    pub fn over<T>(&mut self, buffer: &UserBuffer<'_>, work: impl FnOnce(&mut BufferWindow<'_>) -> T) -> T {
        let size = self.size;
        work(&mut BufferWindow {
            window: self,
            buffer,
            most: size,
            mapped: None,
        })
    }
}

/// A window over one buffer. What was mapped last stays mapped until bytes outside it are wanted, or until drop: neighbouring accesses share a mapping.
#[derive(Debug)]
pub struct BufferWindow<'w> {
    window: &'w mut CopyWindow,
    buffer: &'w UserBuffer<'w>,
    /// Most bytes that are mapped at a time.
    most: usize,
    mapped: Option<MappedPart>,
}

impl BufferWindow<'_> {
    /// Copies `to.len()` bytes of the buffer from `offset` on.
    pub fn copy_from(&mut self, offset: usize, to: &SharedMemory<'_>) -> Result {
        self.pieces(offset, to.len(), |shown, done| {
            to.part(done, shown.len()).and_then(|part| part.copy_from(shown))
        })
    }

    /// Copies all of `from` over the buffer at `offset`.
    pub fn copy_to(&mut self, offset: usize, from: &SharedMemory<'_>) -> Result {
        self.pieces(offset, from.len(), |shown, done| {
            from.part(done, shown.len()).and_then(|part| shown.copy_from(&part))
        })
    }

    /// Writes zeros over `length` bytes of the buffer from `offset` on.
    pub fn clear(&mut self, offset: usize, length: usize) -> Result {
        self.pieces(offset, length, |shown, _| {
            shown.clear();
            Ok(())
        })
    }

    /// The same, as far as it can be done: where much cannot be mapped at a time, page by page. Returns the number of bytes that could not be mapped.
    pub fn clear_possible(&mut self, offset: usize, length: usize) -> usize {
        if self.clear(offset, length).is_ok() {
            return 0;
        }
        self.close();
        self.most = PAGE_SIZE;
        (0..length)
            .step_by(PAGE_SIZE)
            .map(|done| (offset.saturating_add(done), (length - done).min(PAGE_SIZE)))
            .map(|(at, piece)| if self.clear(at, piece).is_ok() { 0 } else { piece })
            .sum()
    }

    /// Shows one piece of the range after the other to `visit`, with the number of bytes that came before.
    fn pieces(
        &mut self,
        offset: usize,
        length: usize,
        mut visit: impl FnMut(&SharedMemory<'_>, usize) -> core::result::Result<(), crate::OutOfRange>,
    ) -> Result {
        if !self.buffer.contains(offset, length) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let mut done = 0;
        while done < length {
            let at = offset + done;
            let part = self.part_at(at)?;
            let skip = at - part.start;
            let piece = (length - done).min(part.length - skip);
            // SAFETY: mapped for writing until `close`, which takes `&mut self`; there is no plain reference to a user buffer anywhere.
            let memory = unsafe { SharedMemory::new(part.base.as_ptr(), part.length) };
            let shown = memory.part(skip, piece).map_err(|_| NtStatus::INTERNAL_ERROR)?;
            visit(&shown, done).map_err(|_| NtStatus::INTERNAL_ERROR)?;
            done += piece;
        }
        Ok(())
    }

    /// What is mapped of the buffer, with the byte at `offset` in it; the buffer contains that byte.
    fn part_at(&mut self, offset: usize) -> Result<MappedPart> {
        if let Some(part) = self.mapped
            && part.start <= offset
            && offset - part.start < part.length
        {
            return Ok(part);
        }
        self.close();
        let length = (self.buffer.len() - offset).min(self.most);
        let part = self.map(offset, length)?;
        self.mapped = Some(part);
        Ok(part)
    }

    /// Maps `length` bytes from `offset` on, which lie in the buffer and fit the window. Nothing is mapped now.
    fn map(&mut self, start: usize, length: usize) -> Result<MappedPart> {
        let mdl = self.window.mdl;
        let address = self.buffer.virtual_address(start);
        // SAFETY: the range lies within the source, whose pages are locked; the target has room for `size` bytes at any page offset and is not mapped.
        unsafe { ntddk::IoBuildPartialMdl(self.buffer.mdl(), mdl.as_ptr(), address.cast(), length as u32) };
        // SAFETY: the window's own MDL.
        let description = unsafe { mdl.as_ref() };
        if description.MdlFlags.cast_unsigned() & SYSTEM_ADDRESS_VALID != 0 {
            let base = NonNull::new(description.MappedSystemVa.cast()).ok_or(NtStatus::INTERNAL_ERROR)?;
            return Ok(MappedPart {
                start,
                length,
                base,
                unmap: Unmap::Leave,
            });
        }
        let priority = _MM_PAGE_PRIORITY::NormalPagePriority.cast_unsigned() | MdlMappingNoExecute;
        // SAFETY: a partial MDL of locked pages that is not mapped; in kernel mode a failure returns null and raises nothing.
        let base = unsafe {
            ntddk::MmMapLockedPagesSpecifyCache(
                mdl.as_ptr(),
                _MODE::KernelMode as i8,
                _MEMORY_CACHING_TYPE::MmCached,
                core::ptr::null_mut(),
                0,
                priority,
            )
        };
        let base = NonNull::new(base.cast()).ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
        self.window.ledger.get().take(LedgerKind::MappedMdl, length as u64);
        Ok(MappedPart {
            start,
            length,
            base,
            unmap: Unmap::AtClose,
        })
    }

    /// Unmaps what is mapped.
    fn close(&mut self) {
        let Some(part) = self.mapped.take() else { return };
        if part.unmap == Unmap::Leave {
            return;
        }
        // SAFETY: mapped by `map` through this MDL, and unmapped once.
        unsafe { ntddk::MmUnmapLockedPages(part.base.as_ptr().cast(), self.window.mdl.as_ptr()) };
        let ledger = self.window.ledger.get();
        ledger.give_back(LedgerKind::MappedMdl, part.length as u64);
    }
}

impl Drop for BufferWindow<'_> {
    fn drop(&mut self) {
        self.close();
    }
}

/// Flags that say that `MappedSystemVa` may be used as it is.
const SYSTEM_ADDRESS_VALID: u16 =
    (MDL_MAPPED_TO_SYSTEM_VA | MDL_SOURCE_IS_NONPAGED_POOL | MDL_PARENT_MAPPED_SYSTEM_VA) as u16;

impl Drop for CopyWindow {
    fn drop(&mut self) {
        // SAFETY: allocated by `new`, freed once, and not mapped: who maps borrows the window.
        unsafe { ntddk::IoFreeMdl(self.mdl.as_ptr()) };
        self.ledger.get().give_back(LedgerKind::Mdl, self.size as u64);
    }
}

/// Whether a part was mapped by this crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unmap {
    AtClose,
    Leave,
}

/// A part of a user buffer in system address space.
#[derive(Clone, Copy, Debug)]
struct MappedPart {
    start: usize,
    length: usize,
    base: NonNull<u8>,
    unmap: Unmap,
}
