//! The framework as drivers see it: objects, PnP and power, locks, interrupts, timers. Each of its rules is broken once.
#![allow(unsafe_code, reason = "framework functions are unsafe")]
#![allow(clippy::result_large_err, reason = "a crash explains itself at length")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    missing_docs,
    reason = "driver code that breaks the contracts on purpose; the contracts are what is tested"
)]

mod binding;
mod files;
mod interrupts;
mod locks;
mod objects;
mod pnp;
mod races;
mod smaller;
mod support;
mod tree;
