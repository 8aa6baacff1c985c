//! The kernel: objects, I/O, PnP, power, locks, waits and interrupts, as functions that drivers and frameworks import by name.

pub mod io;
pub mod ke;
pub mod pnp;
pub mod registry;
pub mod rtl;
