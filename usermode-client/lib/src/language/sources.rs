//! The texts of a program: its own, and those that it includes.

use std::sync::Arc;

use miette::NamedSource;

use super::position::{Lines, Position};
use super::span::{SourceId, Span};

/// A text and what messages call it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// What messages call it, and what the files that it names are looked for beside.
    pub name: String,
    /// What tells it from other texts, so that none is included twice. Two names of one file have the same identity.
    pub identity: String,
    /// The text.
    pub text: String,
}

impl Text {
    /// A text that is told from others by its name.
    pub fn named(name: impl Into<String>, text: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            identity: name.clone(),
            name,
            text: text.into(),
        }
    }
}

/// Where included texts come from.
pub trait Loader {
    /// The text that `path` names in the text called `includer`, or why there is none.
    fn load(&mut self, includer: &str, path: &str) -> Result<Text, String>;

    /// The identity of that text, where it can be told without loading it; one that has been included is then not loaded again.
    fn identity(&mut self, includer: &str, path: &str) -> Option<String> {
        let _ = (includer, path);
        None
    }
}

impl<F: FnMut(&str, &str) -> Result<Text, String>> Loader for F {
    fn load(&mut self, includer: &str, path: &str) -> Result<Text, String> {
        self(includer, path)
    }
}

/// A text with its name, as messages show it.
#[derive(Clone, Debug)]
pub struct Source {
    code: Arc<NamedSource<String>>,
    lines: Arc<Lines>,
}

impl Source {
    fn new(name: &str, text: String) -> Self {
        Self {
            lines: Arc::new(Lines::of(&text)),
            code: Arc::new(NamedSource::new(name, text)),
        }
    }

    /// What messages call it.
    pub fn name(&self) -> &str {
        self.code.name()
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.code.inner()
    }

    /// Name and text, for diagnostics.
    pub fn code(&self) -> &NamedSource<String> {
        &self.code
    }

    pub(super) fn shared_code(&self) -> Arc<NamedSource<String>> {
        Arc::clone(&self.code)
    }
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name() && self.text() == other.text()
    }
}

impl Eq for Source {}

/// All texts of a program, by [`SourceId`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    main: Source,
    included: Vec<Source>,
}

impl Sources {
    pub(super) fn of(name: &str, text: String) -> Self {
        Self {
            main: Source::new(name, text),
            included: Vec::new(),
        }
    }

    /// Adds an included text.
    pub(super) fn add(&mut self, name: &str, text: String) -> SourceId {
        self.included.push(Source::new(name, text));
        SourceId(u32::try_from(self.included.len()).unwrap_or(u32::MAX))
    }

    /// The program's own text.
    pub fn main(&self) -> &Source {
        &self.main
    }

    /// A text; the program's own where there is no such.
    pub fn get(&self, id: SourceId) -> &Source {
        let included = (id.0 as usize).checked_sub(1);
        included
            .and_then(|index| self.included.get(index))
            .unwrap_or(&self.main)
    }

    /// All texts, the program's own first.
    pub fn iter(&self) -> impl Iterator<Item = &Source> {
        std::iter::once(&self.main).chain(&self.included)
    }

    /// The words at a place.
    pub fn slice(&self, span: Span) -> &str {
        self.get(span.source)
            .text()
            .get(span.start..span.end)
            .unwrap_or_default()
    }

    /// Line and column of the start of a place.
    pub fn position(&self, span: Span) -> Position {
        let source = self.get(span.source);
        source.lines.position(source.text(), span.start)
    }

    /// The line of the start of a place.
    pub fn line(&self, span: Span) -> usize {
        self.get(span.source).lines.line(span.start)
    }
}
