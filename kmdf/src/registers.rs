//! Device registers in system address space.

use core::ptr::NonNull;

use wdk_sys::{LARGE_INTEGER, PAGE_NOCACHE, PAGE_READWRITE, ntddk};

use crate::ledger::{LedgerKind, LedgerRef};
use crate::resources::MemoryRange;
use crate::status::{NtStatus, Result};

/// A register block, mapped uncached for as long as the value lives. Mapping and unmapping: `IRQL <= DISPATCH_LEVEL`; accesses: any IRQL, while the device is in D0.
///
/// Accesses are single loads and stores of the register's width, in program order. A register offset is a constant of the driver, so one that is not aligned or
/// lies outside the block is a defect of the driver: reads of it give all ones, as a missing device does, and writes of it go nowhere.
#[derive(Debug)]
pub struct MappedRegisters {
    base: NonNull<u8>,
    length: usize,
    ledger: LedgerRef,
}

// SAFETY: device registers may be accessed from any thread and processor.
unsafe impl Send for MappedRegisters {}
// SAFETY: device registers may be accessed from any thread and processor.
unsafe impl Sync for MappedRegisters {}

impl MappedRegisters {
    /// Maps a memory resource of the device, by `MmMapIoSpaceEx`.
    pub fn map(range: MemoryRange, ledger: LedgerRef) -> Result<Self> {
        let length = usize::try_from(range.length).map_err(|_| NtStatus::INSUFFICIENT_RESOURCES)?;
        if length == 0 {
            return Err(NtStatus::DEVICE_CONFIGURATION_ERROR);
        }
        let start = LARGE_INTEGER {
            QuadPart: range.start.cast_signed(),
        };
        // SAFETY: the range was assigned to the device as memory, which is where a `MemoryRange` comes from.
        let base = unsafe { ntddk::MmMapIoSpaceEx(start, range.length, PAGE_READWRITE | PAGE_NOCACHE) };
        let base = NonNull::new(base.cast::<u8>()).ok_or(NtStatus::INSUFFICIENT_RESOURCES)?;
        ledger.get().take(LedgerKind::IoSpace, range.length);
        Ok(Self { base, length, ledger })
    }

    /// Bytes of the block.
    pub const fn len(&self) -> usize {
        self.length
    }

    /// There are no registers.
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    fn register<T>(&self, offset: u64) -> Option<*mut T> {
        let offset = in_block(offset, size_of::<T>(), self.length)?;
        Some(self.base.as_ptr().wrapping_add(offset).cast())
    }

    /// Reads the 32-bit register at `offset`.
    #[inline]
    pub fn read32(&self, offset: u64) -> u32 {
        match self.register::<u32>(offset) {
            // SAFETY: aligned and inside the mapping, which lives as long as `self`.
            Some(register) => unsafe { register.read_volatile() },
            None => u32::MAX,
        }
    }

    /// Reads the 64-bit register at `offset`.
    #[inline]
    pub fn read64(&self, offset: u64) -> u64 {
        match self.register::<u64>(offset) {
            // SAFETY: aligned and inside the mapping, which lives as long as `self`.
            Some(register) => unsafe { register.read_volatile() },
            None => u64::MAX,
        }
    }

    /// Writes the 32-bit register at `offset`.
    #[inline]
    pub fn write32(&self, offset: u64, value: u32) {
        if let Some(register) = self.register::<u32>(offset) {
            // SAFETY: aligned and inside the mapping, which lives as long as `self`.
            unsafe { register.write_volatile(value) };
        }
    }

    /// Writes the 64-bit register at `offset`.
    #[inline]
    pub fn write64(&self, offset: u64, value: u64) {
        if let Some(register) = self.register::<u64>(offset) {
            // SAFETY: aligned and inside the mapping, which lives as long as `self`.
            unsafe { register.write_volatile(value) };
        }
    }

    /// Writes the 32-bit doorbell register at `offset` after everything that was written to shared memory before.
    #[inline]
    pub fn ring32(&self, offset: u64, value: u32) {
        crate::fence();
        self.write32(offset, value);
    }
}

/// The offset, if a register of `width` bytes can lie there in a block of `length` bytes.
fn in_block(offset: u64, width: usize, length: usize) -> Option<usize> {
    let offset = usize::try_from(offset).ok()?;
    let end = offset.checked_add(width)?;
    (offset.is_multiple_of(width) && end <= length).then_some(offset)
}

impl Drop for MappedRegisters {
    fn drop(&mut self) {
        // SAFETY: mapped by `map` with this length, and unmapped once; no access can follow, as each borrows `self`.
        unsafe { ntddk::MmUnmapIoSpace(self.base.as_ptr().cast(), self.length as u64) };
        self.ledger.get().give_back(LedgerKind::IoSpace, self.length as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_are_aligned_and_inside_the_block() {
        assert_eq!(in_block(0xFFC, 4, 0x1000), Some(0xFFC));
        assert_eq!(in_block(0xFFC, 8, 0x1000), None);
        assert_eq!(in_block(0xFFE, 4, 0x1000), None);
        assert_eq!(in_block(0x1000, 4, 0x1000), None);
        assert_eq!(in_block(u64::MAX - 3, 4, 0x1000), None);
        assert_eq!(in_block(4, 8, 0x1000), None);
    }
}
