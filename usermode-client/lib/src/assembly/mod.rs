//! The assembly `.hwa` of programs: one line for each step, as `docs/assembly.md` describes it.
//!
//! [`disassemble`] writes it and [`assemble`] reads it. What a step looks like follows from the table of operations,
//! [`hawser_abi::rules`]; what does not fit that table is written field by field, so that every file of whole steps can be looked at,
//! changed, and put together again, whether or not a driver would accept it:
//!
//! bytes → `fields`, `number` → `disassemble` → text → `token` → `parser`, `step` → bytes.

mod disassemble;
mod fields;
mod mistake;
mod number;
mod parser;
mod problem;
mod step;
#[cfg(test)]
mod tests;
mod token;

use crate::language::{Compiled, Span};

pub use disassemble::{NotWhole, disassemble};
pub use mistake::{Mistake, Mistakes};
pub use problem::Problem;

/// Assembles a text; `file` names it in messages. The program has no arrays, and nobody has checked it: assembly can say what a driver
/// refuses.
pub fn assemble(file: &str, text: &str) -> Result<Compiled, Mistakes> {
    let (program, steps) = parser::parse(text).map_err(|mistakes| Mistakes::new(file, text, mistakes))?;
    Ok(Compiled::without_arrays(program, steps, (file, text)))
}

/// A place in the text.
fn place(range: std::ops::Range<usize>) -> Span {
    Span {
        start: range.start,
        end: range.end,
        ..Span::default()
    }
}
