//! A problem at a place.

use std::borrow::Cow;
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
    others: Option<Box<Others>>,
}

/// Other places that matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Others {
    /// Places, and what they are.
    also: Vec<(Span, Cow<'static, str>)>,
    /// The call of the function whose body the mistake is in.
    call: Option<Span>,
}

impl Mistake {
    pub(super) fn new(problem: Problem, at: Span) -> Self {
        Self {
            problem,
            at,
            label: None,
            others: None,
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
    pub(super) fn also(mut self, at: Span, label: impl Into<Cow<'static, str>>) -> Self {
        self.others.get_or_insert_default().also.push((at, label.into()));
        self
    }

    /// The same with the place of a declaration, where there is one.
    pub(super) fn declared(self, at: Option<Span>) -> Self {
        match at {
            Some(at) => self.also(at, "declared here"),
            None => self,
        }
    }

    /// The same in the body of a function that is called there, if it is one.
    pub(super) fn called(mut self, call: Option<Span>) -> Self {
        if call.is_some() {
            self.others.get_or_insert_default().call = call;
        }
        self
    }

    /// What tells it from others: its place, its kind, and the call that leads there.
    pub(super) fn key(&self) -> (Span, &'static str, Option<Span>) {
        let call = self.others.as_ref().and_then(|others| others.call);
        (self.at, self.problem.code(), call)
    }

    /// Where other places are that matter, and what they are.
    pub fn other_places(&self) -> impl Iterator<Item = (Span, &str)> {
        self.others.iter().flat_map(|others| {
            let also = others.also.iter().map(|(at, label)| (*at, label.as_ref()));
            also.chain(others.call.map(|call| (call, "used here")))
        })
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
            .other_places()
            .filter(|(at, _)| at.source == self.at.source)
            .map(|(at, label)| LabeledSpan::new_with_span(Some(label.into()), at));
        Some(Box::new(std::iter::once(main).chain(also)))
    }
}
