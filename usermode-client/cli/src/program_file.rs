//! A program in a file: a text of the language, an assembly, or the bytes themselves, by the extension of its name.

use std::fmt;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use hawser::language::{self, Compiled, Loader, Source, SourceId, Span, Text};
use hawser::{Program, assembly};
use hawser_core::{Limits, Refusal};
use miette::{LabeledSpan, NamedSource};

use crate::failure::{Failure, Refused};

/// Most bytes of a file that is a program, or part of one.
const LONGEST: u64 = 16 << 20;

/// How a program is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `.hws`, and every extension that is not one of the others.
    Language,
    /// `.hwa`.
    Assembly,
    /// `.hwp`: header and steps.
    Bytes,
}

impl Form {
    fn of(path: &Path) -> Self {
        let is = |form: &str| {
            path.extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case(form))
        };
        if is("hwa") {
            Self::Assembly
        } else if is("hwp") {
            Self::Bytes
        } else {
            Self::Language
        }
    }
}

/// A line of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// From 1.
    pub number: usize,
    /// The text that it is in.
    pub file: String,
    is_included: bool,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_included {
            true => write!(f, "line {} of {}", self.number, self.file),
            false => write!(f, "line {}", self.number),
        }
    }
}

/// A program that can be sent to a driver, which may refuse it.
pub struct ProgramFile {
    /// The file as it was named.
    pub name: String,
    /// How it is written.
    pub form: Form,
    /// The program; its arrays are known where the language declares them. The text of bytes is their disassembly.
    pub compiled: Compiled,
}

impl ProgramFile {
    /// Reads a file, and compiles it with those that it includes, or assembles it.
    pub fn load(path: &Path) -> Result<Self, Failure> {
        let (name, form) = (path.display().to_string(), Form::of(path));
        let compiled = match form {
            Form::Language => compile(path)?,
            Form::Assembly => {
                let text = read_text(path).map_err(|cause| unreadable(path, cause))?;
                assembly::assemble(&name, &text)?
            }
            Form::Bytes => {
                let bytes = read(path).map_err(|cause| unreadable(path, cause))?;
                let text = assembly::disassemble(&bytes).map_err(|cause| Failure::NotWhole {
                    path: path.into(),
                    cause,
                })?;
                let assembled = assembly::assemble(&format!("{name}, disassembled"), &text)?;
                Compiled {
                    program: Program::from_bytes(bytes),
                    ..assembled
                }
            }
        };
        Ok(Self { name, form, compiled })
    }

    /// The text that a step comes from, or that of the program, for diagnostics.
    pub fn source(&self, step: Option<u32>) -> NamedSource<String> {
        let span = step.and_then(|step| self.span(step));
        let source: &Source = self.compiled.sources.get(span.unwrap_or_default().source);
        source.code().clone()
    }

    /// Where a step comes from; bytes have no lines.
    pub fn line(&self, step: u32) -> Option<Line> {
        let span = self.span(step).filter(|_| self.form != Form::Bytes)?;
        let sources = &self.compiled.sources;
        Some(Line {
            number: sources.line(span),
            file: sources.get(span.source).name().to_owned(),
            is_included: span.source != SourceId::default(),
        })
    }

    /// A step, for diagnostics.
    pub fn label(&self, step: u32) -> Option<LabeledSpan> {
        let span = self.span(step)?;
        Some(LabeledSpan::new_primary_with_span(Some(format!("step {step}")), span))
    }

    /// Refuses, as every driver would, a program for which no data buffer can be made.
    pub fn check_data_size(&self) -> Result<(), Failure> {
        let program = &self.compiled.program;
        let most = hawser_abi::program::MAX_DATA;
        match program.data_size() {
            size if (1..=most).contains(&size) => Ok(()),
            _ => program
                .check(&Limits::default())
                .map_err(|refusal| self.refused(refusal)),
        }
    }

    /// The failure of a program that a driver would refuse.
    pub fn refused(&self, refusal: Refusal) -> Failure {
        let label = refusal.step.and_then(|step| self.label(step));
        let place = label.map(|label| (self.source(refusal.step), label));
        Failure::Plan(Box::new(Refused { refusal, place }))
    }

    fn span(&self, step: u32) -> Option<Span> {
        self.compiled.steps.get(step as usize).copied()
    }
}

fn unreadable(path: &Path, cause: io::Error) -> Failure {
    Failure::File {
        path: path.into(),
        cause,
    }
}

fn compile(path: &Path) -> Result<Compiled, Failure> {
    let main = text(path).map_err(|cause| unreadable(path, cause))?;
    Ok(language::compile_with(main, &mut Files)?)
}

/// Files that programs include.
struct Files;

impl Loader for Files {
    fn load(&mut self, includer: &str, path: &str) -> Result<Text, String> {
        let path = beside(includer, path);
        // What is no file, like a device or a pipe, may have no end.
        match fs::metadata(&path) {
            Ok(found) if !found.is_file() => Err("it is no file".into()),
            _ => text(&path).map_err(|cause| cause.to_string()),
        }
    }

    fn identity(&mut self, includer: &str, path: &str) -> Option<String> {
        Some(identity(&beside(includer, path)))
    }
}

/// What tells a file from others, whatever it is called.
fn identity(path: &Path) -> String {
    let whole = fs::canonicalize(path).unwrap_or_else(|_| path.into());
    whole.display().to_string()
}

/// The path of a file that the text called `includer` names.
pub fn beside(includer: &str, path: &str) -> PathBuf {
    let directory = Path::new(includer).parent().unwrap_or(Path::new(""));
    directory.join(path)
}

/// The bytes of a program's file, if they are not more than any program has.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        let message = format!("it is longer than {}", crate::text::bytes(LONGEST));
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// The same as a text.
pub fn read_text(path: &Path) -> io::Result<String> {
    let not_text = |_| io::Error::new(io::ErrorKind::InvalidData, "it is not a text in UTF-8");
    String::from_utf8(read(path)?).map_err(not_text)
}

fn text(path: &Path) -> io::Result<Text> {
    Ok(Text {
        name: path.display().to_string(),
        identity: identity(path),
        text: read_text(path)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_the_same_in_capitals() {
        for (name, form) in [
            ("p.hwa", Form::Assembly),
            ("P.HWA", Form::Assembly),
            ("P.Hwp", Form::Bytes),
            ("P.HWS", Form::Language),
            ("hwa", Form::Language),
        ] {
            assert_eq!(Form::of(Path::new(name)), form, "{name}");
        }
    }

    #[test]
    fn files_are_looked_for_beside_the_text_that_names_them() {
        assert_eq!(beside("a/b.hws", "c.hws"), Path::new("a/c.hws"));
        assert_eq!(beside("b.hws", "d/c.hws"), Path::new("d/c.hws"));
        assert_eq!(beside("a/b.hws", "/c.hws"), Path::new("/c.hws"));
    }
}
