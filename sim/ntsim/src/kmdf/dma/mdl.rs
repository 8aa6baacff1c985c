//! What the framework reads from MDLs.

use super::chain::Span;
use core::ops::Range;
use wdk_sys::{PMDL, PVOID};

/// `MmGetMdlVirtualAddress`.
pub(crate) fn virtual_address(mdl: PMDL) -> PVOID {
    // SAFETY: the caller has a valid MDL.
    let start = unsafe { (*mdl).StartVa };
    // SAFETY: as above.
    let offset = unsafe { (*mdl).ByteOffset };
    start.wrapping_byte_add(offset as usize)
}

/// `MmGetMdlByteCount`.
pub(crate) fn byte_count(mdl: PMDL) -> u32 {
    // SAFETY: the caller has a valid MDL.
    unsafe { (*mdl).ByteCount }
}

/// The MDLs of a chain, first one first, as many as it takes for `bytes` from `offset`.
pub(crate) fn chain(first: PMDL, offset: u64, bytes: u64) -> Vec<PMDL> {
    let mut mdls = Vec::new();
    let mut at = first;
    let mut covered = 0;
    while !at.is_null() && covered < offset + bytes {
        mdls.push(at);
        covered += u64::from(byte_count(at));
        // SAFETY: not null, and part of the driver's chain.
        at = unsafe { (*at).Next };
    }
    mdls
}

/// The span of an MDL.
pub(crate) fn span(mdl: PMDL) -> Span {
    // SAFETY: the caller has a valid MDL.
    let offset = unsafe { (*mdl).ByteOffset };
    Span {
        page_offset: u64::from(offset),
        length: u64::from(byte_count(mdl)),
    }
}

/// The addresses that an MDL stands for.
pub(crate) fn addresses(mdl: PMDL) -> Range<usize> {
    let start = virtual_address(mdl).addr();
    start..start.saturating_add(byte_count(mdl) as usize)
}
