//! Functions that compilers call without being asked, and that the kernel exports for that.
//!
//! A call of one of these is no event and no scheduling point: whether a compiler makes it, or copies in place, is not the driver's doing.

use core::ffi::{c_int, c_void};

/// The address of a function, by name.
pub(super) fn find(name: &str) -> Option<usize> {
    let address: *const c_void = match name {
        "__chkstk" => __chkstk as *const c_void,
        "memcmp" => memcmp as *const c_void,
        "memcpy" => memmove as *const c_void,
        "memmove" => memmove as *const c_void,
        "memset" => memset as *const c_void,
        _ => return None,
    };
    Some(address.expose_provenance())
}

/// Touches the pages of a large frame, so that a guard page cannot be jumped over. The caller passes the size in RAX and expects every register as it was. Kernel stacks here are there as a
/// whole, and end in memory without access; a frame larger than the stack that is left faults at its first use there.
#[unsafe(naked)]
unsafe extern "win64" fn __chkstk() {
    core::arch::naked_asm!("ret")
}

/// # Safety
/// As the C function.
unsafe extern "win64" fn memmove(to: *mut c_void, from: *const c_void, length: usize) -> *mut c_void {
    // SAFETY: passed on from the caller.
    unsafe { core::ptr::copy(from.cast::<u8>(), to.cast::<u8>(), length) };
    to
}

/// # Safety
/// As the C function.
unsafe extern "win64" fn memset(to: *mut c_void, value: c_int, length: usize) -> *mut c_void {
    // SAFETY: passed on from the caller. C converts the value to a byte.
    unsafe { core::ptr::write_bytes(to.cast::<u8>(), value as u8, length) };
    to
}

/// # Safety
/// As the C function.
unsafe extern "win64" fn memcmp(one: *const c_void, other: *const c_void, length: usize) -> c_int {
    // SAFETY: passed on from the caller.
    unsafe { libc::memcmp(one, other, length) }
}
