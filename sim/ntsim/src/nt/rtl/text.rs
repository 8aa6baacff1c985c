//! Text in and out of counted strings, for the kernel's own use.

use crate::mem;
use wdk_sys::UNICODE_STRING;

/// The units of a counted string; a null pointer is an empty one.
pub(crate) fn units(string: *const UNICODE_STRING) -> Vec<u16> {
    if string.is_null() {
        return Vec::new();
    }
    // SAFETY: not null; a caller of the kernel passes strings that can be read.
    let string = unsafe { string.read() };
    // SAFETY: the string says that it has these units.
    (0..usize::from(string.Length / 2))
        .map(|at| unsafe { string.Buffer.wrapping_add(at).read() })
        .collect()
}

/// The text of a counted string.
pub(crate) fn read(string: *const UNICODE_STRING) -> String {
    String::from_utf16_lossy(&units(string))
}

/// A counted string of its own, in pool memory; a zero follows it.
pub(crate) fn allocate(text: &str) -> UNICODE_STRING {
    let units: Vec<u16> = text.encode_utf16().chain([0]).collect();
    let buffer = mem::kernel_allocate(2 * units.len(), *b"Text").cast::<u16>();
    // SAFETY: freshly allocated for these units.
    unsafe { buffer.copy_from_nonoverlapping(units.as_ptr(), units.len()) };
    let bytes = u16::try_from(2 * units.len()).expect("names in the simulator are short");
    UNICODE_STRING {
        Length: bytes - 2,
        MaximumLength: bytes,
        Buffer: buffer,
    }
}

/// Frees what [`allocate`] gave.
pub(crate) fn free(string: UNICODE_STRING) {
    if !string.Buffer.is_null() {
        mem::kernel_free(string.Buffer.cast());
    }
}
