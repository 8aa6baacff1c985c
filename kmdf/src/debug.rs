//! Messages for a kernel debugger.

use core::ffi::CStr;

/// Shows a message in an attached kernel debugger. Callable at any IRQL.
pub fn message(text: &CStr) {
    const DPFLTR_IHVDRIVER_ID: u32 = 77;
    const DPFLTR_ERROR_LEVEL: u32 = 0;
    // SAFETY: the format takes one C string, and is given one.
    unsafe {
        wdk_sys::ntddk::DbgPrintEx(
            DPFLTR_IHVDRIVER_ID,
            DPFLTR_ERROR_LEVEL,
            c"%s\n".as_ptr().cast(),
            text.as_ptr(),
        );
    }
}
