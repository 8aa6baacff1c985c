//! A problem at a place of an assembly text, shown with the text around it.

use std::fmt;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use thiserror::Error;

use super::problem::Problem;
use crate::language::{Lines, MOST, Position, Span, errors_in, more};

/// Something wrong in a text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{problem}")]
pub struct Mistake {
    /// What is wrong.
    pub problem: Problem,
    /// Where.
    pub at: Span,
}

impl Diagnostic for Mistake {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(format!("hwa::{}", self.problem.code())))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.problem.help().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new_primary_with_span(Some("here".into()), self.at);
        Some(Box::new(std::iter::once(label)))
    }
}

/// Everything wrong in a text, in the order of the text: at most one mistake a line, and of very much the first hundred.
#[derive(Clone, Debug, Error)]
#[error("{}", errors_in(list.len() + left_out, text.name()))]
pub struct Mistakes {
    text: Arc<NamedSource<String>>,
    lines: Lines,
    list: Vec<Mistake>,
    /// Mistakes behind those that are kept.
    left_out: usize,
}

impl Mistakes {
    pub(super) fn new(file: &str, text: &str, mut list: Vec<Mistake>) -> Self {
        let left_out = list.len().saturating_sub(MOST);
        list.truncate(MOST);
        Self {
            text: Arc::new(NamedSource::new(file, text.to_owned())),
            lines: Lines::of(text),
            list,
            left_out,
        }
    }

    /// The mistakes, or the first of them.
    pub fn list(&self) -> &[Mistake] {
        &self.list
    }

    /// The file that they are in.
    pub fn file(&self) -> &str {
        self.text.name()
    }

    /// The position of a mistake.
    pub fn position(&self, mistake: &Mistake) -> Position {
        self.lines.position(self.text.inner(), mistake.at.start)
    }
}

impl Diagnostic for Mistakes {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.text)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        more(self.left_out)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.list.iter().map(|mistake| mistake as &dyn Diagnostic)))
    }
}
