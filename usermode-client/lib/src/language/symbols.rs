//! Names and what they stand for.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;

use hawser_abi::op::{ElementType, Opcode};

use super::constant::Constant;
use super::mistake::Mistake;
use super::problem::Problem;
use super::span::Span;
use super::syntax::Word;

/// Words that cannot be names, beside those of element types and operations.
const WORDS: [&str; 7] = ["in", "out", "inout", "temp", "const", "inf", "nan"];

/// What a name stands for.
#[derive(Clone, Debug)]
pub(super) enum Symbol {
    /// The array with this index.
    Array(usize),
    /// A constant.
    Constant(Constant),
    /// The function with this index.
    Function(usize),
    /// Something whose declaration has a mistake; its uses are not reported as well.
    Broken,
}

/// Why something cannot be resolved.
#[derive(Debug)]
pub(super) enum Trouble {
    /// A mistake.
    Mistake(Box<Mistake>),
    /// A mistake that has been reported elsewhere.
    Consequence,
    /// A mistake after which it makes no sense to go on.
    Fatal(Box<Mistake>),
}

impl From<Mistake> for Trouble {
    fn from(mistake: Mistake) -> Self {
        Self::Mistake(Box::new(mistake))
    }
}

/// A name and where it is declared.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) symbol: Symbol,
    pub(super) at: Span,
    /// The line, counted over all texts of the program.
    line: usize,
}

/// All names, and those of the blocks around a statement.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    names: HashMap<Rc<str>, Declared>,
    /// The line that is looked at: names that are declared below it are not known.
    line: usize,
    /// A text is missing, and what it declares: names that are not known are none of the mistakes.
    pub(super) lack_names: bool,
    /// The variables of the blocks, the innermost last.
    variables: Vec<(Word, Constant)>,
}

impl Symbols {
    /// Goes to a line, counted over all texts of the program.
    pub(super) fn set_line(&mut self, line: usize) {
        self.line = line;
    }

    /// Declares a name; the first declaration stays.
    pub(super) fn declare(&mut self, name: &Word, symbol: Symbol) -> Result<(), Mistake> {
        check_name(name)?;
        match self.names.entry(name.text.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(Declared {
                    symbol,
                    at: name.span,
                    line: self.line,
                });
                Ok(())
            }
            Entry::Occupied(entry) => Err(redefined(name, entry.get().at)),
        }
    }

    /// Remembers a name whose declaration has a mistake.
    pub(super) fn declare_broken(&mut self, name: &Word) {
        self.names.entry(name.text.clone()).or_insert(Declared {
            symbol: Symbol::Broken,
            at: name.span,
            line: self.line,
        });
    }

    /// Begins a block with this variable, or gives it its next value.
    pub(super) fn enter(&mut self, variable: &Word, value: i128) -> Result<(), Mistake> {
        check_name(variable)?;
        if let Some((outer, _)) = self.variables.iter().find(|(name, _)| name.text == variable.text) {
            return Err(redefined(variable, outer.span));
        }
        if let Some(declared) = self.names.get(&variable.text) {
            let name = Word {
                span: declared.at,
                ..variable.clone()
            };
            return Err(match declared.line <= self.line {
                true => redefined(variable, declared.at),
                false => redefined(&name, variable.span),
            });
        }
        self.variables.push((variable.clone(), Constant::Integer(value)));
        Ok(())
    }

    /// Ends the innermost block that has a variable.
    pub(super) fn leave(&mut self) {
        self.variables.pop();
    }

    /// A mistake in the blocks, with the values that their variables have.
    pub(super) fn at_values(&self, mistake: Mistake) -> Mistake {
        let also = |mistake: Mistake, (name, value): &(Word, Constant)| {
            mistake.also(name.span, format!("`{}` is {value}", name.text))
        };
        self.variables.iter().fold(mistake, also)
    }

    /// What a name stands for in a block.
    pub(super) fn look_up(&self, name: &Word) -> Result<Declared, Trouble> {
        let variable = self.variables.iter().find(|(variable, _)| variable.text == name.text);
        match variable {
            Some((variable, value)) => Ok(Declared {
                symbol: Symbol::Constant(value.clone()),
                at: variable.span,
                line: self.line,
            }),
            None => self.look_up_global(name),
        }
    }

    /// What a name stands for outside all blocks.
    pub(super) fn look_up_global(&self, name: &Word) -> Result<Declared, Trouble> {
        match self.find(&name.text) {
            None if self.lack_names => Err(Trouble::Consequence),
            None => Err(Mistake::new(
                Problem::UnknownName {
                    name: name.text.to_string(),
                },
                name.span,
            )
            .into()),
            Some(Declared {
                symbol: Symbol::Broken, ..
            }) => Err(Trouble::Consequence),
            Some(declared) => Ok(declared.clone()),
        }
    }

    /// The declaration of a name above the line that is looked at, whatever it is.
    pub(super) fn find(&self, name: &str) -> Option<&Declared> {
        self.names.get(name).filter(|declared| declared.line <= self.line)
    }
}

pub(super) fn redefined(name: &Word, first: Span) -> Mistake {
    let problem = Problem::Redefined {
        name: name.text.to_string(),
    };
    Mistake::new(problem, name.span)
        .label("again")
        .also(first, "first here")
}

/// Refuses a name that is a word of the language.
pub(super) fn check_name(name: &Word) -> Result<(), Mistake> {
    if !is_reserved(&name.text) {
        return Ok(());
    }
    Err(reserved(name))
}

pub(super) fn reserved(name: &Word) -> Mistake {
    let problem = Problem::Reserved {
        name: name.text.to_string(),
    };
    Mistake::new(problem, name.span)
}

pub(super) fn is_reserved(name: &str) -> bool {
    WORDS.contains(&name) || ElementType::named(name).is_some() || Opcode::named(name).is_some()
}
