//! Reads a step by the rules of its operation.

use hawser_abi::op::{ElementType, Opcode, Predicate};
use hawser_abi::program::{OperandIndex, Space, Step, step_flags};
use hawser_abi::rules::{ABSENT, AuxUse, IMMEDIATE, OperandRule, Rule, rule};
use zerocopy::FromZeros;

use super::mistake::Mistake;
use super::number;
use super::parser::{Line, Parsed};
use super::place;
use super::problem::Problem;
use super::token::{Kind, Token};
use crate::language::Span;

/// What stands before the operands.
struct Head {
    operation: Opcode,
    rule: &'static Rule,
    element: ElementType,
    /// Where the step asks for saturation, if it does.
    saturate: Option<Span>,
}

/// An operand as it is written.
enum Operand {
    Memory(Space, u64),
    Immediate(u64),
}

/// The numbers behind the operands.
#[derive(Default)]
struct Tail {
    count: Option<u64>,
    predicate: Option<Predicate>,
    source: Option<ElementType>,
    rows: Option<u32>,
    columns: Option<u32>,
}

/// Reads a step.
pub(super) fn step(line: &mut Line<'_, '_>) -> Parsed<Step> {
    let head = head(line)?;
    let mut step = Step {
        opcode: head.operation as u8,
        element_type: head.element as u8,
        ..Step::new_zeroed()
    };
    operands(line, &head, &mut step)?;
    let tail = tail(line, &head)?;
    tail.fill(&head, line.whole(), &mut step)?;
    if let Some(at) = head.saturate {
        check_saturation(&head, tail.source).map_err(|problem| Mistake { problem, at })?;
        step.flags = step_flags::SATURATE;
    }
    Ok(step)
}

fn head(line: &mut Line<'_, '_>) -> Parsed<Head> {
    const EXPECTED: &str = "a directive, or an operation with its type, like `add.f32`";
    let word = line.token(Kind::Word, EXPECTED)?;
    let mut parts = parts(word);
    let (name, at) = parts.next().unwrap_or(("", word.at));
    let operation = Opcode::named(name).ok_or_else(|| mistake(Problem::UnknownOperation { name: name.into() }, at))?;
    let expected = |found: &str, at| {
        let found = found.into();
        mistake(
            Problem::Expected {
                expected: EXPECTED,
                found,
            },
            at,
        )
    };
    let (name, at) = parts.next().ok_or_else(|| expected(word.text, word.at))?;
    let (rule, element) = (rule(operation), taken_element(operation, name, at)?);
    let saturate = match parts.next() {
        None => None,
        Some(("sat", at)) => Some(at),
        Some((other, at)) => return Err(expected(other, at)),
    };
    match parts.next() {
        Some((other, at)) => Err(expected(other, at)),
        None => Ok(Head {
            operation,
            rule,
            element,
            saturate,
        }),
    }
}

/// The parts of a word between its points, with their places.
fn parts(word: Token<'_>) -> impl Iterator<Item = (&str, Span)> {
    let mut start = word.at.start;
    word.text.split('.').map(move |part| {
        let at = place(start..start + part.len());
        start = at.end + 1;
        (part, at)
    })
}

fn mistake(problem: Problem, at: Span) -> Mistake {
    Mistake { problem, at }
}

/// The element type of that name, which the operation has to take.
fn taken_element(operation: Opcode, name: &str, at: Span) -> Parsed<ElementType> {
    let element = ElementType::named(name).ok_or_else(|| mistake(Problem::UnknownType { name: name.into() }, at))?;
    if rule(operation).types & element.bit() == 0 {
        let (operation, element) = (operation.name(), element.name());
        return Err(mistake(Problem::TypeNotTaken { operation, element }, at));
    }
    Ok(element)
}

fn operands(line: &mut Line<'_, '_>, head: &Head, step: &mut Step) -> Parsed<()> {
    let mut immediate = None;
    let places = step.spaces.iter_mut().zip(&mut step.offsets);
    for ((index, rule), (space, offset)) in OperandIndex::ALL.into_iter().zip(&head.rule.operands).zip(places) {
        if rule.spaces == ABSENT {
            continue;
        }
        if index != OperandIndex::Dst {
            line.token(Kind::Comma, "`,` and an operand")?;
        }
        let (operand, at) = operand(line, head.element)?;
        *space = match operand {
            Operand::Memory(space, _) => space,
            Operand::Immediate(_) => Space::Immediate,
        } as u8;
        if rule.spaces & 1 << *space == 0 {
            return Err(mistake(wrong_operand(head, index, *rule), at));
        }
        match operand {
            Operand::Memory(_, bytes) => *offset = bytes,
            Operand::Immediate(bits) if immediate.is_some_and(|earlier| earlier != bits) => {
                return Err(mistake(Problem::TwoImmediates, at));
            }
            Operand::Immediate(bits) => immediate = Some(bits),
        }
    }
    step.immediate = immediate.unwrap_or_default();
    Ok(())
}

fn wrong_operand(head: &Head, index: OperandIndex, rule: OperandRule) -> Problem {
    Problem::WrongOperand {
        operation: head.operation.name(),
        operand: index.name(),
        expected: match rule.spaces {
            IMMEDIATE => "an immediate",
            _ => "memory, `data[...]` or `scratch[...]`",
        },
    }
}

/// Reads an operand; an immediate is an element of the step's type.
fn operand(line: &mut Line<'_, '_>, element: ElementType) -> Parsed<(Operand, Span)> {
    const EXPECTED: &str = "an operand: `data[...]`, `scratch[...]` or a number";
    if let Some(token) = line.take(Kind::Number) {
        return immediate(token, element);
    }
    let refused = line.expected(EXPECTED);
    let word = line.take(Kind::Word).ok_or_else(|| refused.clone())?;
    let space = match word.text {
        "inf" | "nan" => return immediate(word, element),
        "bits" => {
            line.token(Kind::Open, "`(`")?;
            let bits = line.unsigned(u64::MAX >> (64 - 8 * element.size()))?;
            let close = line.token(Kind::Close, "`)`")?;
            return Ok((Operand::Immediate(bits), word.at.to(close.at)));
        }
        "data" => Space::Data,
        "scratch" => Space::Scratch,
        _ => return Err(refused),
    };
    line.token(Kind::OpenBracket, "`[` and an offset in bytes")?;
    let offset = line.unsigned(u64::MAX)?;
    let close = line.token(Kind::CloseBracket, "`]`")?;
    Ok((Operand::Memory(space, offset), word.at.to(close.at)))
}

fn immediate(token: Token<'_>, element: ElementType) -> Parsed<(Operand, Span)> {
    let bits = number::bits(token.text, element).map_err(|problem| mistake(problem, token.at))?;
    Ok((Operand::Immediate(bits), token.at))
}

/// Reads what stands behind the operands, in any order, each at most once.
fn tail(line: &mut Line<'_, '_>, head: &Head) -> Parsed<Tail> {
    let mut tail = Tail::default();
    let aux = head.rule.aux;
    loop {
        let unexpected = line.expected(match aux {
            AuxUse::Unused if tail.count.is_some() => "the end of the line",
            AuxUse::Unused => "`count`",
            AuxUse::Predicate => "`count` or `when`",
            AuxUse::SourceType => "`count` or `from`",
            AuxUse::Product => "`count`, `rows` or `columns`",
            AuxUse::Rows => "`count` or `rows`",
        });
        let Some(word) = line.take(Kind::Word) else {
            return Ok(tail);
        };
        let rows = u64::from(u32::MAX);
        let first = match (word.text, aux) {
            ("count", _) => tail.count.replace(line.unsigned(u64::MAX)?).is_none(),
            ("when", AuxUse::Predicate) => tail.predicate.replace(predicate(line)?).is_none(),
            ("from", AuxUse::SourceType) => {
                let name = line.token(Kind::Word, "an element type")?;
                let source = taken_element(head.operation, name.text, name.at)?;
                tail.source.replace(source).is_none()
            }
            ("rows", AuxUse::Product | AuxUse::Rows) => tail.rows.replace(line.unsigned(rows)? as u32).is_none(),
            ("columns", AuxUse::Product) => tail.columns.replace(line.unsigned(rows)? as u32).is_none(),
            _ => return Err(unexpected),
        };
        if !first {
            return Err(mistake(Problem::Twice { name: word.text.into() }, word.at));
        }
    }
}

fn predicate(line: &mut Line<'_, '_>) -> Parsed<Predicate> {
    let name = line.token(Kind::Word, "a comparison")?;
    Predicate::named(name.text).ok_or_else(|| {
        let problem = Problem::UnknownPredicate { name: name.text.into() };
        mistake(problem, name.at)
    })
}

impl Tail {
    /// Puts the numbers into the step; all that the operation needs have to be there.
    fn fill(&self, head: &Head, line: Span, step: &mut Step) -> Parsed<()> {
        let missing = |missing| {
            let operation = head.operation.name();
            mistake(Problem::Missing { operation, missing }, line)
        };
        step.count = self.count.ok_or_else(|| missing("`count` and a number"))?;
        match head.rule.aux {
            AuxUse::Unused => {}
            AuxUse::Predicate => {
                let predicate = self.predicate.ok_or_else(|| missing("`when` and a comparison"))?;
                step.aux[0] = predicate as u32;
            }
            AuxUse::SourceType => {
                let source = self.source.ok_or_else(|| missing("`from` and an element type"))?;
                step.aux_type = source as u8;
            }
            AuxUse::Rows | AuxUse::Product => {
                step.aux[0] = self.rows.ok_or_else(|| missing("`rows` and a number"))?;
                if head.rule.aux == AuxUse::Product {
                    step.aux[1] = self.columns.ok_or_else(|| missing("`columns` and a number"))?;
                }
            }
        }
        Ok(())
    }
}

/// A conversion saturates where both of its types do.
fn check_saturation(head: &Head, source: Option<ElementType>) -> Result<(), Problem> {
    let types = [Some(head.element), source];
    let refusing = types
        .into_iter()
        .flatten()
        .find(|element| head.rule.flags(*element) & step_flags::SATURATE == 0);
    match refusing {
        None => Ok(()),
        Some(element) => Err(Problem::FlagNotTaken {
            operation: head.operation.name(),
            element: element.name(),
        }),
    }
}
