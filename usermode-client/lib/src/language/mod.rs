//! The program language `.hws`; `docs/language.md` describes it.
//!
//! A text is cut into tokens, parsed line by line, resolved, and assembled:
//!
//! [`token`](self) → `parser` → `syntax` → `resolve` (names, types, lengths, order of writes and reads) → [`Compiled`].
//!
//! Every mistake has a position, and one run reports as many as it can.

mod assignment;
mod constant;
mod layout;
mod mistake;
mod parser;
mod problem;
mod resolve;
mod span;
mod symbols;
mod syntax;
mod token;

use hawser_abi::op::ElementType;

use crate::program::Program;

pub use mistake::{Mistake, Mistakes, Position};
pub use problem::Problem;
pub use span::Span;

/// What a program does with an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// It only reads it.
    In,
    /// It only writes it.
    Out,
    /// It reads and writes it.
    InOut,
    /// It keeps it in device-local memory while it runs.
    Temp,
}

impl Role {
    /// The word of the language.
    pub const fn name(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
            Self::InOut => "inout",
            Self::Temp => "temp",
        }
    }

    /// Whether the caller provides the values.
    pub const fn is_input(self) -> bool {
        matches!(self, Self::In | Self::InOut)
    }

    /// Whether the caller gets the values.
    pub const fn is_output(self) -> bool {
        matches!(self, Self::Out | Self::InOut)
    }
}

/// An array of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedArray {
    /// Its name.
    pub name: String,
    /// What the program does with it.
    pub role: Role,
    /// The type of its elements.
    pub element: ElementType,
    /// Number of elements.
    pub count: u64,
    /// Byte offset in the data buffer; in device-local memory for [`Role::Temp`].
    pub offset: u64,
}

impl NamedArray {
    /// Its length in bytes.
    pub const fn length(&self) -> u64 {
        self.count * self.element.size()
    }
}

/// A program and the meaning of its data buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// The program.
    pub program: Program,
    /// Its arrays, in the order of their declaration.
    pub arrays: Vec<NamedArray>,
    /// Where each step is in the text.
    pub steps: Vec<Span>,
}

impl Compiled {
    /// The array of that name.
    pub fn array(&self, name: &str) -> Option<&NamedArray> {
        self.arrays.iter().find(|array| array.name == name)
    }

    /// The arrays that lie in the data buffer.
    pub fn data_arrays(&self) -> impl Iterator<Item = &NamedArray> {
        self.arrays.iter().filter(|array| array.role != Role::Temp)
    }
}

/// Compiles a text; `file` names it in messages.
pub fn compile(file: &str, text: &str) -> Result<Compiled, Mistakes> {
    let (statements, mut mistakes) = parser::parse(text);
    let compiled = resolve::resolve(&statements, &mut mistakes);
    match compiled {
        Some(compiled) if mistakes.is_empty() => Ok(compiled),
        _ => Err(Mistakes::new(file, text, mistakes)),
    }
}

#[cfg(test)]
mod tests;
