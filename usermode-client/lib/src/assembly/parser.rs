//! Reads assembly line by line.

use hawser_abi::program::Step;
use zerocopy::{FromZeros, IntoBytes};

use super::fields::{BLOCK, Block, Field, HEADER, STEP, find};
use super::mistake::Mistake;
use super::number;
use super::place;
use super::problem::Problem;
use super::step;
use super::token::{Kind, Token, lines};
use crate::language::Span;
use crate::program::{Program, Sizes, assemble};

pub(super) type Parsed<T> = Result<T, Mistake>;

/// The program of a text, and the place of each step. A line with a mistake does not keep the others from being read.
pub(super) fn parse(text: &str) -> Result<(Program, Vec<Span>), Vec<Mistake>> {
    let (mut source, mut mistakes) = (Source::default(), Vec::new());
    for line in lines(text) {
        let read = line.and_then(|tokens| source.line(&tokens));
        mistakes.extend(read.err());
    }
    if mistakes.is_empty() {
        Ok(source.assembled())
    } else {
        Err(mistakes)
    }
}

/// What has been read.
#[derive(Default)]
struct Source {
    header: Vec<(&'static Field, Vec<u64>)>,
    steps: Vec<Step>,
    places: Vec<Span>,
}

impl Source {
    fn line(&mut self, tokens: &[Token<'_>]) -> Parsed<()> {
        let mut line = Line::new(tokens);
        let whole = line.whole();
        if let Some(directive) = line.take(Kind::Directive) {
            match directive.text.trim_start_matches('.') {
                "step" => self.push(raw_step(&mut line)?, whole),
                name => self.directive(&mut line, name, directive.at)?,
            }
        } else {
            let step = step::step(&mut line)?;
            self.push(step, whole);
        }
        line.end()
    }

    fn push(&mut self, step: Step, place: Span) {
        self.steps.push(step);
        self.places.push(place);
    }

    fn directive(&mut self, line: &mut Line<'_, '_>, name: &str, at: Span) -> Parsed<()> {
        let field = find(&HEADER, name).ok_or_else(|| Mistake {
            problem: Problem::UnknownDirective { name: name.into() },
            at,
        })?;
        if self.header.iter().any(|(earlier, _)| *earlier == field) {
            return Err(twice(name, at));
        }
        self.header.push((field, line.numbers(field)?));
        Ok(())
    }

    fn assembled(self) -> (Program, Vec<Span>) {
        let mut bytes = assemble(&self.steps, Sizes::default()).into_bytes();
        if let Some(header) = bytes.first_chunk_mut::<BLOCK>() {
            self.header
                .iter()
                .for_each(|(field, numbers)| field.write(header, numbers));
        }
        (Program::from_bytes(bytes), self.places)
    }
}

fn twice(name: &str, at: Span) -> Mistake {
    Mistake {
        problem: Problem::Twice { name: name.into() },
        at,
    }
}

/// A step that is written field by field.
fn raw_step(line: &mut Line<'_, '_>) -> Parsed<Step> {
    let (mut block, mut written): (Block, Vec<&Field>) = ([0; BLOCK], Vec::new());
    while let Some(name) = line.take(Kind::Word) {
        let field = find(&STEP, name.text).ok_or_else(|| Mistake {
            problem: Problem::UnknownField { name: name.text.into() },
            at: name.at,
        })?;
        if written.contains(&field) {
            return Err(twice(name.text, name.at));
        }
        field.write(&mut block, &line.numbers(field)?);
        written.push(field);
    }
    if written.is_empty() {
        return Err(line.expected("a field of the step"));
    }
    let mut step = Step::new_zeroed();
    step.as_mut_bytes().copy_from_slice(&block);
    Ok(step)
}

/// What is left of a line.
pub(super) struct Line<'l, 't> {
    rest: &'l [Token<'t>],
    whole: Span,
}

impl<'l, 't> Line<'l, 't> {
    fn new(tokens: &'l [Token<'t>]) -> Self {
        let whole = match tokens {
            [first, .., last] => first.at.to(last.at),
            [only] => only.at,
            [] => Span::default(),
        };
        Self { rest: tokens, whole }
    }

    /// The line from its first token to its last.
    pub(super) fn whole(&self) -> Span {
        self.whole
    }

    /// The next token, if it is of this kind.
    pub(super) fn take(&mut self, kind: Kind) -> Option<Token<'t>> {
        let (first, rest) = self.rest.split_first().filter(|(first, _)| first.kind == kind)?;
        self.rest = rest;
        Some(*first)
    }

    /// The next token, which has to be of this kind.
    pub(super) fn token(&mut self, kind: Kind, expected: &'static str) -> Parsed<Token<'t>> {
        self.take(kind).ok_or_else(|| self.expected(expected))
    }

    /// The numbers of a field.
    fn numbers(&mut self, field: &Field) -> Parsed<Vec<u64>> {
        (0..field.numbers).map(|_| self.unsigned(field.most())).collect()
    }

    /// A number from 0 to `most`.
    pub(super) fn unsigned(&mut self, most: u64) -> Parsed<u64> {
        let token = self.token(Kind::Number, "a number")?;
        number::unsigned(token.text, most).map_err(|problem| Mistake { problem, at: token.at })
    }

    /// Refuses what comes next, or that nothing comes.
    pub(super) fn expected(&self, expected: &'static str) -> Mistake {
        match self.rest.first() {
            Some(token) => Mistake {
                problem: Problem::Expected {
                    expected,
                    found: token.text.into(),
                },
                at: token.at,
            },
            None => Mistake {
                problem: Problem::Unfinished { expected },
                at: place(self.whole.end..self.whole.end),
            },
        }
    }

    fn end(&self) -> Parsed<()> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.expected("the end of the line"))
        }
    }
}
