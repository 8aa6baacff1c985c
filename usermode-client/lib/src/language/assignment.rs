//! Turns an assignment into a step.

use hawser_abi::op::{ElementType, Opcode, rev1_types};
use hawser_abi::program::{OperandIndex, Space, Step};
use zerocopy::FromZeros;

use super::constant;
use super::mistake::Mistake;
use super::problem::Problem;
use super::resolve::{Arrays, Known};
use super::span::Span;
use super::symbols::{Declared, Symbol, Symbols, Trouble};
use super::syntax::{Expression, Number, Value, Word};
use super::{NamedArray, Role};

/// What may stand in the place of a source.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Array,
    Number,
    Either,
}

/// The sources of an operation, and how a message calls them.
fn sources_of(operation: Opcode) -> Option<(&'static [Takes], &'static str)> {
    use Takes::{Array, Either, Number};
    Some(match operation {
        Opcode::Copy | Opcode::Sum => (&[Array], "one array"),
        Opcode::Fill => (&[Number], "one number"),
        Opcode::Add | Opcode::Sub | Opcode::Mul | Opcode::Div | Opcode::Min | Opcode::Max => {
            (&[Either, Either], "two arrays or numbers")
        }
        Opcode::Fma => (&[Either, Either, Either], "three arrays or numbers"),
        _ => return None,
    })
}

/// A source, resolved.
#[derive(Clone, Copy)]
enum Source<'a, 't> {
    Array(&'a Known, Span),
    Constant {
        number: Number<'t>,
        at: Span,
        declared: Option<Span>,
    },
}

impl Source<'_, '_> {
    fn span(&self) -> Span {
        match self {
            Self::Array(_, at) | Self::Constant { at, .. } => *at,
        }
    }
}

/// The names that an assignment can use.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a, 't> {
    pub(super) symbols: &'a Symbols<'t>,
    pub(super) arrays: &'a Arrays,
}

/// An operation on its destination.
#[derive(Clone, Copy)]
struct Target<'a> {
    operation: Opcode,
    array: &'a NamedArray,
    declared: Span,
}

impl<'a, 't> Scope<'a, 't> {
    /// The index of the array that is assigned to.
    pub(super) fn target(&self, target: Word<'t>) -> Result<usize, Trouble> {
        match self.symbols.look_up(target)? {
            Declared {
                symbol: Symbol::Array(index),
                ..
            } => Ok(index),
            Declared { at, .. } => {
                let problem = Problem::NotAnArray {
                    name: target.text.into(),
                };
                Err(Mistake::new(problem, target.span).also(at, "declared here").into())
            }
        }
    }

    /// The step that writes `expression` to the array `target`.
    pub(super) fn step(&self, index: usize, target: Word<'t>, expression: &Expression<'t>) -> Result<Step, Trouble> {
        let destination = self.arrays.get(index);
        if destination.array.role == Role::In {
            let problem = Problem::WriteToInput {
                name: target.text.into(),
            };
            return Err(Mistake::new(problem, target.span)
                .also(destination.declared, "declared here")
                .into());
        }
        let (operation, sources) = self.operation_and_sources(expression)?;
        let at = match expression {
            Expression::Call { operation, .. } => operation.span,
            Expression::Value(value) => value.span(),
        };
        let element = destination.array.element;
        if rev1_types(operation) & element.bit() == 0 {
            let problem = Problem::TypeNotComputed {
                operation: operation.name(),
                element: element.name(),
            };
            return Err(Mistake::new(problem, at)
                .also(destination.declared, "declared here")
                .into());
        }
        let target = Target {
            operation,
            array: &destination.array,
            declared: destination.declared,
        };
        Ok(target.step(&sources)?)
    }

    fn operation_and_sources(&self, expression: &Expression<'t>) -> Result<(Opcode, Vec<Source<'a, 't>>), Trouble> {
        match expression {
            Expression::Value(value) => {
                let source = self.source(value)?;
                let operation = match source {
                    Source::Array(..) => Opcode::Copy,
                    Source::Constant { .. } => Opcode::Fill,
                };
                Ok((operation, vec![source]))
            }
            Expression::Call {
                operation: word,
                values,
            } => {
                let operation = operation_named(*word)?;
                let sources = values
                    .iter()
                    .map(|value| self.source(value))
                    .collect::<Result<Vec<_>, _>>()?;
                check_sources(operation, *word, &sources)?;
                Ok((operation, sources))
            }
        }
    }

    fn source(&self, value: &Value<'t>) -> Result<Source<'a, 't>, Trouble> {
        let name = match value {
            Value::Number(number) => {
                return Ok(Source::Constant {
                    number: *number,
                    at: number.span,
                    declared: None,
                });
            }
            Value::Name(name) => *name,
        };
        let declared = self.symbols.look_up(name)?;
        match declared.symbol {
            Symbol::Constant(number) => Ok(Source::Constant {
                number,
                at: name.span,
                declared: Some(declared.at),
            }),
            Symbol::Broken => Err(Trouble::Consequence),
            Symbol::Array(index) => {
                let known = self.arrays.get(index);
                if known.written || known.array.role.is_input() {
                    return Ok(Source::Array(known, name.span));
                }
                let problem = Problem::ReadBeforeWrite { name: name.text.into() };
                Err(Mistake::new(problem, name.span)
                    .also(known.declared, "declared here")
                    .into())
            }
        }
    }
}

fn operation_named(word: Word<'_>) -> Result<Opcode, Mistake> {
    Opcode::ALL
        .into_iter()
        .find(|operation| operation.name() == word.text)
        .ok_or_else(|| Mistake::new(Problem::UnknownOperation { name: word.text.into() }, word.span))
}

/// The sources are as many as the operation takes, and of the kinds that it takes.
fn check_sources(operation: Opcode, word: Word<'_>, sources: &[Source<'_, '_>]) -> Result<(), Mistake> {
    let name = operation.name();
    let Some((takes, expected)) = sources_of(operation) else {
        return Err(Mistake::new(Problem::OperationNotRun { name }, word.span));
    };
    if takes.len() != sources.len() {
        let problem = Problem::WrongArity {
            operation: name,
            expected,
            found: sources.len(),
        };
        return Err(Mistake::new(problem, word.span));
    }
    for (takes, source) in takes.iter().zip(sources) {
        match (takes, source) {
            (Takes::Array, Source::Constant { at, .. }) => {
                return Err(Mistake::new(Problem::ArrayNeeded { operation: name }, *at));
            }
            (Takes::Number, Source::Array(known, at)) => {
                let problem = Problem::NotANumber {
                    name: known.array.name.clone(),
                };
                return Err(Mistake::new(problem, *at).also(known.declared, "declared here"));
            }
            _ => {}
        }
    }
    Ok(())
}

impl Target<'_> {
    fn step(&self, sources: &[Source<'_, '_>]) -> Result<Step, Mistake> {
        let element = self.array.element;
        let mut step = Step {
            opcode: self.operation as u8,
            element_type: element as u8,
            count: self.array.count,
            ..Step::new_zeroed()
        };
        place(&mut step, OperandIndex::Dst, self.array);
        let mut constant: Option<Span> = None;
        for (source, operand) in sources.iter().zip([OperandIndex::A, OperandIndex::B, OperandIndex::C]) {
            match source {
                Source::Array(known, at) => {
                    self.check_array(known, *at)?;
                    place(&mut step, operand, &known.array);
                    if self.operation == Opcode::Sum {
                        step.count = known.array.count;
                    }
                }
                Source::Constant { number, at, declared } => {
                    let bits = self.bits(number, *at, *declared)?;
                    if let Some(other) = constant.filter(|_| step.immediate != bits) {
                        return Err(Mistake::new(Problem::TwoConstants, *at)
                            .label("another")
                            .also(other, "one"));
                    }
                    constant = Some(*at);
                    step.immediate = bits;
                    step.spaces[operand as usize] = Space::Immediate as u8;
                }
            }
        }
        self.check_divisor(&step, sources)?;
        Ok(step)
    }

    fn check_array(&self, source: &Known, at: Span) -> Result<(), Mistake> {
        let (name, found) = (source.array.name.clone(), source.array.element);
        if found != self.array.element {
            let problem = Problem::TypeMismatch {
                name,
                found: found.name(),
                expected: self.array.element.name(),
            };
            return Err(Mistake::new(problem, at).also(self.declared, "destination declared here"));
        }
        if self.operation == Opcode::Sum {
            return self.check_sum(source, at);
        }
        if source.array.count != self.array.count {
            let problem = Problem::LengthMismatch {
                name,
                found: source.array.count,
                expected: self.array.count,
            };
            return Err(Mistake::new(problem, at).also(self.declared, "destination declared here"));
        }
        Ok(())
    }

    fn check_sum(&self, source: &Known, at: Span) -> Result<(), Mistake> {
        if source.declared == self.declared {
            return Err(Mistake::new(
                Problem::InPlace {
                    operation: self.operation.name(),
                },
                at,
            ));
        }
        if self.array.count != 1 {
            let name = self.array.name.clone();
            let problem = Problem::LengthMismatch {
                name,
                found: self.array.count,
                expected: 1,
            };
            return Err(Mistake::new(problem, self.declared)
                .label("the destination of a sum")
                .also(at, "summed here"));
        }
        Ok(())
    }

    fn bits(&self, number: &Number<'_>, at: Span, declared: Option<Span>) -> Result<u64, Mistake> {
        constant::bits(number, self.array.element).map_err(|problem| {
            let mistake = Mistake::new(problem, at);
            match declared {
                Some(declared) => mistake.also(declared, "declared here"),
                None => mistake,
            }
        })
    }

    fn check_divisor(&self, step: &Step, sources: &[Source<'_, '_>]) -> Result<(), Mistake> {
        let is_integer = !matches!(self.array.element, ElementType::F32 | ElementType::F64);
        match sources {
            [_, divisor @ Source::Constant { .. }]
                if self.operation == Opcode::Div && is_integer && step.immediate == 0 =>
            {
                Err(Mistake::new(Problem::DivisionByZero, divisor.span()))
            }
            _ => Ok(()),
        }
    }
}

fn place(step: &mut Step, operand: OperandIndex, array: &NamedArray) {
    let space = if array.role == Role::Temp {
        Space::Scratch
    } else {
        Space::Data
    };
    step.spaces[operand as usize] = space as u8;
    step.offsets[operand as usize] = array.offset;
}
