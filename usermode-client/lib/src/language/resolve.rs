//! Gives names their meaning and puts the program together.

use hawser_abi::op::ElementType;
use hawser_abi::pci::MEMORY_BAR_SIZE;
use hawser_abi::program::{MAX_DATA, MAX_STEPS, Step};
use hawser_core::Limits;

use super::assignment::Scope;
use super::constant;
use super::layout::{DoesNotFit, Space};
use super::mistake::Mistake;
use super::problem::Problem;
use super::span::Span;
use super::symbols::{Symbol, Symbols, Trouble};
use super::syntax::{Declaration, Expression, Number, Statement, Value, Word};
use super::{Compiled, NamedArray, Role};
use crate::program::{Sizes, assemble};

/// An array, where it is declared, and whether the program has written it yet.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) array: NamedArray,
    pub(super) declared: Span,
    pub(super) written: bool,
}

/// The arrays, by the indices that [`Symbol::Array`] holds.
#[derive(Debug, Default)]
pub(super) struct Arrays(Vec<Known>);

impl Arrays {
    pub(super) fn get(&self, index: usize) -> &Known {
        &self.0[index]
    }
}

/// Resolves a text. Something comes back if there was nothing to keep the program from being put together.
pub(super) fn resolve(statements: &[Statement<'_>], mistakes: &mut Vec<Mistake>) -> Option<Compiled> {
    let mut resolver = Resolver::new();
    for statement in statements {
        match resolver.statement(statement) {
            Ok(()) | Err(Trouble::Consequence) => {}
            Err(Trouble::Mistake(mistake)) => mistakes.push(mistake),
        }
    }
    if mistakes.is_empty() {
        mistakes.extend(resolver.whole_program());
    }
    if mistakes.is_empty() {
        resolver.finish(mistakes)
    } else {
        None
    }
}

struct Resolver<'t> {
    symbols: Symbols<'t>,
    arrays: Arrays,
    data: Space,
    scratch: Space,
    steps: Vec<Step>,
    spans: Vec<Span>,
}

impl<'t> Resolver<'t> {
    fn new() -> Self {
        Self {
            symbols: Symbols::default(),
            arrays: Arrays::default(),
            data: Space::of(MAX_DATA),
            scratch: Space::of(MEMORY_BAR_SIZE),
            steps: Vec::new(),
            spans: Vec::new(),
        }
    }

    fn statement(&mut self, statement: &Statement<'t>) -> Result<(), Trouble> {
        match statement {
            Statement::Broken { name } => {
                self.symbols.declare_broken(*name);
                Ok(())
            }
            Statement::Constant { name, number } => self.declare_constant(*name, *number),
            Statement::Array(declaration) => self.declare(declaration).inspect_err(|_| {
                self.symbols.declare_broken(declaration.name);
            }),
            Statement::Assignment {
                target,
                expression,
                span,
            } => self.assign(*target, expression, *span),
        }
    }

    /// A constant takes its type where it is used, but what no type has as a number is a mistake even if nobody uses it.
    fn declare_constant(&mut self, name: Word<'t>, number: Number<'t>) -> Result<(), Trouble> {
        if let Err(problem) = constant::is_number(&number) {
            self.symbols.declare_broken(name);
            return Err(Mistake::new(problem, number.span).into());
        }
        Ok(self.symbols.declare(name, Symbol::Constant(number))?)
    }

    fn declare(&mut self, declaration: &Declaration<'t>) -> Result<(), Trouble> {
        let Declaration { role, name, .. } = *declaration;
        let element = element_type(declaration.element)?;
        let count = self.count(declaration.count)?;
        let at = declaration.count.span();
        let offset = match role {
            Role::Temp => self
                .scratch
                .place(count, element.size())
                .map_err(|DoesNotFit { length, limit }| Mistake::new(Problem::ScratchTooLarge { length, limit }, at)),
            _ => self
                .data
                .place(count, element.size())
                .map_err(|DoesNotFit { length, limit }| Mistake::new(Problem::DataTooLarge { length, limit }, at)),
        }?;
        self.symbols.declare(name, Symbol::Array(self.arrays.0.len()))?;
        let array = NamedArray {
            name: name.text.into(),
            role,
            element,
            count,
            offset,
        };
        self.arrays.0.push(Known {
            array,
            declared: name.span,
            written: false,
        });
        Ok(())
    }

    fn count(&self, value: Value<'t>) -> Result<u64, Trouble> {
        let (number, declared) = match value {
            Value::Number(number) => (number, None),
            Value::Name(name) => {
                let declared = self.symbols.look_up(name)?;
                match declared.symbol {
                    Symbol::Constant(number) => (number, Some(declared.at)),
                    _ => {
                        let problem = Problem::NotANumber { name: name.text.into() };
                        return Err(Mistake::new(problem, name.span)
                            .also(declared.at, "declared here")
                            .into());
                    }
                }
            }
        };
        constant::count(&number).map_err(|problem| {
            let mistake = Mistake::new(problem, value.span());
            declared
                .map_or(mistake.clone(), |at| mistake.also(at, "declared here"))
                .into()
        })
    }

    fn assign(&mut self, target: Word<'t>, expression: &Expression<'t>, span: Span) -> Result<(), Trouble> {
        let scope = Scope {
            symbols: &self.symbols,
            arrays: &self.arrays,
        };
        let index = scope.target(target)?;
        let step = scope.step(index, target, expression);
        // Also after a mistake, which would otherwise be reported again for every use.
        self.arrays.0[index].written = true;
        if self.steps.len() >= MAX_STEPS as usize {
            let first = self.steps.len() == MAX_STEPS as usize && self.spans.len() == self.steps.len();
            self.spans.push(span);
            let mistake = Mistake::new(Problem::TooManySteps { limit: MAX_STEPS }, span);
            return Err(if first {
                mistake.label("one too many").into()
            } else {
                Trouble::Consequence
            });
        }
        self.steps.push(step?);
        self.spans.push(span);
        Ok(())
    }

    /// What is wrong with the program as a whole.
    fn whole_program(&self) -> Vec<Mistake> {
        let never_written = |known: &Known| known.array.role.is_output() && !known.written;
        let mut mistakes: Vec<_> = self
            .arrays
            .0
            .iter()
            .filter(|known| never_written(known))
            .map(|known| {
                let (name, role) = (known.array.name.clone(), known.array.role.name());
                Mistake::new(Problem::NeverWritten { name, role }, known.declared)
            })
            .collect();
        if self.steps.is_empty() {
            mistakes.push(Mistake::new(Problem::NoSteps, Span::default()));
        } else if self.data.used() == 0 {
            mistakes.push(Mistake::new(Problem::NoData, Span::default()));
        }
        mistakes
    }

    fn finish(self, mistakes: &mut Vec<Mistake>) -> Option<Compiled> {
        let sizes = Sizes {
            data: self.data.used(),
            scratch: self.scratch.used(),
        };
        let program = assemble(&self.steps, sizes);
        // The rules above leave nothing that a driver refuses; should one be missing here, this is where it shows.
        if let Err(refusal) = program.check(&Limits::default()) {
            let step = refusal.step.and_then(|step| self.spans.get(step as usize));
            mistakes.push(Mistake::new(
                Problem::Refused(refusal),
                step.copied().unwrap_or_default(),
            ));
            return None;
        }
        let arrays = self.arrays.0.into_iter().map(|known| known.array).collect();
        Some(Compiled {
            program,
            arrays,
            steps: self.spans,
        })
    }
}

fn element_type(word: Word<'_>) -> Result<ElementType, Mistake> {
    ElementType::ALL
        .into_iter()
        .find(|element| element.name() == word.text)
        .ok_or_else(|| Mistake::new(Problem::UnknownType { name: word.text.into() }, word.span))
}
