//! What can be wrong with an assembly text.

use thiserror::Error;

use crate::language::ELEMENT_TYPES;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(
    missing_docs,
    reason = "the messages say what the variants mean, and the fields are their words and numbers"
)]
pub enum Problem {
    #[error("assembly has no character `{}`", character.escape_default())]
    UnknownCharacter { character: char },
    #[error("expected {expected}, found `{found}`")]
    Expected { expected: &'static str, found: String },
    #[error("expected {expected}, and the line ends")]
    Unfinished { expected: &'static str },

    #[error("there is no directive `.{name}`")]
    UnknownDirective { name: String },
    #[error("a step has no field `{name}`")]
    UnknownField { name: String },
    #[error("`{name}` is given twice")]
    Twice { name: String },
    #[error("`{operation}` needs {missing}")]
    Missing {
        operation: &'static str,
        missing: &'static str,
    },

    #[error("there is no operation `{name}`")]
    UnknownOperation { name: String },
    #[error("there is no element type `{name}`")]
    UnknownType { name: String },
    #[error("there is no comparison `{name}`")]
    UnknownPredicate { name: String },
    #[error("`{operation}` does not take {element}")]
    TypeNotTaken {
        operation: &'static str,
        element: &'static str,
    },
    #[error("`{operation}` of {element} does not take `sat`")]
    FlagNotTaken {
        operation: &'static str,
        element: &'static str,
    },
    #[error("`{operation}` takes {expected} as its {operand}")]
    WrongOperand {
        operation: &'static str,
        operand: &'static str,
        expected: &'static str,
    },
    #[error("a step has one immediate, and these are two")]
    TwoImmediates,

    #[error("`{text}` is not a number")]
    NotANumber { text: String },
    #[error("`{text}` is not an integer")]
    NotAnInteger { text: String },
    #[error("`{text}` is not from {least} to {most}")]
    OutOfRange { text: String, least: i128, most: i128 },
    #[error("`{text}` is larger than {element} can be")]
    TooLarge { text: String, element: &'static str },
}

impl Problem {
    /// A word for the problem that stays the same when the message changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownCharacter { .. } => "unknown-character",
            Self::Expected { .. } => "syntax",
            Self::Unfinished { .. } => "unfinished",
            Self::UnknownDirective { .. } => "unknown-directive",
            Self::UnknownField { .. } => "unknown-field",
            Self::Twice { .. } => "twice",
            Self::Missing { .. } => "missing",
            Self::UnknownOperation { .. } => "unknown-operation",
            Self::UnknownType { .. } => "unknown-type",
            Self::UnknownPredicate { .. } => "unknown-comparison",
            Self::TypeNotTaken { .. } => "type-not-taken",
            Self::FlagNotTaken { .. } => "flag-not-taken",
            Self::WrongOperand { .. } => "wrong-operand",
            Self::TwoImmediates => "two-immediates",
            Self::NotANumber { .. } => "not-a-number",
            Self::NotAnInteger { .. } => "not-an-integer",
            Self::OutOfRange { .. } => "out-of-range",
            Self::TooLarge { .. } => "too-large",
        }
    }

    /// What to do about it, where that can be said.
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::UnknownDirective { .. } => {
                "directives: .data_size .scratch_size .cookie .timeout_ms .magic .version .header_size .total_size .step_size \
                 .step_count .flags .reserved0 .reserved1, and .step"
            }
            Self::UnknownField { .. } => {
                "fields of a step: opcode element_type aux_type flags spaces count offsets immediate aux"
            }
            Self::UnknownType { .. } => ELEMENT_TYPES,
            Self::UnknownPredicate { .. } => "comparisons: eq ne lt le gt ge",
            Self::UnknownOperation { .. }
            | Self::TypeNotTaken { .. }
            | Self::FlagNotTaken { .. }
            | Self::WrongOperand { .. } => "a step that no driver accepts is written field by field, with `.step`",
            Self::TwoImmediates => "fill an array with one of them in a step before",
            _ => return None,
        })
    }
}
