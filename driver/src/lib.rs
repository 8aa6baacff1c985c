//! The policy of the Hawser driver: one file for each stage of a request's life.
//!
//! | stage | file | where it runs |
//! |---|---|---|
//! | a device control request arrives | `ioctl` | PASSIVE |
//! | the program is checked and planned, space is carved, the steps are written there | `submit`, `carve` | PASSIVE |
//! | ...or waits for a slot or for space | `waiting` | |
//! | what must be copied is copied | `copy_in` | PASSIVE |
//! | the rest is mapped, part by part | `map`, `stage` | up to DISPATCH |
//! | descriptor, ring entry, doorbell | `start`, `rings` | up to DISPATCH |
//! | interrupt | `isr` | DIRQL |
//! | completions are read and checked | `drain` | DISPATCH |
//! | mappings are released | `let_go` | up to DISPATCH |
//! | copies go out, or stale memory is cleared | `settle` | DISPATCH if little, else PASSIVE |
//! | record, space, completion | `finish` | up to DISPATCH |
//!
//! Beside the path: `device` (all parts), `hardware` (resources), `controller` and `stop` (the device's state), `teardown` (the one way to take commands back),
//! `watchdog` (deadlines), `job`, `slots` and `handshake` (who owns what), `info`, `stats`, `results`, `params`.
//!
//! Locks, in the order in which they are taken: control, waiting, workbench (may sleep); map stage, queue, slots; all others one at a time, those of arena, device-local memory and lists under the
//! workbench too.
#![no_std]
#![deny(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

mod carve;
mod controller;
mod copy_in;
mod device;
mod drain;
mod entry;
mod finish;
mod handshake;
mod hardware;
mod info;
mod ioctl;
mod isr;
mod job;
mod let_go;
mod map;
mod params;
mod results;
mod rings;
mod settle;
mod slots;
mod stage;
mod start;
mod stats;
mod stop;
mod submit;
mod tags;
mod teardown;
mod waiting;
mod watchdog;
#[cfg(all(windows, not(wdk_standin), not(test)))]
mod wdk_runtime;

pub use entry::driver_entry;
pub use params::{SETTINGS, Setting};
