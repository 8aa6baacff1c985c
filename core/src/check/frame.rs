//! The rules of a step as a whole: operation, types, flags, auxiliary fields, count. What they leave is how large each operand is.

use hawser_abi::op::{ElementType, Opcode, Predicate};
use hawser_abi::program::{OperandIndex, Step};
use hawser_abi::reason::Reason;
use hawser_abi::rules::{AuxUse, OperandRule, Rule, rule_of_byte};

use crate::limits::Limits;
use crate::refusal::Refusal;

const AUX: usize = core::mem::offset_of!(Step, aux);

/// What a step may do, and how large its operands are.
pub(super) struct Frame {
    pub(super) rule: &'static Rule,
    /// Bytes of an element, by [`ElementOf`](hawser_abi::rules::ElementOf).
    sizes: [u64; 4],
    /// Elements of an operand, by [`Extent`](hawser_abi::rules::Extent).
    elements: [u64; 4],
}

/// Elements of the sources of a matrix product; 0 for other operations.
#[derive(Default)]
struct Matrices {
    left: u64,
    right: u64,
}

impl Frame {
    /// The frame of a step that breaks no rule so far.
    #[inline(always)]
    pub(super) fn of(step: &Step, limits: &Limits) -> Result<Self, Refusal> {
        let rule = operation(step, limits)?;
        let element = element_type(step, rule, limits)?;
        let source = source_type(step, rule, limits)?.unwrap_or(element);
        flags(step, rule.flags(element) & rule.flags(source))?;
        auxiliary(step, rule.aux)?;
        let (size, source_size) = (element.size(), source.size());
        count(step, size.max(source_size))?;
        let Matrices { left, right } = matrices(step, rule.aux, size)?;
        Ok(Self {
            rule,
            sizes: [size, 1, 8, source_size],
            elements: [step.count, 1, left, right],
        })
    }

    /// Bytes of an element of the step's type.
    pub(super) fn size(&self) -> u64 {
        let [size, ..] = self.sizes;
        size
    }

    /// Bytes of an element of the operand, and bytes of the whole operand.
    #[inline(always)]
    pub(super) fn extent(&self, operand: OperandRule) -> (u64, u64) {
        let of = |table: &[u64; 4], index: usize| table.get(index).copied().unwrap_or_default();
        let size = of(&self.sizes, operand.element as usize);
        // The products were checked when the frame was made.
        let bytes = of(&self.elements, operand.extent as usize).wrapping_mul(size);
        (size, bytes)
    }
}

/// Refuses a field that is not used and not zero.
pub(super) fn zero(position: usize, value: u64) -> Result<(), Refusal> {
    if value == 0 {
        return Ok(());
    }
    Err(Refusal::new(Reason::StepReserved).offset(position as u64).length(value))
}

fn operation(step: &Step, limits: &Limits) -> Result<&'static Rule, Refusal> {
    let refusal = |reason| Refusal::new(reason).length(step.opcode.into());
    let opcode = Opcode::from_byte(step.opcode).ok_or(refusal(Reason::UnknownOpcode))?;
    rule_of_byte(step.opcode)
        .filter(|_| limits.operations & opcode.bit() != 0)
        .ok_or(refusal(Reason::UnsupportedOpcode))
}

fn element_type(step: &Step, rule: &Rule, limits: &Limits) -> Result<ElementType, Refusal> {
    let refusal = |reason| Refusal::new(reason).length(step.element_type.into());
    let element = ElementType::from_byte(step.element_type).ok_or(refusal(Reason::UnknownType))?;
    Some(element)
        .filter(|element| rule.types_on(limits.element_types) & element.bit() != 0)
        .ok_or(refusal(Reason::UnsupportedType))
}

/// The element type of the source, where it has one of its own.
fn source_type(step: &Step, rule: &Rule, limits: &Limits) -> Result<Option<ElementType>, Refusal> {
    if rule.aux != AuxUse::SourceType {
        return Ok(None);
    }
    let refusal = |reason| Refusal::new(reason).length(step.aux_type.into());
    let source = ElementType::from_byte(step.aux_type).ok_or(refusal(Reason::UnknownSourceType))?;
    Some(source)
        .filter(|source| rule.types_on(limits.element_types) & source.bit() != 0)
        .ok_or(refusal(Reason::UnsupportedSourceType))
        .map(Some)
}

fn flags(step: &Step, taken: u8) -> Result<(), Refusal> {
    if step.flags & !taken != 0 {
        let refusal = Refusal::new(Reason::StepFlags);
        return Err(refusal.length(step.flags.into()).limit(taken.into()));
    }
    Ok(())
}

/// The auxiliary fields have a meaning for the operation, or are zero.
fn auxiliary(step: &Step, aux: AuxUse) -> Result<(), Refusal> {
    if aux != AuxUse::SourceType {
        zero(core::mem::offset_of!(Step, aux_type), step.aux_type.into())?;
    }
    let second_position = AUX.wrapping_add(4);
    let [first, second] = step.aux;
    match aux {
        AuxUse::Unused | AuxUse::SourceType => zero(AUX, first.into())?,
        AuxUse::Predicate => predicate(first)?,
        AuxUse::Product | AuxUse::Rows => dimension(AUX, first)?,
    }
    match aux {
        AuxUse::Product => dimension(second_position, second),
        _ => zero(second_position, second.into()),
    }
}

fn predicate(value: u32) -> Result<(), Refusal> {
    if Predicate::from_u32(value).is_some() {
        return Ok(());
    }
    let last = Predicate::ALL.len().saturating_sub(1);
    let refusal = Refusal::new(Reason::UnknownPredicate).offset(AUX as u64);
    Err(refusal.length(value.into()).limit(last as u64))
}

fn dimension(position: usize, value: u32) -> Result<(), Refusal> {
    if value >= 1 {
        return Ok(());
    }
    Err(Refusal::new(Reason::ZeroDimension).offset(position as u64).limit(1))
}

/// There are elements, and as many as 64 bits can tell the bytes of, with `size` the largest of those that are counted.
fn count(step: &Step, size: u64) -> Result<(), Refusal> {
    if step.count == 0 {
        return Err(Refusal::new(Reason::ZeroCount).limit(1));
    }
    if step.count.checked_mul(size).is_none() {
        let refusal = Refusal::new(Reason::CountOverflow).length(step.count);
        return Err(refusal.limit(most_elements(size)));
    }
    Ok(())
}

/// Most elements of `size` bytes whose length fits in 64 bits.
fn most_elements(size: u64) -> u64 {
    u64::MAX.checked_div(size).unwrap_or_default()
}

/// The matrices that the step states are complete, and those of a product no larger than 64 bits can tell.
fn matrices(step: &Step, aux: AuxUse, size: u64) -> Result<Matrices, Refusal> {
    let [rows, inner] = step.aux.map(u64::from);
    match aux {
        AuxUse::Unused | AuxUse::Predicate | AuxUse::SourceType => Ok(Matrices::default()),
        AuxUse::Rows => columns(step.count, rows).map(|_| Matrices::default()),
        AuxUse::Product => {
            let columns = columns(step.count, rows)?;
            Ok(Matrices {
                left: elements(rows, inner, size).map_err(|refusal| refusal.operand(OperandIndex::A))?,
                right: elements(inner, columns, size).map_err(|refusal| refusal.operand(OperandIndex::B))?,
            })
        }
    }
}

/// Columns of a matrix of `count` elements in `rows` rows.
fn columns(count: u64, rows: u64) -> Result<u64, Refusal> {
    count
        .checked_div(rows)
        .filter(|_| count.is_multiple_of(rows))
        .ok_or(Refusal::new(Reason::RaggedMatrix).length(count).limit(rows))
}

fn elements(rows: u64, columns: u64, size: u64) -> Result<u64, Refusal> {
    let most = most_elements(size);
    rows.checked_mul(columns).filter(|elements| *elements <= most).ok_or(
        Refusal::new(Reason::MatrixOverflow)
            .offset(rows)
            .length(columns)
            .limit(most),
    )
}
