//! What can be wrong with a text.

use hawser_core::Refusal;
use thiserror::Error;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(
    missing_docs,
    reason = "the messages say what the variants mean, and the fields are their words and numbers"
)]
pub enum Problem {
    #[error("the language has no character `{}`", character.escape_default())]
    UnknownCharacter { character: char },
    #[error("expected {expected}, found `{found}`")]
    Expected { expected: &'static str, found: String },
    #[error("expected {expected}, and the line ends")]
    Unfinished { expected: &'static str },
    #[error("an operation takes arrays and numbers, not another operation")]
    Nested,

    #[error("`{name}` is not declared")]
    UnknownName { name: String },
    #[error("`{name}` is declared twice")]
    Redefined { name: String },
    #[error("`{name}` is a word of the language")]
    Reserved { name: String },
    #[error("there is no element type `{name}`")]
    UnknownType { name: String },
    #[error("there is no operation `{name}`")]
    UnknownOperation { name: String },
    #[error("the device does not run `{name}` yet")]
    OperationNotRun { name: &'static str },
    #[error("the device does not compute `{operation}` of {element}")]
    TypeNotComputed {
        operation: &'static str,
        element: &'static str,
    },

    #[error("`{name}` is a constant, not an array")]
    NotAnArray { name: String },
    #[error("`{name}` is an array, and a number is needed here")]
    NotANumber { name: String },
    #[error("`{operation}` needs an array here, not a number")]
    ArrayNeeded { operation: &'static str },
    #[error("`{operation}` takes {expected}, and {found} {} given", if *found == 1 { "is" } else { "are" })]
    WrongArity {
        operation: &'static str,
        expected: &'static str,
        found: usize,
    },
    #[error("`{name}` has elements of {found}, and the destination of {expected}")]
    TypeMismatch {
        name: String,
        found: &'static str,
        expected: &'static str,
    },
    #[error("`{name}` has {found} elements, and {expected} {} needed", if *expected == 1 { "is" } else { "are" })]
    LengthMismatch { name: String, found: u64, expected: u64 },
    #[error("`{name}` is declared `in`, and cannot be written")]
    WriteToInput { name: String },
    #[error("`{name}` is read before the program writes it")]
    ReadBeforeWrite { name: String },
    #[error("`{name}` is declared `{role}`, and the program never writes it")]
    NeverWritten { name: String, role: &'static str },
    #[error("`{operation}` cannot write to the array that it reads")]
    InPlace { operation: &'static str },

    #[error("`{text}` is not a number")]
    BadNumber { text: String },
    #[error("`{text}` is not an integer, and {element} has only integers")]
    NotAnInteger { text: String, element: &'static str },
    #[error("`{text}` is outside the range of {element}, {range}")]
    OutOfRange {
        text: String,
        element: &'static str,
        range: String,
    },
    #[error("`{text}` is not a number of elements")]
    BadCount { text: String },
    #[error("a step takes one constant, and these are two")]
    TwoConstants,
    #[error("an integer is divided by the constant 0")]
    DivisionByZero,

    #[error("the arrays of the data buffer need {length} bytes with this one, and there can be {limit}")]
    DataTooLarge { length: u128, limit: u64 },
    #[error("the `temp` arrays need {length} bytes with this one, and the device has {limit}")]
    ScratchTooLarge { length: u128, limit: u64 },
    #[error("a program has at most {limit} steps")]
    TooManySteps { limit: u32 },
    #[error("the program has no steps")]
    NoSteps,
    #[error("the program has no arrays in the data buffer")]
    NoData,
    #[error("the driver would refuse the program: {0}")]
    Refused(Refusal),
}

impl Problem {
    /// A word for the problem that stays the same when the message changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownCharacter { .. } => "unknown-character",
            Self::Expected { .. } => "syntax",
            Self::Unfinished { .. } => "unfinished",
            Self::Nested => "nested",
            Self::UnknownName { .. } => "unknown-name",
            Self::Redefined { .. } => "redefined",
            Self::Reserved { .. } => "reserved",
            Self::UnknownType { .. } => "unknown-type",
            Self::UnknownOperation { .. } => "unknown-operation",
            Self::OperationNotRun { .. } => "operation-not-run",
            Self::TypeNotComputed { .. } => "type-not-computed",
            Self::NotAnArray { .. } => "not-an-array",
            Self::NotANumber { .. } => "not-a-number",
            Self::ArrayNeeded { .. } => "array-needed",
            Self::WrongArity { .. } => "wrong-arity",
            Self::TypeMismatch { .. } => "type-mismatch",
            Self::LengthMismatch { .. } => "length-mismatch",
            Self::WriteToInput { .. } => "write-to-input",
            Self::ReadBeforeWrite { .. } => "read-before-write",
            Self::NeverWritten { .. } => "never-written",
            Self::InPlace { .. } => "in-place",
            Self::BadNumber { .. } => "bad-number",
            Self::NotAnInteger { .. } => "not-an-integer",
            Self::OutOfRange { .. } => "out-of-range",
            Self::BadCount { .. } => "bad-count",
            Self::TwoConstants => "two-constants",
            Self::DivisionByZero => "division-by-zero",
            Self::DataTooLarge { .. } => "data-too-large",
            Self::ScratchTooLarge { .. } => "scratch-too-large",
            Self::TooManySteps { .. } => "too-many-steps",
            Self::NoSteps => "no-steps",
            Self::NoData => "no-data",
            Self::Refused(_) => "refused",
        }
    }

    /// What to do about it, where that can be said.
    pub fn help(&self) -> Option<String> {
        let text = match self {
            Self::Nested => "write the inner result to a `temp` array in a line of its own",
            Self::UnknownType { .. } => "element types: i8 u8 i16 u16 i32 u32 i64 u64 f16 bf16 f32 f64",
            Self::UnknownOperation { .. } => "operations: copy fill add sub mul div min max fma sum, and + - * /",
            Self::TypeNotComputed { .. } => "the table of operations names the types that it takes",
            Self::WriteToInput { .. } => "declare it `inout`",
            Self::ReadBeforeWrite { .. } => {
                "`out` and `temp` arrays hold nothing at the start; write to it first, or declare it `inout`"
            }
            Self::NeverWritten { role: "inout", .. } => "declare it `in`",
            Self::NeverWritten { .. } => "its content would be unspecified; write to it, or remove it",
            Self::TwoConstants => "fill a `temp` array with one of them",
            Self::NotAnArray { .. } => "only arrays can be assigned to",
            Self::BadCount { .. } => "a number of elements is a positive integer",
            Self::UnknownName { .. } => "declare it before its first use: `in`, `out`, `inout`, `temp` or `const`",
            Self::Reserved { .. } => "choose another name",
            Self::NoSteps => "a step is an assignment, like `y = fma(x, a, y)`",
            Self::NoData => "declare an `out` or `inout` array, or nobody sees what the program does",
            _ => return None,
        };
        Some(text.into())
    }
}
