//! A program in a file.

use std::fs;
use std::path::Path;

use hawser::language::{self, Compiled, Position};
use miette::{LabeledSpan, NamedSource};

use crate::failure::Failure;

/// A program that compiled.
pub struct ProgramFile {
    /// The file as it was named.
    pub name: String,
    text: String,
    pub compiled: Compiled,
}

impl ProgramFile {
    /// Reads and compiles a file.
    pub fn load(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|cause| Failure::File {
            path: path.into(),
            cause,
        })?;
        let name = path.display().to_string();
        let compiled = language::compile(&name, &text)?;
        Ok(Self { name, text, compiled })
    }

    /// The text, for diagnostics.
    pub fn source(&self) -> NamedSource<String> {
        NamedSource::new(&self.name, self.text.clone())
    }

    /// The line of a step.
    pub fn line(&self, step: u32) -> Option<usize> {
        let span = self.compiled.steps.get(step as usize)?;
        Some(Position::of(&self.text, span.start).line)
    }

    /// A step, for diagnostics.
    pub fn label(&self, step: u32) -> Option<LabeledSpan> {
        let span = self.compiled.steps.get(step as usize)?;
        Some(LabeledSpan::new_primary_with_span(Some(format!("step {step}")), *span))
    }
}
