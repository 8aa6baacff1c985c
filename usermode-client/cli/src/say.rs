//! Lines of output.
//!
//! A reader that has gone, like the `head` of a pipe, is no reason to stop: what was begun is ended in order, and the exit status tells
//! the rest.

use std::fmt::Arguments;
use std::io::{self, Write};

/// Writes a line to standard output.
macro_rules! say {
    ($($argument:tt)*) => { $crate::say::line(format_args!($($argument)*)) };
}
pub(crate) use say;

/// Writes a line to standard output.
pub fn line(text: Arguments<'_>) {
    let _gone = writeln!(io::stdout().lock(), "{text}");
}

/// Writes a diagnostic to standard error.
pub fn diagnostic(report: &miette::Report) {
    let _gone = writeln!(io::stderr().lock(), "{report:?}");
}
