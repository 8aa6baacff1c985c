//! Exit statuses.

use std::process::ExitCode;

/// How the command ended. `docs/language.md` lists the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Everything is well.
    Success = 0,
    /// The device computed something else than the reference interpreter.
    Mismatch = 1,
    /// Arguments, program or files are not usable.
    Usage = 2,
    /// There is no device, or it did not run the program.
    Device = 3,
    /// The simulated machine stopped, or something was left when it was shut down.
    Machine = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
