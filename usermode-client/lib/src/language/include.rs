//! Reads a program and all that it includes.

use std::collections::HashSet;

use super::mistake::Mistake;
use super::parser::parse;
use super::problem::Problem;
use super::sources::{Loader, Sources, Text};
use super::span::SourceId;
use super::syntax::{Statement, Word};

/// Files within files.
const MAX_INCLUDES_WITHIN: usize = 16;

/// The statements of a program, in the place of each `include` those of the text that it names.
pub(super) struct Program {
    pub(super) sources: Sources,
    pub(super) statements: Vec<Statement>,
    pub(super) mistakes: Vec<Mistake>,
    /// There is a text that could not be included: names may be missing.
    pub(super) lacks_texts: bool,
}

impl Program {
    /// Reads a program. A text that has been read is not read again, so that texts may include each other.
    pub(super) fn read(main: Text, loader: &mut dyn Loader) -> Self {
        let (parsed, mistakes) = parse(&main.text, SourceId::default());
        let mut reading = Reading {
            loader,
            seen: HashSet::from([main.identity]),
            program: Self {
                sources: Sources::of(&main.name, main.text),
                statements: Vec::new(),
                mistakes,
                lacks_texts: false,
            },
        };
        reading.add(parsed, 0);
        reading.program
    }
}

struct Reading<'l> {
    loader: &'l mut dyn Loader,
    /// Identities of the texts that have been read.
    seen: HashSet<String>,
    program: Program,
}

impl Reading<'_> {
    fn add(&mut self, statements: Vec<Statement>, depth: usize) {
        for statement in statements {
            match statement {
                Statement::Include { path } => {
                    if let Err(problem) = self.include(&path, depth) {
                        self.program.mistakes.push(Mistake::new(problem, path.span));
                        self.program.lacks_texts = true;
                    }
                }
                Statement::Excluded => self.program.lacks_texts = true,
                other => self.program.statements.push(other),
            }
        }
    }

    fn include(&mut self, path: &Word, depth: usize) -> Result<(), Problem> {
        if depth >= MAX_INCLUDES_WITHIN {
            return Err(Problem::IncludesTooDeep {
                limit: MAX_INCLUDES_WITHIN,
            });
        }
        let includer = self.program.sources.get(path.span.source).name().to_owned();
        let known = self.loader.identity(&includer, &path.text);
        if known.is_some_and(|identity| self.seen.contains(&identity)) {
            return Ok(());
        }
        let text = self
            .loader
            .load(&includer, &path.text)
            .map_err(|why| Problem::CannotInclude {
                path: path.text.to_string(),
                why,
            })?;
        if !self.seen.insert(text.identity) {
            return Ok(());
        }
        let id = self.program.sources.add(&text.name, text.text.clone());
        let (statements, mistakes) = parse(&text.text, id);
        self.program.mistakes.extend(mistakes);
        self.add(statements, depth + 1);
        Ok(())
    }
}
