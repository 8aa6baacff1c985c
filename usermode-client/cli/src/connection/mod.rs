//! The device that a command works with: the real one on Windows, one in a simulated machine elsewhere.

#[cfg(not(windows))]
mod simulated;
#[cfg(windows)]
mod windows;

#[cfg(not(windows))]
pub use simulated::{Connection, pause};
#[cfg(windows)]
pub use windows::{Connection, pause};

use serde::Serialize;

/// What a command needs the device for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Information and statistics.
    Queries,
    /// Programs too.
    Programs,
}

/// What ran a command, as JSON.
#[derive(Clone, Debug, Serialize)]
pub struct Place {
    /// `device` or `simulated`.
    pub kind: &'static str,
    /// Memory model of a simulated machine.
    pub memory: Option<&'static str>,
    /// Seed of its schedule, if it has one.
    pub seed: Option<u64>,
}

/// The end of a simulated machine that had nothing left, as JSON.
#[derive(Clone, Debug, Serialize)]
pub struct Shutdown {
    /// What the machine says about itself.
    pub report: String,
}
