//! A program in a file: a text of the language, an assembly, or the bytes themselves, by the extension of its name.

use std::fs;
use std::path::{Path, PathBuf};

use hawser::language::{self, Compiled, Source, Span, Text};
use hawser::{Program, assembly};
use hawser_core::{Limits, Refusal};
use miette::{LabeledSpan, NamedSource};

use crate::failure::Failure;

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
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("hwa") => Self::Assembly,
            Some("hwp") => Self::Bytes,
            _ => Self::Language,
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
                let text = read(path.into()).map_err(|cause| unreadable(path, cause))?.text;
                assembly::assemble(&name, &text)?
            }
            Form::Bytes => {
                let bytes = fs::read(path).map_err(|cause| unreadable(path, cause))?;
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

    /// The line of a step, in the text that it comes from; bytes have no lines.
    pub fn line(&self, step: u32) -> Option<usize> {
        let span = self.span(step).filter(|_| self.form != Form::Bytes)?;
        Some(self.compiled.sources.line(span))
    }

    /// A step, for diagnostics.
    pub fn label(&self, step: u32) -> Option<LabeledSpan> {
        let span = self.span(step)?;
        Some(LabeledSpan::new_primary_with_span(Some(format!("step {step}")), span))
    }

    /// Refuses, as every driver would, a program for which no data buffer can be made.
    pub fn check_data_size(&self) -> Result<(), Refusal> {
        let program = &self.compiled.program;
        let most = hawser_abi::program::MAX_DATA;
        match program.data_size() {
            size if (1..=most).contains(&size) => Ok(()),
            _ => program.check(&Limits::default()),
        }
    }

    fn span(&self, step: u32) -> Option<Span> {
        self.compiled.steps.get(step as usize).copied()
    }
}

fn unreadable(path: &Path, cause: std::io::Error) -> Failure {
    Failure::File {
        path: path.into(),
        cause,
    }
}

fn compile(path: &Path) -> Result<Compiled, Failure> {
    let main = read(path.into()).map_err(|cause| unreadable(path, cause))?;
    let mut included = |includer: &str, path: &str| {
        let path = beside(includer, path);
        read(path).map_err(|cause| cause.to_string())
    };
    Ok(language::compile_with(main, &mut included)?)
}

/// The path of a file that the text called `includer` names.
pub fn beside(includer: &str, path: &str) -> PathBuf {
    let directory = Path::new(includer).parent().unwrap_or(Path::new(""));
    directory.join(path)
}

fn read(path: PathBuf) -> std::io::Result<Text> {
    let text = fs::read_to_string(&path)?;
    let identity = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
    Ok(Text {
        name: path.display().to_string(),
        identity: identity.display().to_string(),
        text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_looked_for_beside_the_text_that_names_them() {
        assert_eq!(beside("a/b.hws", "c.hws"), Path::new("a/c.hws"));
        assert_eq!(beside("b.hws", "d/c.hws"), Path::new("d/c.hws"));
        assert_eq!(beside("a/b.hws", "/c.hws"), Path::new("/c.hws"));
    }
}
