//! A panic stops the machine, as it does in the image that the WDK builds.

use core::panic::{Location, PanicInfo};

/// The bug check code of `wdk-panic`: "RPNC", a Rust panic.
const RUST_PANIC: u32 = u32::from_be_bytes(*b"RPNC");

/// Stops the machine. The parameters are address and length of the source file's name, line and column.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    kmdf::bug_check(RUST_PANIC, info.location().map_or([0; 4], parameters))
}

fn parameters(location: &Location<'_>) -> [usize; 4] {
    let file = location.file();
    [
        file.as_ptr().addr(),
        file.len(),
        location.line() as usize,
        location.column() as usize,
    ]
}
