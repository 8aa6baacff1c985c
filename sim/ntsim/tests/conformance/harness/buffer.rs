//! Buffers in non-paged pool, with their MDLs. They are not freed: the machine is thrown away after the scenario.

use wdk_sys::*;

const TAG: ULONG = u32::from_le_bytes(*b"draH");

/// Memory that begins on a page.
pub fn pages(length: usize) -> PVOID {
    let bytes = length.next_multiple_of(PAGE_SIZE as usize).max(PAGE_SIZE as usize);
    // SAFETY: at most DISPATCH_LEVEL here.
    let memory = unsafe { ntddk::ExAllocatePool2(POOL_FLAG_NON_PAGED, bytes as SIZE_T, TAG) };
    assert!(!memory.is_null(), "the simulated pool has memory");
    memory
}

/// An MDL of a buffer that begins at this offset of a page.
pub fn mdl(byte_offset: usize, length: usize) -> PMDL {
    let memory = pages(byte_offset + length).wrapping_byte_add(byte_offset);
    mdl_of(memory, length)
}

/// An MDL of non-paged memory.
pub fn mdl_of(memory: PVOID, length: usize) -> PMDL {
    let length = ULONG::try_from(length).expect("a small buffer");
    // SAFETY: a range of pool that stays.
    let mdl = unsafe { ntddk::IoAllocateMdl(memory, length, 0, 0, core::ptr::null_mut()) };
    assert!(!mdl.is_null(), "the simulated pool has memory");
    // SAFETY: describes non-paged pool.
    unsafe { ntddk::MmBuildMdlForNonPagedPool(mdl) };
    mdl
}

/// `MmGetMdlVirtualAddress`.
pub fn address(mdl: PMDL) -> PVOID {
    // SAFETY: an MDL of a buffer that stays.
    let mdl = unsafe { mdl.read() };
    mdl.StartVa.wrapping_byte_add(mdl.ByteOffset as usize)
}

/// `MmGetMdlByteCount`.
pub fn length(mdl: PMDL) -> usize {
    // SAFETY: an MDL of a buffer that stays.
    unsafe { (*mdl).ByteCount as usize }
}
