//! The end of everything: a bug check.

/// Stops the machine with a code and four parameters, which a crash dump shows.
pub fn bug_check(code: u32, parameters: [usize; 4]) -> ! {
    let [first, second, third, fourth] = parameters.map(|parameter| parameter as u64);
    // SAFETY: allowed at any IRQL, with any code and parameters; it does not return.
    unsafe { wdk_sys::ntddk::KeBugCheckEx(code, first, second, third, fourth) }
}
