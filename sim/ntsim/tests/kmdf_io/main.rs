//! The framework's I/O path as drivers see it: queues, requests, DMA. Each of its rules is broken once; races are run in many orders.
#![allow(unsafe_code, reason = "framework functions are unsafe")]
#![allow(clippy::result_large_err, reason = "a crash explains itself at length")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    missing_docs,
    reason = "driver code that breaks the contracts on purpose; the contracts are what is tested"
)]

mod dma;
mod io;
mod orders;
mod queues;
mod requests;
#[path = "../kmdf/support.rs"]
#[allow(dead_code, reason = "shared with the tests of the rest of the framework")]
mod support;
