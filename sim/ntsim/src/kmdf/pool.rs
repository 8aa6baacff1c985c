//! The framework's pool memory: non-paged, zeroed, under the driver's tag.

use core::ffi::c_void;
use wdk_sys::{POOL_FLAG_NON_PAGED, ntddk};

/// The tag of the framework's blocks.
pub(crate) const TAG: u32 = u32::from_le_bytes(*b"FxDr");

/// Allocates; null when there is no memory.
pub(crate) fn allocate(bytes: usize) -> *mut c_void {
    let bytes = u64::try_from(bytes).expect("64-bit host");
    // SAFETY: IRQL <= DISPATCH_LEVEL, as every framework function that allocates demands.
    unsafe { ntddk::ExAllocatePool2(POOL_FLAG_NON_PAGED, bytes, TAG) }
}

/// Frees what [`allocate`] gave.
pub(crate) fn free(block: *mut c_void) {
    // SAFETY: a block of `allocate`; the caller gives it up.
    unsafe { ntddk::ExFreePoolWithTag(block, TAG) };
}
