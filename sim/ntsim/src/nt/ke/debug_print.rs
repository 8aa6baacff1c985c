//! Messages of drivers for a kernel debugger: they become remarks in the trace.

use super::debug_format::{self, Arguments};
use crate::trace;
use core::ffi::c_char;
use wdk_sys::{NTSTATUS, PCSTR, STATUS_SUCCESS, ULONG, standin::VARIABLE_ARGUMENTS};

/// The longest message, in bytes.
const LONGEST: usize = 512;

fn print(format: PCSTR, arguments: [usize; VARIABLE_ARGUMENTS]) -> NTSTATUS {
    // SAFETY: the driver passes a zero-terminated format.
    let format = unsafe { text(format) };
    // SAFETY: the driver passes what its format names.
    let mut message = unsafe { debug_format::format(&format, Arguments::new(&arguments)) };
    message.truncate(message.floor_char_boundary(LONGEST));
    trace::note(format!("debug: {}", message.trim_end()));
    STATUS_SUCCESS
}

/// A zero-terminated text, or as much of it as a message can hold.
///
/// # Safety
/// The text is readable up to its zero.
pub(super) unsafe fn text(start: *const c_char) -> Vec<u8> {
    let unit = |at: usize| {
        // SAFETY: no unit before this one was zero, so the text does not end before it.
        let unit = unsafe { start.wrapping_add(at).read() };
        unit.cast_unsigned()
    };
    (0..LONGEST).map(unit).take_while(|unit| *unit != 0).collect()
}

crate::nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe", unchecked;

    /// Shows a message in a debugger.
    #[irql(any)]
    fn DbgPrint(format: PCSTR, v0: usize, v1: usize, v2: usize, v3: usize, v4: usize, v5: usize, v6: usize, v7: usize) -> ULONG {
        print(format, [v0, v1, v2, v3, v4, v5, v6, v7]).cast_unsigned()
    }

    /// Shows a message of a component in a debugger. Every component and level is shown.
    #[irql(any)]
    fn DbgPrintEx(
        _component: ULONG, _level: ULONG, format: PCSTR,
        v0: usize, v1: usize, v2: usize, v3: usize, v4: usize, v5: usize, v6: usize, v7: usize,
    ) -> ULONG {
        print(format, [v0, v1, v2, v3, v4, v5, v6, v7]).cast_unsigned()
    }
}
