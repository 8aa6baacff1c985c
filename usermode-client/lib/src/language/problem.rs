//! What can be wrong with a text.

use thiserror::Error;

use crate::program::ProgramError;

/// Help where an element type is needed.
pub(crate) const ELEMENT_TYPES: &str = "element types: i8 u8 i16 u16 i32 u32 i64 u64 f16 bf16 f32 f64";

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
    #[error("a comparison is compared once more")]
    Chained,
    #[error("this is nested more than {limit} levels deep")]
    TooDeep { limit: usize },
    #[error("texts include texts more than {limit} levels deep")]
    IncludesTooDeep { limit: usize },
    #[error("a block holds assignments and blocks, and no declarations")]
    DeclarationInBlock,
    #[error("cannot include `{path}`: {why}")]
    CannotInclude { path: String, why: String },

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
    #[error("`{name}` is a function, and is used without arguments")]
    NotAValue { name: String },
    #[error("`{name}` is {what}, not an array")]
    NotAnArray { name: String, what: &'static str },
    #[error("a number is needed here, and {name} is none before the program runs")]
    NotANumber { name: String },
    #[error("`{name}` is declared `{role}`, and takes no values from a file")]
    NotAnInput { name: String, role: &'static str },

    #[error("`{operation}` takes {expected}, and {found} {} given", if *found == 1 { "is" } else { "are" })]
    WrongArity {
        operation: String,
        expected: String,
        found: usize,
    },
    #[error("`{operation}` needs an array here, not a number")]
    ArrayNeeded { operation: &'static str },
    #[error("the device does not compute `{operation}` of {element}")]
    TypeNotComputed {
        operation: &'static str,
        element: &'static str,
    },
    #[error("{name} has elements of {found}, and {expected} is needed")]
    TypeMismatch {
        name: String,
        found: &'static str,
        expected: &'static str,
    },
    #[error("nothing says what type these numbers have")]
    TypeUnknown,
    #[error("`{operation}` cannot saturate here")]
    NotSaturating { operation: &'static str },
    #[error("{name} has {found} elements, and {expected} {} needed", if *expected == 1 { "is" } else { "are" })]
    LengthMismatch { name: String, found: u64, expected: u64 },
    #[error("{name} has the shape {found}, and {expected} is needed")]
    ShapeMismatch {
        name: String,
        found: Box<str>,
        expected: Box<str>,
        advice: Option<ShapeAdvice>,
    },
    #[error("`{name}` is declared `in`, and cannot be written")]
    WriteToInput { name: String },
    #[error("{name} is read before the program writes {what}")]
    ReadBeforeWrite { name: String, what: String },
    #[error("`{name}` is declared `{role}`, and the program never writes {what}")]
    NeverWritten {
        name: String,
        role: &'static str,
        what: String,
    },

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
    #[error("an array of shape {shape} has more elements than can be counted")]
    TooManyElements { shape: String },
    #[error("there can be at most {limit} dimensions")]
    TooManyDimensions { limit: usize },
    #[error("`{text}` is not an index, which is an integer from 0 on")]
    BadIndex { text: String },
    #[error("`{text}` is not how often a block runs, which is an integer from 0 on")]
    BadBound { text: String },
    #[error("{start}..{end} is not a range of elements")]
    BadRange { start: u64, end: u64 },
    #[error("{place} is outside a dimension of {length}, which has the places 0 to {}", length.saturating_sub(1))]
    OutsideArray { place: String, length: u64 },
    #[error("an array of shape {shape} has no more dimensions for this")]
    NoSuchDimension { shape: String },
    #[error("a range is cut once more")]
    AfterRange,
    #[error("an integer is divided by the constant 0")]
    DivisionByZero,
    #[error("{name} has the type {element}, and a number without a type is needed")]
    TypedConstant { name: String, element: &'static str },
    #[error("this constant is too large, or has no value")]
    ConstantOverflow,

    #[error("the arrays of the data buffer need {length} bytes with this one, and there can be {limit}")]
    DataTooLarge { length: u64, limit: u64 },
    #[error("device-local memory needs {length} bytes with this, and the device has {limit}")]
    ScratchTooLarge { length: u64, limit: u64 },
    #[error("a program has at most {limit} steps")]
    TooManySteps { limit: u32 },
    #[error("the program takes too long to compile")]
    TooMuch,
    #[error("the program has no steps")]
    NoSteps,
    #[error("the program has no arrays in the data buffer")]
    NoData,
    #[error("the driver would refuse the program: {0}")]
    Refused(Box<ProgramError>),
}

/// What may be done about a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShapeAdvice {
    /// There are as many elements as are needed.
    Reshape,
    /// Rows and columns are as many as are needed the other way round.
    Transpose,
    /// There are fewer elements.
    Spread,
}

impl ShapeAdvice {
    const fn text(self) -> &'static str {
        match self {
            Self::Reshape => "`as [...]` behind an array takes the same elements in another shape",
            Self::Transpose => "`transpose` exchanges rows and columns",
            Self::Spread => {
                "an array is used again for each place of the first dimensions of another if it has the shape of the last ones"
            }
        }
    }
}

impl Problem {
    /// A word for the problem that stays the same when the message changes.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownCharacter { .. } => "unknown-character",
            Self::Expected { .. } => "syntax",
            Self::Unfinished { .. } => "unfinished",
            Self::Chained => "chained",
            Self::TooDeep { .. } | Self::IncludesTooDeep { .. } => "too-deep",
            Self::DeclarationInBlock => "declaration-in-block",
            Self::CannotInclude { .. } => "cannot-include",
            Self::UnknownName { .. } => "unknown-name",
            Self::Redefined { .. } => "redefined",
            Self::Reserved { .. } => "reserved",
            Self::UnknownType { .. } => "unknown-type",
            Self::UnknownOperation { .. } => "unknown-operation",
            Self::NotAValue { .. } => "not-a-value",
            Self::NotAnArray { .. } => "not-an-array",
            Self::NotANumber { .. } => "not-a-number",
            Self::NotAnInput { .. } => "not-an-input",
            Self::WrongArity { .. } => "wrong-arity",
            Self::ArrayNeeded { .. } => "array-needed",
            Self::TypeNotComputed { .. } => "type-not-computed",
            Self::TypeMismatch { .. } => "type-mismatch",
            Self::TypeUnknown => "type-unknown",
            Self::NotSaturating { .. } => "not-saturating",
            Self::LengthMismatch { .. } => "length-mismatch",
            Self::ShapeMismatch { .. } => "shape-mismatch",
            Self::WriteToInput { .. } => "write-to-input",
            Self::ReadBeforeWrite { .. } => "read-before-write",
            Self::NeverWritten { .. } => "never-written",
            Self::BadNumber { .. } => "bad-number",
            Self::NotAnInteger { .. } => "not-an-integer",
            Self::OutOfRange { .. } => "out-of-range",
            Self::BadCount { .. } | Self::TooManyElements { .. } => "bad-count",
            Self::TooManyDimensions { .. } => "too-many-dimensions",
            Self::BadIndex { .. } | Self::BadBound { .. } => "bad-index",
            Self::BadRange { .. } => "bad-range",
            Self::OutsideArray { .. } => "outside-array",
            Self::NoSuchDimension { .. } => "no-such-dimension",
            Self::AfterRange => "after-range",
            Self::DivisionByZero => "division-by-zero",
            Self::TypedConstant { .. } => "typed-constant",
            Self::ConstantOverflow => "constant-overflow",
            Self::DataTooLarge { .. } => "data-too-large",
            Self::ScratchTooLarge { .. } => "scratch-too-large",
            Self::TooManySteps { .. } => "too-many-steps",
            Self::TooMuch => "too-much",
            Self::NoSteps => "no-steps",
            Self::NoData => "no-data",
            Self::Refused(_) => "refused",
        }
    }

    /// What to do about it, where that can be said.
    pub fn help(&self) -> Option<String> {
        let text = match self {
            Self::UnknownCharacter { character: '.' } => {
                "a number has digits on both sides of its point, as in `0.5` and `2.0`"
            }
            Self::UnknownCharacter { character: ';' } => "a statement ends with its line",
            Self::Expected { found, .. } if found == "for" || found == "while" => {
                "a block is run again by `repeat i in 0..10 {`, or `repeat 10 {`"
            }
            Self::Chained => "put one of them in parentheses, if that is meant",
            Self::TooDeep { .. } => "give an inner result a name of its own",
            Self::DeclarationInBlock => "write it above the block",
            Self::UnknownName { .. } => "declare it before its first use: `in`, `out`, `inout`, `temp` or `const`",
            Self::Reserved { .. } => "choose another name",
            Self::UnknownType { .. } => ELEMENT_TYPES,
            Self::UnknownOperation { name } => return Some(instead_of(name)),
            Self::NotAnArray { .. } => "only arrays can be assigned to",
            Self::NotAnInput { .. } => "values come from files into `in` and `inout` arrays",
            Self::TypeNotComputed { .. } => "docs/operations.md has the types that it takes",
            Self::TypeMismatch { expected, .. } => return Some(format!("`{expected}(...)` converts")),
            Self::TypeUnknown => "write the type of one of them, as in `f32(2)`",
            Self::NotSaturating { .. } => {
                "`sat` takes add, sub, mul, div, fma, neg, abs, sum, dot, prefix_sum and matmul of integers, and conversions between them"
            }
            Self::ShapeMismatch { advice, .. } => advice.as_ref()?.text(),
            Self::WriteToInput { .. } => "declare it `inout`",
            Self::ReadBeforeWrite { .. } => {
                "`out` and `temp` arrays hold nothing at the start; write to it first, or declare it `inout`"
            }
            Self::NeverWritten { role: "inout", .. } => "declare it `in`",
            Self::NeverWritten { .. } => {
                "its content would be unspecified; write to all of it, declare it `inout`, or remove it"
            }
            Self::TypedConstant { .. } => "a constant takes its type where it is used; write the conversion there",
            Self::BadCount { .. } => "a number of elements is a positive integer",
            Self::BadRange { .. } => "the end of a range is greater than its start",
            Self::AfterRange => "a part of an array has no gaps: only the last of its places is a range",
            Self::TooMuch => {
                "blocks are repeated, or functions called within functions, too often; repeat less, or assign an inner result to a `temp` array"
            }
            Self::NoSteps => "a step is an assignment, like `y = fma(x, a, y)`",
            Self::NoData => "declare an `out` or `inout` array, or nobody sees what the program does",
            _ => return None,
        };
        Some(text.into())
    }
}

/// What to write in the place of a word that is no operation.
fn instead_of(name: &str) -> String {
    match name {
        "compare" => "comparisons are written `a < b` or `lt(a, b)`".into(),
        "convert" => "a conversion is the name of its type, like `f32(x)`".into(),
        _ => format!(
            "operations: {}; a function is declared above its use",
            super::operations::NAMES.join(" ")
        ),
    }
}
