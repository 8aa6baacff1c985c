//! The syntax tree.

use super::Role;
use super::span::Span;

/// A word of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word<'t> {
    pub(super) text: &'t str,
    pub(super) span: Span,
}

/// A number as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number<'t> {
    pub(super) sign: Sign,
    /// The text after the sign.
    pub(super) text: &'t str,
    pub(super) span: Span,
}

/// The sign of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Plus,
    Minus,
}

/// Where a value of an expression comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'t> {
    Name(Word<'t>),
    Number(Number<'t>),
}

impl Value<'_> {
    pub(super) fn span(&self) -> Span {
        match self {
            Self::Name(word) => word.span,
            Self::Number(number) => number.span,
        }
    }
}

/// The right side of an assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression<'t> {
    /// `x` or `2.5`.
    Value(Value<'t>),
    /// `name(values)`, or an infix operator by its operation's name.
    Call {
        operation: Word<'t>,
        values: Vec<Value<'t>>,
    },
}

/// A declaration of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Declaration<'t> {
    pub(super) role: Role,
    pub(super) name: Word<'t>,
    pub(super) element: Word<'t>,
    pub(super) count: Value<'t>,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Statement<'t> {
    Array(Declaration<'t>),
    Constant {
        name: Word<'t>,
        number: Number<'t>,
    },
    Assignment {
        target: Word<'t>,
        expression: Expression<'t>,
        span: Span,
    },
    /// A line that could not be read declares this name, as far as can be told.
    Broken {
        name: Word<'t>,
    },
}
