//! Tables of what operations take and compute, from the rules that the driver checks programs by.

use std::fmt::Write;

use anyhow::{Context, Result};
use hawser_abi::op::{ALL_ELEMENT_TYPES, ElementType, Opcode, Predicate};
use hawser_abi::program::step_flags;
use hawser_abi::rules::{
    ABSENT, AuxUse, EITHER, ElementOf, Extent, FLOATS, IMMEDIATE, INTEGERS, InPlace, MEMORY, OperandRule, Rule, SIGNED,
    rule,
};
use xshell::Shell;

use crate::source::variants_of;

/// What each operation takes and computes.
pub fn operations(shell: &Shell) -> Result<String> {
    let documented = variants_of(shell, "abi/src/op.rs", "Opcode")?;
    let mut out = String::from(
        "| opcode | operation | types | saturates | destination | first source | second source | third source | auxiliary | in place | meaning |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for operation in Opcode::ALL {
        let rule = rule(operation);
        let variant = documented
            .iter()
            .find(|variant| variant.value == operation as u32)
            .with_context(|| format!("{} is not documented", operation.name()))?;
        let [dst, a, b, c] = rule.operands.map(operand);
        writeln!(
            out,
            "| {} | `{}` | {} | {} | {dst} | {a} | {b} | {c} | {} | {} | {} |",
            operation as u8,
            operation.name(),
            types(rule.types),
            saturates(rule),
            auxiliary(rule.aux),
            in_place(rule),
            variant.doc.replace('|', "\\|")
        )?;
    }
    Ok(out)
}

/// The element types.
pub fn element_types(shell: &Shell) -> Result<String> {
    let documented = variants_of(shell, "abi/src/op.rs", "ElementType")?;
    let mut out = String::from("| number | type | bytes | meaning |\n|---|---|---|---|\n");
    for element in ElementType::ALL {
        let variant = documented
            .iter()
            .find(|variant| variant.value == element as u32)
            .with_context(|| format!("{} is not documented", element.name()))?;
        let (number, name, size) = (element as u8, element.name(), element.size());
        writeln!(out, "| {number} | `{name}` | {size} | {} |", variant.doc)?;
    }
    Ok(out)
}

/// The predicates of comparisons.
pub fn predicates() -> Result<String> {
    let meanings = ["a = b", "a ≠ b", "a < b", "a ≤ b", "a > b", "a ≥ b"];
    let mut out = String::from("| number | predicate | holds if |\n|---|---|---|\n");
    for (predicate, meaning) in Predicate::ALL.into_iter().zip(meanings) {
        writeln!(out, "| {} | `{}` | {meaning} |", predicate as u8, predicate.name())?;
    }
    Ok(out)
}

fn types(types: u32) -> String {
    match types {
        ALL_ELEMENT_TYPES => "all".into(),
        INTEGERS => "integers".into(),
        FLOATS => "floats".into(),
        _ if types == SIGNED | FLOATS => "signed integers, floats".into(),
        _ => ElementType::ALL
            .into_iter()
            .filter(|element| types & element.bit() != 0)
            .map(ElementType::name)
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn in_place(rule: &Rule) -> &'static str {
    let [_, sources @ ..] = rule.operands;
    let reads_memory = sources.iter().any(|source| source.spaces & MEMORY != 0);
    match rule.in_place {
        _ if !reads_memory => "",
        InPlace::Allowed => "yes",
        InPlace::Refused => "no",
    }
}

fn saturates(rule: &Rule) -> &'static str {
    match (rule.integer_flags & step_flags::SATURATE, rule.aux) {
        (0, _) => "",
        (_, AuxUse::SourceType) => "integer to integer",
        _ => "integers",
    }
}

/// What an operand is: where, how many elements, and of which type if it is not that of the step.
fn operand(operand: OperandRule) -> String {
    let place = match operand.spaces {
        ABSENT => return String::new(),
        IMMEDIATE => return "immediate".into(),
        EITHER => "memory or immediate",
        _ => "memory",
    };
    let elements = match operand.extent {
        Extent::Count => "",
        Extent::One => ", one element",
        Extent::LeftMatrix => ", `aux[0]` × `aux[1]`",
        Extent::RightMatrix => ", `aux[1]` × `count / aux[0]`",
    };
    let element = match operand.element {
        ElementOf::Step => "",
        ElementOf::Truth => ", `u8`",
        ElementOf::Position => ", `u64`",
        ElementOf::Auxiliary => ", `aux_type`",
    };
    format!("{place}{elements}{element}")
}

fn auxiliary(aux: AuxUse) -> &'static str {
    match aux {
        AuxUse::Unused => "",
        AuxUse::Predicate => "`aux[0]` predicate",
        AuxUse::SourceType => "`aux_type` type of the source",
        AuxUse::Product => "`aux[0]` rows, `aux[1]` columns of the first source",
        AuxUse::Rows => "`aux[0]` rows of the source",
    }
}
