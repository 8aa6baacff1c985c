//! From the raw entry of a submission ring to a command that may be run.

use hawser_abi::queue::{COMMAND_RUN, SubmissionEntry};

use crate::cost::Cycles;
use crate::descriptor::Loader;
use crate::fault::CommandFault;
use crate::program::Program;

/// A command on its way through the device.
pub(crate) struct Job {
    pub(crate) tag: u16,
    pub(crate) generation: u32,
    pub(crate) cycles: Cycles,
    pub(crate) stage: Stage,
}

/// How far a command is.
pub(crate) enum Stage {
    /// Its descriptor is being read.
    Loading(Box<Loader>),
    /// Its steps are being run.
    Running(Box<Program>),
    /// It waits for its completion to be posted.
    Ended(Result<(), CommandFault>),
}

impl Job {
    pub(crate) fn new(entry: &SubmissionEntry) -> Self {
        Self {
            tag: entry.tag,
            generation: entry.generation,
            cycles: Cycles::of_command(),
            stage: match loader(entry) {
                Ok(loader) => Stage::Loading(Box::new(loader)),
                Err(fault) => Stage::Ended(Err(fault)),
            },
        }
    }

    pub(crate) fn end(&mut self, outcome: Result<(), CommandFault>) {
        self.stage = Stage::Ended(outcome);
    }

    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.stage, Stage::Ended(_))
    }
}

fn loader(entry: &SubmissionEntry) -> Result<Loader, CommandFault> {
    let clean = entry.reserved0 == 0 && entry.reserved1.iter().all(|byte| *byte == 0);
    if entry.command != COMMAND_RUN || !clean {
        return Err(CommandFault::BAD_DESCRIPTOR);
    }
    Loader::new(entry.descriptor, entry.descriptor_length)
}
