//! The seam at which a device that misbehaves differs from one that works.

use hawser_abi::queue::CompletionEntry;

/// Decisions of the device that a faulty one takes differently. Every method defaults to what a working device does.
pub trait Behaviour {
    /// Whether the queue fetches its next command now. A device that never does hangs.
    fn fetches(&mut self, queue: u16) -> bool {
        let _ = queue;
        true
    }

    /// The entry that is posted for a command that ended, without its phase; `None` loses the completion.
    fn completion(&mut self, queue: u16, entry: CompletionEntry) -> Option<CompletionEntry> {
        let _ = queue;
        Some(entry)
    }

    /// Whether the interrupt cause (bit number in `INT_STATUS`) is raised.
    fn raises(&mut self, cause: u16) -> bool {
        let _ = cause;
        true
    }
}

/// A device that works.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faultless;

impl Behaviour for Faultless {}
