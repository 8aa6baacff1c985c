//! The order of accesses to memory that a device shares, and to its registers.

use core::sync::atomic::{Ordering, fence as cpu_fence};

/// Everything the processor wrote or read before is seen by a device before anything it writes or reads afterwards.
///
/// Stands between the writes of a queue entry and the write of its doorbell. x86-64: `mfence`. ARM64: `dsb sy`, since the barriers of the language reach the
/// inner shareable domain only and a device may lie outside of it.
#[inline]
pub fn fence() {
    cpu_fence(Ordering::SeqCst);
    #[cfg(target_arch = "aarch64")]
    // SAFETY: a barrier changes neither memory nor registers.
    unsafe {
        core::arch::asm!("dsb sy", options(nostack, preserves_flags));
    }
}

/// What is read afterwards is not older than what was read before: stands between a phase bit and the entry that it vouches for.
#[inline]
pub fn read_fence() {
    cpu_fence(Ordering::Acquire);
    #[cfg(target_arch = "aarch64")]
    // SAFETY: a barrier changes neither memory nor registers.
    unsafe {
        core::arch::asm!("dmb oshld", options(nostack, preserves_flags));
    }
}
