//! Names and what they stand for.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use hawser_abi::op::{ElementType, Opcode};

use super::mistake::Mistake;
use super::problem::Problem;
use super::span::Span;
use super::syntax::{Number, Word};

/// Words that cannot be names, beside those of element types and operations.
const WORDS: [&str; 7] = ["in", "out", "inout", "temp", "const", "inf", "nan"];

/// What a name stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Symbol<'t> {
    /// The array with this index.
    Array(usize),
    /// A constant.
    Constant(Number<'t>),
    /// Something whose declaration has a mistake; its uses are not reported as well.
    Broken,
}

/// Why something cannot be resolved.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A mistake.
    Mistake(Mistake),
    /// A mistake that has been reported elsewhere.
    Consequence,
}

impl From<Mistake> for Trouble {
    fn from(mistake: Mistake) -> Self {
        Self::Mistake(mistake)
    }
}

/// A name and where it is declared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Declared<'t> {
    pub(super) symbol: Symbol<'t>,
    pub(super) at: Span,
}

/// All names.
#[derive(Debug, Default)]
pub(super) struct Symbols<'t>(HashMap<&'t str, Declared<'t>>);

impl<'t> Symbols<'t> {
    /// Declares a name; the first declaration stays.
    pub(super) fn declare(&mut self, name: Word<'t>, symbol: Symbol<'t>) -> Result<(), Mistake> {
        if is_reserved(name.text) {
            return Err(Mistake::new(Problem::Reserved { name: name.text.into() }, name.span));
        }
        match self.0.entry(name.text) {
            Entry::Vacant(entry) => {
                entry.insert(Declared { symbol, at: name.span });
                Ok(())
            }
            Entry::Occupied(entry) => {
                let problem = Problem::Redefined { name: name.text.into() };
                Err(Mistake::new(problem, name.span)
                    .label("again")
                    .also(entry.get().at, "first here"))
            }
        }
    }

    /// Remembers a name whose declaration has a mistake.
    pub(super) fn declare_broken(&mut self, name: Word<'t>) {
        self.0.entry(name.text).or_insert(Declared {
            symbol: Symbol::Broken,
            at: name.span,
        });
    }

    pub(super) fn look_up(&self, name: Word<'_>) -> Result<Declared<'t>, Trouble> {
        match self.0.get(name.text) {
            None => Err(Mistake::new(Problem::UnknownName { name: name.text.into() }, name.span).into()),
            Some(Declared {
                symbol: Symbol::Broken, ..
            }) => Err(Trouble::Consequence),
            Some(declared) => Ok(*declared),
        }
    }
}

fn is_reserved(name: &str) -> bool {
    WORDS.contains(&name)
        || ElementType::ALL.iter().any(|element| element.name() == name)
        || Opcode::ALL.iter().any(|operation| operation.name() == name)
}
