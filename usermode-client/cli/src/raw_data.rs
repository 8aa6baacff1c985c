//! The data buffer of a program whose arrays have no names: all of it comes from one file and goes to one file.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::args::RunArgs;
use crate::array_file::{self, ArrayFileError};
use crate::bindings::BindingError;
use crate::npy::NpyError;
use crate::program_file::{Form, ProgramFile};
use crate::text::bytes as bytes_of;

/// Bytes that are shown.
const SHOWN: usize = 16;

/// The files of a data buffer.
pub struct RawData {
    /// The content before the run, and its file.
    pub initial: Option<(PathBuf, Vec<u8>)>,
    /// The file that it is written to after the run.
    pub destination: Option<PathBuf>,
}

/// The data buffer of a program without arrays, as it is told.
#[derive(Clone, Debug, Serialize)]
pub struct RawDataReport {
    pub file: Option<String>,
    pub written_to: Option<String>,
    /// The first bytes after the run.
    pub head: Vec<u8>,
    /// Bytes of the buffer.
    #[serde(skip)]
    pub length: u64,
}

impl RawData {
    /// Reads what the options name.
    pub fn open(args: &RunArgs, program: &ProgramFile) -> Result<Self, BindingError> {
        if let Some(option) = option(args)
            && program.form == Form::Language
        {
            return Err(BindingError::HasArrays { option });
        }
        let initial = args.data.as_deref().map(|path| read(path, program)).transpose()?;
        if let Some(path) = &args.data_out {
            array_file::destination(path).map_err(|cause| BindingError::Data { cause: cause.into() })?;
        }
        Ok(Self {
            initial,
            destination: args.data_out.clone(),
        })
    }

    /// What is told of a program, before it has run; nothing where it has arrays.
    pub fn report(&self, program: &ProgramFile) -> Option<RawDataReport> {
        (program.form != Form::Language).then(|| RawDataReport {
            file: self.initial.as_ref().map(|(path, _)| path.display().to_string()),
            written_to: None,
            head: Vec::new(),
            length: program.compiled.program.data_size(),
        })
    }

    /// Writes the content after the run to its file, and adds it to what is told.
    pub fn finish(&self, data: &[u8], report: &mut RawDataReport) -> Result<(), ArrayFileError> {
        report.head = data.iter().copied().take(SHOWN).collect();
        if let Some(path) = &self.destination {
            fs::write(path, data).map_err(|cause| NpyError::Write {
                path: path.clone(),
                cause,
            })?;
            report.written_to = Some(path.display().to_string());
        }
        Ok(())
    }
}

fn option(args: &RunArgs) -> Option<&'static str> {
    match (&args.data, &args.data_out) {
        (Some(_), _) => Some("--data"),
        (None, Some(_)) => Some("--data-out"),
        (None, None) => None,
    }
}

/// A file that has exactly the bytes of the data buffer.
fn read(path: &Path, program: &ProgramFile) -> Result<(PathBuf, Vec<u8>), BindingError> {
    let unreadable = |cause| {
        let path = path.into();
        let cause = ArrayFileError::from(NpyError::Read { path, cause });
        BindingError::Data { cause: cause.into() }
    };
    let expected = program.compiled.program.data_size();
    let file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let mut content = Vec::new();
    // One byte more tells a file that is too long, without reading all of it.
    file.take(expected.saturating_add(1))
        .read_to_end(&mut content)
        .map_err(unreadable)?;
    let found = content.len() as u64;
    if found != expected {
        return Err(BindingError::WrongLength {
            path: path.into(),
            found: bytes_of(found.max(length)),
            expected: bytes_of(expected),
        });
    }
    Ok((path.into(), content))
}
