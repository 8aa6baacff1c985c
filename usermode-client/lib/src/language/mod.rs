//! The program language `.hws`; `docs/language.md` describes it.
//!
//! A text is cut into tokens and lines, parsed, resolved, and lowered to steps through the same [`ProgramBuilder`]
//! that programs in Rust use:
//!
//! `token`, `lines` → `parser`, `expressions` → `syntax` → `scope`, `typing`, `parts`, `calls` (names, types, shapes) → `node` → `lower`
//! (steps, device-local memory) → [`Compiled`], with `resolve` going from statement to statement.
//!
//! Every mistake has a position, and one run reports as many as it can. Whatever the text, compiling ends soon: what is nested has a
//! limit, and so has what is looked at.
//!
//! [`ProgramBuilder`]: crate::program::ProgramBuilder

mod arrays;
mod calls;
mod constant;
mod declare;
mod expressions;
mod fold;
mod format;
mod include;
mod lines;
mod lower;
mod lower_operation;
mod mistake;
mod mistakes;
mod node;
mod operations;
mod parser;
mod parts;
mod position;
mod problem;
mod reader;
mod resolve;
mod scope;
mod shape;
mod sources;
mod spacing;
mod span;
mod symbols;
mod syntax;
mod token;
mod typing;

use hawser_abi::op::ElementType;

use crate::program::Program;

pub use format::format;
pub use mistake::Mistake;
pub use mistakes::Mistakes;
pub(crate) use mistakes::{MOST, errors_in, more};
pub(crate) use position::Lines;
pub use position::Position;
pub(crate) use problem::ELEMENT_TYPES;
pub use problem::Problem;
pub use sources::{Loader, Source, Sources, Text};
pub use span::{SourceId, Span};

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
    /// The role that the word of the language means.
    pub(crate) fn named(word: &str) -> Option<Self> {
        [Self::In, Self::Out, Self::InOut, Self::Temp]
            .into_iter()
            .find(|role| role.name() == word)
    }

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
    /// The length of each dimension; the last is that of neighbouring elements.
    pub shape: Vec<u64>,
    /// Number of elements: the product of the dimensions.
    pub count: u64,
    /// Byte offset in the data buffer; in device-local memory for [`Role::Temp`].
    pub offset: u64,
    /// The file that its values come from, if nobody names another.
    pub file: Option<DefaultFile>,
}

/// A file that the text of a program names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultFile {
    /// Its path, relative to the directory of the text that names it.
    pub path: String,
    /// The text that names it.
    pub declared_in: SourceId,
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
    /// Where each step comes from: the assignment for the step that writes its destination, the expression for one that computes an
    /// inner value, the call for one of a function.
    pub steps: Vec<Span>,
    /// The texts that it was compiled from.
    pub sources: Sources,
}

impl Compiled {
    /// A program whose arrays have no names, with its file and its text.
    pub(crate) fn without_arrays(program: Program, steps: Vec<Span>, (file, text): (&str, &str)) -> Self {
        Self {
            program,
            arrays: Vec::new(),
            steps,
            sources: Sources::of(file, text.to_owned()),
        }
    }

    /// The array of that name.
    pub fn array(&self, name: &str) -> Option<&NamedArray> {
        self.arrays.iter().find(|array| array.name == name)
    }

    /// The arrays that lie in the data buffer.
    pub fn data_arrays(&self) -> impl Iterator<Item = &NamedArray> {
        self.arrays.iter().filter(|array| array.role != Role::Temp)
    }
}

/// Compiles a text that includes no others; `file` names it in messages.
pub fn compile(file: &str, text: &str) -> Result<Compiled, Mistakes> {
    compile_with(Text::named(file, text), &mut |_: &str, _: &str| {
        Err("there are no files here".to_owned())
    })
}

/// Compiles a text; `loader` finds those that it includes.
///
/// ```
/// use hawser::language::{Text, compile_with};
///
/// let main = Text::named("main.hws", "include \"half.hws\"\nout y : f32[4]\ny = HALF\n");
/// let mut library = |_: &str, path: &str| match path {
///     "half.hws" => Ok(Text::named(path, "const HALF = 1 / 2.0\n")),
///     _ => Err("no such file".to_owned()),
/// };
/// assert_eq!(compile_with(main, &mut library)?.program.step_count(), 1);
/// # Ok::<(), hawser::language::Mistakes>(())
/// ```
pub fn compile_with(main: Text, loader: &mut dyn Loader) -> Result<Compiled, Mistakes> {
    let program = include::Program::read(main, loader);
    resolve::resolve(program).map_err(|(sources, mistakes)| Mistakes::new(sources, mistakes))
}

#[cfg(test)]
mod tests;
