//! All mistakes of a program, shown with the texts around them.

use std::fmt;

use miette::{Diagnostic, LabeledSpan, SourceCode};
use thiserror::Error;

use super::mistake::Mistake;
use super::position::Position;
use super::sources::Sources;
use super::span::Span;

/// Mistakes that are kept: nobody reads more of them.
pub(crate) const MOST: usize = 100;

/// Everything wrong in a program, in the order of its texts; of very much the first hundred.
#[derive(Clone, Debug)]
pub struct Mistakes {
    sources: Sources,
    list: Vec<Mistake>,
    /// Mistakes behind those that are kept.
    left_out: usize,
    shown: Vec<Shown>,
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.sources.main().name();
        f.write_str(&errors_in(self.list.len() + self.left_out, name))
    }
}

/// How many errors there are in a text.
pub(crate) fn errors_in(count: usize, name: &str) -> String {
    match count {
        1 => format!("1 error in `{name}`"),
        _ => format!("{count} errors in `{name}`"),
    }
}

/// What a list of mistakes says of those that it leaves out.
pub(crate) fn more<'a>(left_out: usize) -> Option<Box<dyn fmt::Display + 'a>> {
    (left_out > 0).then(|| Box::new(format!("... and {left_out} more")) as Box<dyn fmt::Display>)
}

impl std::error::Error for Mistakes {}

impl Mistakes {
    pub(super) fn new(sources: Sources, mut list: Vec<Mistake>) -> Self {
        list.sort_by_key(|mistake| (mistake.at.source, mistake.at.start));
        let left_out = list.len().saturating_sub(MOST);
        list.truncate(MOST);
        let shown = list.iter().map(|mistake| Shown::new(mistake, &sources)).collect();
        Self {
            sources,
            list,
            left_out,
            shown,
        }
    }

    /// The mistakes, or the first of them.
    pub fn list(&self) -> &[Mistake] {
        &self.list
    }

    /// The position of a mistake in its text.
    pub fn position(&self, mistake: &Mistake) -> Position {
        self.sources.position(mistake.at)
    }

    /// The name of the text that a mistake is in.
    pub fn file(&self, mistake: &Mistake) -> &str {
        self.sources.get(mistake.at.source).name()
    }
}

impl Diagnostic for Mistakes {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.sources.main().code())
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        more(self.left_out)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.shown.iter().map(|shown| shown as &dyn Diagnostic)))
    }
}

/// A mistake with its text.
#[derive(Clone, Debug)]
struct Shown {
    mistake: Mistake,
    code: std::sync::Arc<miette::NamedSource<String>>,
    elsewhere: Vec<Elsewhere>,
}

impl Shown {
    fn new(mistake: &Mistake, sources: &Sources) -> Self {
        let others = mistake.other_places().filter(|(at, _)| at.source != mistake.at.source);
        Self {
            mistake: mistake.clone(),
            code: sources.get(mistake.at.source).shared_code(),
            elsewhere: others
                .map(|(at, label)| Elsewhere {
                    label: label.to_owned(),
                    at,
                    code: sources.get(at.source).shared_code(),
                })
                .collect(),
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.mistake.fmt(f)
    }
}

impl std::error::Error for Shown {}

impl Diagnostic for Shown {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.mistake.code()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.mistake.help()
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.mistake.labels()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.code)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        let elsewhere = self.elsewhere.iter().map(|place| place as &dyn Diagnostic);
        Some(Box::new(elsewhere))
    }
}

/// Another place of a mistake, in another text.
#[derive(Clone, Debug, Error)]
#[error("{label}")]
struct Elsewhere {
    label: String,
    at: Span,
    code: std::sync::Arc<miette::NamedSource<String>>,
}

impl Diagnostic for Elsewhere {
    fn severity(&self) -> Option<miette::Severity> {
        Some(miette::Severity::Advice)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new_primary_with_span(Some(self.label.clone()), self.at);
        Some(Box::new(std::iter::once(label)))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.code)
    }
}
