//! Gives names their meaning and puts the program together.

use std::collections::HashSet;

use hawser_abi::program::MAX_STEPS;

use super::arrays::Arrays;
use super::include::Program;
use super::lower::Lowering;
use super::mistake::Mistake;
use super::node::{Kind, Node};
use super::problem::Problem;
use super::scope::{Scope, Typed, Want, Work};
use super::shape::Shape;
use super::span::Span;
use super::symbols::{Declared, Symbol, Symbols, Trouble};
use super::syntax::{Assignment, Expression, Function, Repetition, Statement, Word};
use super::{Compiled, Role};
use crate::program::region::Region;
use crate::program::{ProgramBuilder, ProgramError};

/// Statements of blocks that may be run through.
const MAX_REPEATED: u64 = 1 << 20;

/// Puts a program together, or says what is wrong with it.
pub(super) fn resolve(program: Program) -> Result<Compiled, (super::Sources, Vec<Mistake>)> {
    let mut resolver = Resolver::new(program.sources, program.mistakes);
    resolver.symbols.lack_names = program.lacks_texts;
    for (index, statement) in program.statements.iter().enumerate() {
        resolver.symbols.set_line(index);
        let outcome = resolver.declaration(statement);
        resolver.note(outcome);
    }
    for (index, statement) in program.statements.iter().enumerate() {
        resolver.symbols.set_line(index);
        let outcome = resolver.statement(statement);
        if resolver.note(outcome) == Next::Stop {
            break;
        }
    }
    resolver.finish()
}

/// Whether there is a point in going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Go,
    Stop,
}

/// What is known of a program, from statement to statement.
pub(super) struct Resolver {
    sources: super::Sources,
    pub(super) symbols: Symbols,
    pub(super) arrays: Arrays,
    pub(super) functions: Vec<Function>,
    pub(super) builder: ProgramBuilder,
    spans: Vec<Span>,
    mistakes: Vec<Mistake>,
    /// Mistakes by their keys: what a block does wrong is told once, and what a function does wrong once for each call.
    told: HashSet<(Span, &'static str, Option<Span>)>,
    pub(super) work: Work,
    /// Statements of blocks that have been run through.
    repeated: u64,
}

impl Resolver {
    fn new(sources: super::Sources, mistakes: Vec<Mistake>) -> Self {
        Self {
            sources,
            symbols: Symbols::default(),
            arrays: Arrays::default(),
            functions: Vec::new(),
            builder: ProgramBuilder::new(),
            spans: Vec::new(),
            mistakes,
            told: HashSet::new(),
            work: Work::default(),
            repeated: 0,
        }
    }

    pub(super) fn scope(&self) -> Scope<'_> {
        Scope {
            symbols: &self.symbols,
            arrays: &self.arrays,
            functions: &self.functions,
            sources: &self.sources,
            work: &self.work,
            frame: None,
            depth: 0,
        }
    }

    /// Remembers a mistake.
    fn note(&mut self, outcome: Typed<()>) -> Next {
        let (mistake, next) = match outcome {
            Ok(()) | Err(Trouble::Consequence) => return Next::Go,
            Err(Trouble::Mistake(mistake)) => (mistake, Next::Go),
            Err(Trouble::Fatal(mistake)) => (mistake, Next::Stop),
        };
        if self.told.insert(mistake.key()) {
            self.mistakes.push(self.symbols.at_values(*mistake));
        }
        next
    }

    fn statement(&mut self, statement: &Statement) -> Typed<()> {
        self.work.begin_statement();
        match statement {
            Statement::Assignment(assignment) => self.assignment(assignment),
            Statement::Repeat(repetition) => {
                let outcome = self.repetition(repetition);
                if outcome.is_err() {
                    self.abandon(statement);
                }
                outcome
            }
            Statement::Unread { .. } => {
                self.abandon(statement);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn assignment(&mut self, assignment: &Assignment) -> Typed<()> {
        let target = self
            .target(assignment)
            .inspect_err(|_| self.wrote_all(&assignment.target))?;
        let outcome = self.steps(assignment, &target);
        // Also after a mistake, which would otherwise be reported again for every use.
        self.arrays.wrote(target.index, &target.region);
        outcome
    }

    /// The mistake in a statement has been reported; that it does not write what it would have written is not reported as well.
    fn abandon(&mut self, statement: &Statement) {
        statement
            .targets()
            .into_iter()
            .for_each(|target| self.wrote_all(target));
    }

    /// Takes all of an array as written.
    fn wrote_all(&mut self, target: &Word) {
        if let Ok(Declared {
            symbol: Symbol::Array(index),
            ..
        }) = self.symbols.look_up(target)
        {
            let region = self.arrays.get(index).region;
            self.arrays.wrote(index, &region);
        }
    }

    fn steps(&mut self, assignment: &Assignment, target: &Target) -> Typed<()> {
        let known = self.arrays.get(target.index);
        let because = (known.declared, "destination declared here");
        if known.array.role == Role::In {
            let problem = Problem::WriteToInput {
                name: known.array.name.clone(),
            };
            return Err(Mistake::new(problem, assignment.target.span)
                .also(known.declared, "declared here")
                .into());
        }
        let want = Want {
            element: target.region.element,
            because,
        };
        let scope = self.scope();
        let node = scope.value(&assignment.expression, Some(want))?;
        if node.shape.is_some_and(|found| !found.matches(&target.shape)) {
            return Err(scope.shape_mismatch(&node, &target.shape, because));
        }
        let mut lowering = Lowering::new(&mut self.builder, &mut self.spans, assignment.span);
        lowering.assign(&node, target.region, target.shape)
    }

    /// The array that is assigned to, and the part of it.
    fn target(&self, assignment: &Assignment) -> Typed<Target> {
        let Assignment { target, parts, .. } = assignment;
        let declared = self.symbols.look_up(target)?;
        let Symbol::Array(index) = declared.symbol else {
            let problem = Problem::NotAnArray {
                name: target.text.to_string(),
                what: match declared.symbol {
                    Symbol::Function(_) => "a function",
                    _ => "a constant",
                },
            };
            return Err(Mistake::new(problem, target.span)
                .also(declared.at, "declared here")
                .into());
        };
        let known = self.arrays.get(index);
        let whole = Node {
            kind: Kind::Array(index, known.region),
            element: Some(known.array.element),
            shape: Some(known.shape),
            span: target.span,
        };
        let scope = self.scope();
        let part_of = |node, places: &Vec<_>| scope.part_of(node, places, target.span);
        match parts.iter().try_fold(whole, part_of)? {
            Node {
                kind: Kind::Array(index, region),
                shape: Some(shape),
                ..
            } => Ok(Target { index, region, shape }),
            // A part of an array is one.
            _ => Err(Trouble::Consequence),
        }
    }

    fn repetition(&mut self, repetition: &Repetition) -> Typed<()> {
        let (start, end) = self.range(repetition)?;
        let times = u64::try_from(end.saturating_sub(start)).unwrap_or(u64::MAX);
        self.check_times(repetition, times)?;
        if repetition.body.is_empty() {
            return Ok(());
        }
        for value in start..end {
            if let Some(variable) = &repetition.variable {
                self.symbols.enter(variable, value)?;
            }
            let outcome = self.body(&repetition.body);
            if repetition.variable.is_some() {
                self.symbols.leave();
            }
            // What is wrong once would be so every time.
            if outcome? == Clean::No {
                return Err(Trouble::Consequence);
            }
        }
        Ok(())
    }

    /// What is too much is refused before it is run through.
    fn check_times(&mut self, repetition: &Repetition, times: u64) -> Typed<()> {
        let body = &repetition.body;
        let assignments = body.iter().filter(|inner| matches!(inner, Statement::Assignment(_)));
        // Assignments are steps, at least one each; blocks may be none.
        let steps = times.saturating_mul(assignments.count() as u64);
        self.repeated = self.repeated.saturating_add(times.saturating_mul(body.len() as u64));
        if steps <= MAX_STEPS.into() && self.repeated <= MAX_REPEATED {
            return Ok(());
        }
        let mistake = Mistake::new(Problem::TooManySteps { limit: MAX_STEPS }, repetition.span);
        Err(Trouble::Fatal(Box::new(mistake)))
    }

    fn body(&mut self, statements: &[Statement]) -> Typed<Clean> {
        let mut clean = Clean::Yes;
        for statement in statements {
            match self.statement(statement) {
                Ok(()) => {}
                Err(Trouble::Fatal(mistake)) => return Err(Trouble::Fatal(mistake)),
                trouble => {
                    self.note(trouble);
                    clean = Clean::No;
                }
            }
        }
        Ok(clean)
    }

    /// The values of the variable of a block.
    fn range(&self, repetition: &Repetition) -> Typed<(i128, i128)> {
        let start = match &repetition.start {
            Some(start) => self.bound(start)?,
            None => 0,
        };
        let end = self.bound(&repetition.end)?;
        if start > end {
            let span = repetition
                .start
                .as_ref()
                .map_or(repetition.end.span, |start| start.span);
            let number = |value: i128| u64::try_from(value).unwrap_or(u64::MAX);
            let problem = Problem::BadRange {
                start: number(start),
                end: number(end),
            };
            return Err(Mistake::new(problem, span.to(repetition.end.span)).into());
        }
        Ok((start, end))
    }

    fn bound(&self, expression: &Expression) -> Typed<i128> {
        let (constant, declared) = self.scope().constant(expression)?;
        constant.integer().filter(|value| *value >= 0).ok_or_else(|| {
            let problem = Problem::BadBound {
                text: constant.to_string(),
            };
            Mistake::new(problem, expression.span).declared(declared).into()
        })
    }

    /// What is wrong with the program as a whole.
    fn whole_program(&self) -> Vec<Mistake> {
        let mut mistakes = self.arrays.never_written();
        if self.spans.is_empty() {
            mistakes.push(Mistake::new(Problem::NoSteps, Span::default()));
        } else if self.builder.build_unchecked().data_size() == 0 {
            mistakes.push(Mistake::new(Problem::NoData, Span::default()));
        }
        mistakes
    }

    fn finish(mut self) -> Result<Compiled, (super::Sources, Vec<Mistake>)> {
        if self.mistakes.is_empty() {
            self.mistakes = self.whole_program();
        }
        if !self.mistakes.is_empty() {
            return Err((self.sources, self.mistakes));
        }
        // The rules above leave nothing that a driver refuses; should one be missing here, this is where it shows.
        match self.builder.build() {
            Ok(program) => Ok(Compiled {
                program,
                arrays: self.arrays.into_named(),
                steps: self.spans,
                sources: self.sources,
            }),
            Err(error) => {
                let step = match error {
                    ProgramError::Refused(refusal) => refusal.step.and_then(|step| self.spans.get(step as usize)),
                    _ => None,
                };
                let at = step.copied().unwrap_or_default();
                Err((self.sources, vec![Mistake::new(Problem::Refused(error.into()), at)]))
            }
        }
    }
}

/// A part of an array that is written.
struct Target {
    /// The index of the array.
    index: usize,
    region: Region,
    shape: Shape,
}

/// Whether the statements of a block had no mistakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clean {
    Yes,
    No,
}
