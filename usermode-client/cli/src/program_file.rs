//! A program in a file.

use std::fs;
use std::path::{Path, PathBuf};

use hawser::language::{self, Compiled, Source, Span, Text};
use miette::{LabeledSpan, NamedSource};

use crate::failure::Failure;

/// A program that compiled.
pub struct ProgramFile {
    /// The file as it was named.
    pub name: String,
    pub compiled: Compiled,
}

impl ProgramFile {
    /// Reads and compiles a file, and those that it includes.
    pub fn load(path: &Path) -> Result<Self, Failure> {
        let main = read(path.into()).map_err(|cause| Failure::File {
            path: path.into(),
            cause,
        })?;
        let name = main.name.clone();
        let mut included = |includer: &str, path: &str| {
            let path = beside(includer, path);
            read(path).map_err(|cause| cause.to_string())
        };
        let compiled = language::compile_with(main, &mut included)?;
        Ok(Self { name, compiled })
    }

    /// The text that a step comes from, or that of the program, for diagnostics.
    pub fn source(&self, step: Option<u32>) -> NamedSource<String> {
        let span = step.and_then(|step| self.span(step));
        let source: &Source = self.compiled.sources.get(span.unwrap_or_default().source);
        source.code().clone()
    }

    /// The line of a step, in the text that it comes from.
    pub fn line(&self, step: u32) -> Option<usize> {
        let span = self.span(step)?;
        Some(self.compiled.sources.position(span).line)
    }

    /// A step, for diagnostics.
    pub fn label(&self, step: u32) -> Option<LabeledSpan> {
        let span = self.span(step)?;
        Some(LabeledSpan::new_primary_with_span(Some(format!("step {step}")), span))
    }

    fn span(&self, step: u32) -> Option<Span> {
        self.compiled.steps.get(step as usize).copied()
    }
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
