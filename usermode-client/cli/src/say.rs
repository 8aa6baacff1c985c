//! Lines of output.
//!
//! A reader that has gone, like the `head` of a pipe, is no reason to stop: what was begun is ended in order, and the exit status tells
//! the rest. Output that is lost in another way, like that to a full disk, is told at the end.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;

/// Why the first line was lost that a reader may still wait for.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Writes a line to standard output.
macro_rules! say {
    ($($argument:tt)*) => { $crate::say::line(format_args!($($argument)*)) };
}
pub(crate) use say;

/// Writes a line to standard output.
pub fn line(text: Arguments<'_>) {
    note(writeln!(io::stdout().lock(), "{text}"));
}

fn note(written: io::Result<()>) {
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        // Only the first is told.
        let _later = LOST.set(error);
    }
}

/// Ends the output; says why some of it has been lost, if a reader may still wait for it.
pub fn lost() -> Option<&'static io::Error> {
    note(io::stdout().lock().flush());
    LOST.get()
}

/// Writes a diagnostic to standard error.
pub fn diagnostic(report: &miette::Report) {
    let _gone = writeln!(io::stderr().lock(), "{report:?}");
}
