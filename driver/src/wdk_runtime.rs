//! What a kernel image needs beside the driver where it is built with the crates of the WDK: a panic handler and an allocator.
//!
//! The panic handler stops the machine with bug check `RPNC` and the place of the panic. The driver itself does not allocate through Rust's allocator.

use wdk_panic as _;

#[global_allocator]
static ALLOCATOR: wdk_alloc::WdkAllocator = wdk_alloc::WdkAllocator;
