//! The syntax tree.

use std::rc::Rc;

use hawser_abi::op::{Opcode, Predicate};

use super::Role;
use super::constant::Constant;
use super::problem::Problem;
use super::span::Span;

/// Levels of parentheses, operators, blocks, and calls of functions within functions.
pub(super) const MAX_DEPTH: usize = 128;

/// A word of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: Rc<str>,
    pub(super) span: Span,
}

/// Whether a line that begins with the word is no assignment, unless the word is a name.
pub(super) fn is_leading_word(text: &str) -> bool {
    matches!(text, "const" | "def" | "include" | "repeat") || Role::named(text).is_some()
}

/// What an infix operator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// It stands for an operation.
    Operation(Opcode),
    /// It compares.
    Comparison(Predicate),
}

/// The sign before an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    Minus,
    Not,
}

/// An expression.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    pub(super) kind: ExpressionKind,
    pub(super) span: Span,
    /// Levels of expressions in it, those of places and dimensions included, and itself. Parentheses alone are none.
    pub(super) depth: usize,
}

/// What an expression is.
#[derive(Clone, Debug)]
pub(super) enum ExpressionKind {
    /// A number without a sign, or what is wrong with it.
    Number(Result<Constant, Problem>),
    Name(Rc<str>),
    Prefix {
        prefix: Prefix,
        operand: Box<Expression>,
    },
    Infix {
        operator: Operator,
        at: Span,
        operands: Box<[Expression; 2]>,
    },
    Call {
        function: Word,
        arguments: Vec<Expression>,
    },
    /// `of[places]`
    Part {
        of: Box<Expression>,
        places: Vec<Place>,
    },
    /// `of as [dimensions]`
    Reshape {
        of: Box<Expression>,
        dimensions: Vec<Expression>,
        /// The dimensions with their brackets.
        shape: Span,
    },
}

/// A place in one dimension.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Index(Expression),
    Range {
        start: Option<Expression>,
        end: Option<Expression>,
        span: Span,
    },
}

impl Place {
    /// The expressions in it.
    pub(super) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let list = match self {
            Self::Index(index) => [Some(index), None],
            Self::Range { start, end, .. } => [start.as_ref(), end.as_ref()],
        };
        list.into_iter().flatten()
    }
}

/// A declaration of an array.
#[derive(Clone, Debug)]
pub(super) struct Declaration {
    pub(super) role: Role,
    pub(super) name: Word,
    pub(super) element: Word,
    pub(super) dimensions: Vec<Expression>,
    /// The dimensions with their brackets.
    pub(super) shape: Span,
    /// The file of its values.
    pub(super) file: Option<Word>,
}

/// A function.
#[derive(Clone, Debug)]
pub(super) struct Function {
    pub(super) name: Word,
    pub(super) parameters: Vec<Word>,
    pub(super) body: Expression,
}

/// An assignment to an array or a part of one.
#[derive(Clone, Debug)]
pub(super) struct Assignment {
    pub(super) target: Word,
    /// The part of the array, the part of that part, and so on.
    pub(super) parts: Vec<Vec<Place>>,
    pub(super) expression: Expression,
    pub(super) span: Span,
}

/// How often a block runs.
#[derive(Clone, Debug)]
pub(super) struct Repetition {
    pub(super) variable: Option<Word>,
    /// The first value of the variable; 0 where nothing is written.
    pub(super) start: Option<Expression>,
    /// The value after the last.
    pub(super) end: Expression,
    pub(super) body: Vec<Statement>,
    /// The line that begins the block.
    pub(super) span: Span,
}

/// A line, or a block of them.
#[derive(Clone, Debug)]
pub(super) enum Statement {
    Array(Declaration),
    Constant {
        name: Word,
        value: Expression,
    },
    Function(Function),
    Include {
        path: Word,
    },
    Assignment(Assignment),
    Repeat(Repetition),
    /// A line that could not be read declares this name, as far as can be told.
    Broken {
        name: Word,
    },
    /// A line that could not be read includes a text, as far as can be told.
    Excluded,
    /// A line that could not be read, or a block whose first line could not be, writes this array, as far as can be told.
    Unread {
        target: Word,
    },
}

impl Statement {
    /// The arrays that it writes.
    pub(super) fn targets(&self) -> Vec<&Word> {
        match self {
            Self::Assignment(assignment) => vec![&assignment.target],
            Self::Unread { target } => vec![target],
            Self::Repeat(repetition) => repetition.body.iter().flat_map(Self::targets).collect(),
            _ => Vec::new(),
        }
    }
}
