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
    /// The form of the driver that serves it.
    pub driver: DriverForm,
    /// Memory model of a simulated machine.
    pub memory: Option<&'static str>,
    /// Seed of its schedule, if it has one.
    pub seed: Option<u64>,
}

/// The form of the driver.
#[derive(Clone, Debug, Serialize)]
pub struct DriverForm {
    /// `device` on Windows; in a simulated machine `host`, compiled into the command, or `image`.
    pub form: &'static str,
    /// The file of an image.
    pub file: Option<String>,
}

impl std::fmt::Display for DriverForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.file, self.form) {
            (Some(file), _) => write!(f, "image {file}"),
            (None, "host") => f.write_str("compiled into this command"),
            (None, _) => f.write_str("installed on this system"),
        }
    }
}

/// The end of a simulated machine that had nothing left, as JSON.
#[derive(Clone, Debug, Serialize)]
pub struct Shutdown {
    /// What the machine says about itself.
    pub report: String,
}
