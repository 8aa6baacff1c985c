//! Symbols that the compiler refers to and that only the C runtime would define; a kernel image has none.
#![allow(missing_docs, reason = "the compiler gives them their meaning")]
#![allow(
    non_snake_case,
    non_upper_case_globals,
    reason = "the compiler gives them their names"
)]

/// Its presence says that floating point is used.
#[unsafe(no_mangle)]
pub static _fltused: i32 = 0;

/// The unwinder's entry into a frame; nothing unwinds where a panic aborts.
#[cfg(panic = "abort")]
#[unsafe(no_mangle)]
pub extern "C" fn __CxxFrameHandler3() -> i32 {
    0
}

#[link(name = "ntoskrnl.exe", kind = "raw-dylib", modifiers = "+verbatim")]
unsafe extern "C" {
    /// Touches the pages of a large stack frame; the compiler calls it.
    #[allow(dead_code, reason = "compiled code refers to it, no source does")]
    fn __chkstk();
}
