//! A problem at a place.

use std::fmt;

use miette::{Diagnostic, LabeledSpan};
use thiserror::Error;

use super::problem::Problem;
use super::span::Span;

/// Something wrong in a text.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{problem}")]
pub struct Mistake {
    /// What is wrong.
    pub problem: Problem,
    /// Where.
    pub at: Span,
    /// What the place is, if that says more than the message.
    label: Option<&'static str>,
    /// Another place that matters.
    also: Option<Box<(Span, &'static str)>>,
}

impl Mistake {
    pub(super) fn new(problem: Problem, at: Span) -> Self {
        Self {
            problem,
            at,
            label: None,
            also: None,
        }
    }

    pub(super) fn expected(expected: &'static str, found: &str, at: Span) -> Self {
        Self::new(
            Problem::Expected {
                expected,
                found: found.into(),
            },
            at,
        )
    }

    /// The same with a word about its place.
    pub(super) fn label(self, label: &'static str) -> Self {
        Self {
            label: Some(label),
            ..self
        }
    }

    /// The same with another place.
    pub(super) fn also(self, at: Span, label: &'static str) -> Self {
        Self {
            also: Some(Box::new((at, label))),
            ..self
        }
    }

    /// The same with another place, where it has none.
    pub(super) fn or_also(self, at: Option<Span>, label: &'static str) -> Self {
        match at {
            Some(at) if self.also.is_none() => self.also(at, label),
            _ => self,
        }
    }

    /// Where another place is that matters, and what it is.
    pub fn other_place(&self) -> Option<(Span, &'static str)> {
        self.also.as_deref().copied()
    }
}

impl Diagnostic for Mistake {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(format!("hws::{}", self.problem.code())))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.problem.help().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let main = LabeledSpan::new_primary_with_span(Some(self.label.unwrap_or("here").into()), self.at);
        // A place in another text is shown with that text.
        let also = self
            .other_place()
            .filter(|(at, _)| at.source == self.at.source)
            .map(|(at, label)| LabeledSpan::new_with_span(Some(label.into()), at));
        Some(Box::new(std::iter::once(main).chain(also)))
    }
}

/// Line and column of a place, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl Position {
    /// The position of byte `offset` of `text`.
    pub fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters() {
        let text = "aß\nc€d\n";
        let position = |offset| Position::of(text, offset).to_string();
        assert_eq!(position(0), "1:1");
        assert_eq!(position(3), "1:3");
        assert_eq!(position(4), "2:1");
        assert_eq!(position(8), "2:3");
        assert_eq!(position(text.len()), "3:1");
        assert_eq!(position(1000), "3:1");
    }
}
