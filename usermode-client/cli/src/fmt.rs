//! `hawser fmt`: gives programs their canonical layout.

use std::path::Path;

use hawser::language;

use crate::args::{FmtArgs, Output};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output_file::write;
use crate::program_file::read_text;
use crate::say::say;

/// What happens to a file whose layout is not canonical.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// It is written.
    Write,
    /// It is named.
    Check,
}

/// Formats programs, or checks that they are.
pub fn fmt(args: &FmtArgs) -> Result<Exit, Failure> {
    let mode = if args.check { Mode::Check } else { Mode::Write };
    let mut exit = Exit::Success;
    for file in &args.files {
        // A file that cannot be formatted does not keep the others from being so.
        exit = exit.max(format(file, mode).unwrap_or_else(|failure| failure.report(Output::Text)));
    }
    Ok(exit)
}

fn format(path: &Path, mode: Mode) -> Result<Exit, Failure> {
    let name = path.display();
    let text = read_text(path).map_err(|cause| Failure::File {
        path: path.into(),
        cause,
    })?;
    let formatted = language::format(&name.to_string(), &text)?;
    if formatted == text {
        return Ok(Exit::Success);
    }
    match mode {
        Mode::Check => {
            say!("{name} is not in canonical layout");
            Ok(Exit::Mismatch)
        }
        Mode::Write => {
            write(path, formatted.as_bytes())?;
            say!("formatted {name}");
            Ok(Exit::Success)
        }
    }
}
