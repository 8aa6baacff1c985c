//! Writes programs as assembly.

use std::fmt::Write;

use hawser_abi::op::{ElementType, Opcode, Predicate};
use hawser_abi::program::{Space, Step, step_flags};
use hawser_abi::rules::{AuxUse, OperandRule, Rule, rule};
use thiserror::Error;
use zerocopy::{FromZeros, IntoBytes};

use super::fields::{BLOCK, Base, Block, Field, HEADER, STEP};
use super::number;
use crate::program::{Sizes, assemble};

/// Bytes that are not a header and whole steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotWhole {
    /// There is not even a header.
    #[error("{length} bytes are too few for a program, which begins with a header of {BLOCK}")]
    NoHeader {
        /// Bytes that there are.
        length: usize,
    },
    /// The last step is cut off.
    #[error("step {step} is cut off: it has {length} of {BLOCK} bytes")]
    CutStep {
        /// Its index.
        step: usize,
        /// Bytes of it that are there.
        length: usize,
    },
}

/// The assembly of a program, which [`assemble`](super::assemble) makes the same bytes of.
///
/// The bytes are those of an input buffer, a header and whole steps; what they say does not matter.
pub fn disassemble(program: &[u8]) -> Result<String, NotWhole> {
    let (blocks, rest) = program.as_chunks::<BLOCK>();
    let length = rest.len();
    let (header, steps) = blocks.split_first().ok_or(NotWhole::NoHeader { length })?;
    if length != 0 {
        return Err(NotWhole::CutStep {
            step: steps.len(),
            length,
        });
    }
    let mut text = directives(header, steps.len());
    for (index, block) in steps.iter().enumerate() {
        let line = step(block);
        // Writing to a string does not fail.
        let _ = match line {
            Ok(line) => writeln!(text, "{line:<80} # {index}"),
            Err(odd) => writeln!(text, "{:<80} # {index}: {odd}", raw(block)),
        };
    }
    Ok(text)
}

/// The directives of a header: its sizes, and what does not follow from the number of steps.
fn directives(header: &Block, steps: usize) -> String {
    let usual = assemble(&vec![Step::new_zeroed(); steps], Sizes::default()).into_bytes();
    let usual = usual.first_chunk().copied().unwrap_or([0; BLOCK]);
    let mut text = String::new();
    for field in &HEADER {
        let numbers = field.read(header);
        if matches!(field.name, "data_size" | "scratch_size") || numbers != field.read(&usual) {
            text += &format!(".{}{}\n", field.name, written(field, &numbers));
        }
    }
    text
}

/// A step field by field; those that are zero are left out, except the first.
fn raw(block: &Block) -> String {
    let mut text = ".step".to_owned();
    for field in &STEP {
        let numbers = field.read(block);
        if field.name == "opcode" || numbers.iter().any(|number| *number != 0) {
            text += &format!(" {}{}", field.name, written(field, &numbers));
        }
    }
    text
}

fn written(field: &Field, numbers: &[u64]) -> String {
    let number = |number: &u64| match field.base {
        Base::Decimal => format!(" {number}"),
        Base::Hexadecimal => format!(" {number:#x}"),
    };
    numbers.iter().map(number).collect()
}

/// Why a step is written field by field.
type Odd = &'static str;

/// A step by the rules of its operation.
fn step(block: &Block) -> Result<String, Odd> {
    let mut step = Step::new_zeroed();
    step.as_mut_bytes().copy_from_slice(block);
    let operation = Opcode::from_byte(step.opcode).ok_or("the opcode is unknown")?;
    let rule = rule(operation);
    let element = element(rule, step.element_type)?;
    let (source, aux) = auxiliary(rule, &step)?;
    let flags = flags(
        &step,
        rule.flags(element) & source.map_or(u8::MAX, |source| rule.flags(source)),
    )?;
    let operands = operands(rule, &step, element)?;
    let head = format!("{}.{}{flags}", operation.name(), element.name());
    Ok(format!("{head:<16} {operands} count {}{aux}", step.count))
}

fn element(rule: &Rule, byte: u8) -> Result<ElementType, Odd> {
    ElementType::from_byte(byte)
        .filter(|element| rule.types & element.bit() != 0)
        .ok_or("the operation does not take this type")
}

fn flags(step: &Step, taken: u8) -> Result<&'static str, Odd> {
    if step.flags & !taken != 0 {
        return Err("the operation does not take these flags");
    }
    Ok(if step.flags & step_flags::SATURATE != 0 {
        ".sat"
    } else {
        ""
    })
}

/// The type of the source, if it has one of its own, and what is written of the auxiliary fields.
fn auxiliary(rule: &Rule, step: &Step) -> Result<(Option<ElementType>, String), Odd> {
    let odd = "the operation does not use these auxiliary fields";
    let [first, second] = step.aux;
    let source = match rule.aux {
        AuxUse::SourceType => Some(element(rule, step.aux_type)?),
        _ if step.aux_type != 0 => return Err(odd),
        _ => None,
    };
    let text = match (rule.aux, source) {
        (AuxUse::Product, _) => format!(" rows {first} columns {second}"),
        _ if second != 0 => return Err(odd),
        (AuxUse::Rows, _) => format!(" rows {first}"),
        (AuxUse::Predicate, _) => {
            let predicate = Predicate::from_u32(first).ok_or("the comparison is unknown")?;
            format!(" when {}", predicate.name())
        }
        _ if first != 0 => return Err(odd),
        (_, Some(source)) => format!(" from {}", source.name()),
        _ => String::new(),
    };
    Ok((source, text))
}

fn operands(rule: &Rule, step: &Step, element: ElementType) -> Result<String, Odd> {
    let mut texts = Vec::new();
    let mut takes_immediate = false;
    let found = step.spaces.into_iter().zip(step.offsets);
    for (OperandRule { spaces, .. }, (byte, offset)) in rule.operands.iter().zip(found) {
        let space = Space::from_byte(byte).ok_or("the space of an operand is unknown")?;
        if spaces & 1 << byte == 0 {
            return Err("the operation does not take these operands");
        }
        match space {
            Space::Data => texts.push(format!("data[{offset}]")),
            Space::Scratch => texts.push(format!("scratch[{offset}]")),
            _ if offset != 0 => return Err("an operand that is not in memory has an offset"),
            Space::Immediate => {
                takes_immediate = true;
                texts.push(number::text(step.immediate, element));
            }
            Space::None => {}
        }
    }
    let widest = if takes_immediate {
        u64::MAX >> (64 - 8 * element.size())
    } else {
        0
    };
    if step.immediate > widest {
        return Err("the immediate is too wide, or no operand takes it");
    }
    Ok(texts.join(", "))
}
