//! From the raw step of a descriptor to one whose operands are known to be reachable: the device's own fence.
//!
//! Nothing is read or written for a step before all its operands have passed.

use hawser_abi::descriptor::DeviceStep;
use hawser_abi::op::{ElementType, Opcode, Predicate, REV1_ELEMENT_TYPES, REV1_OPERATIONS};
use hawser_abi::program::{OperandIndex, step_flags};
use hawser_abi::queue::CompletionStatus;
use hawser_abi::rules::{AuxUse, EITHER, Extent, Rule, rule};

use crate::fault::StepFault;
use crate::kernels::{Binary, Bitwise, Extreme, Sign};
use crate::number::Overflow;
use crate::place::{Asked, Place, Reach};

/// What a step computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Copy and fill: the only difference is where the source is.
    Move,
    Binary(Binary),
    Bitwise(Bitwise),
    Sign(Sign),
    Sqrt,
    Not,
    Fma,
    Compare(Predicate),
    Select,
    /// From a type of its own.
    Convert(ElementType),
    Sum,
    Dot,
    Extreme(Extreme),
    PrefixSum,
    /// Of a matrix of these rows and columns and another.
    Product(Matrix),
    /// Of a matrix of these rows and columns.
    Transpose(Matrix),
}

/// Rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Matrix {
    pub(crate) rows: u64,
    pub(crate) columns: u64,
}

impl Matrix {
    fn elements(self) -> Option<u64> {
        self.rows.checked_mul(self.columns)
    }
}

/// An operand that can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operand {
    pub(crate) place: Place,
    /// Bytes of an element.
    pub(crate) size: u64,
}

/// A step that may be run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CheckedStep {
    pub(crate) operation: Operation,
    pub(crate) overflow: Overflow,
    pub(crate) element: ElementType,
    pub(crate) count: u64,
    pub(crate) dst: Operand,
    pub(crate) a: Operand,
    pub(crate) b: Operand,
    pub(crate) c: Operand,
    pub(crate) immediate: u64,
}

const BAD: StepFault = StepFault::step(CompletionStatus::BadDescriptor);
const UNSUPPORTED: StepFault = StepFault::step(CompletionStatus::Unsupported);

/// Checks a step.
pub(crate) fn check(step: &DeviceStep, reach: &Reach<'_>) -> Result<CheckedStep, StepFault> {
    let opcode = Opcode::from_byte(step.opcode)
        .filter(|opcode| REV1_OPERATIONS & opcode.bit() != 0)
        .ok_or(UNSUPPORTED)?;
    let rule = rule(opcode);
    let element = element(rule, step.element_type)?;
    let source = match rule.aux {
        AuxUse::SourceType => self::element(rule, step.aux_type)?,
        _ => element,
    };
    let overflow = overflow(step.flags, rule.flags(element) & rule.flags(source))?;
    check_auxiliary(step, rule.aux)?;
    if step.count == 0 {
        return Err(BAD);
    }
    let operation = operation(opcode, step, source)?;
    let operand = |operand: OperandIndex| {
        let [dst, a, b, c] = rule.operands;
        let rule = match operand {
            OperandIndex::Dst => dst,
            OperandIndex::A => a,
            OperandIndex::B => b,
            OperandIndex::C => c,
        };
        let size = rule.element.size(element.size(), source.size());
        let bytes = elements(operation, rule.extent, step.count)
            .and_then(|elements| elements.checked_mul(size))
            .ok_or(BAD)?;
        // A move takes its source from wherever it is, whether it is called a copy or a fill.
        let spaces = match (operation, operand) {
            (Operation::Move, OperandIndex::A) => EITHER,
            _ => rule.spaces,
        };
        let place = Asked::new(step, operand, size, bytes).place(spaces, reach)?;
        Ok(Operand { place, size })
    };
    let checked = CheckedStep {
        operation,
        overflow,
        element,
        count: step.count,
        dst: operand(OperandIndex::Dst)?,
        a: operand(OperandIndex::A)?,
        b: operand(OperandIndex::B)?,
        c: operand(OperandIndex::C)?,
        immediate: step.immediate,
    };
    check_immediate(&checked)?;
    Ok(checked)
}

fn element(rule: &Rule, byte: u8) -> Result<ElementType, StepFault> {
    ElementType::from_byte(byte)
        .filter(|element| rule.types_on(REV1_ELEMENT_TYPES) & element.bit() != 0)
        .ok_or(UNSUPPORTED)
}

fn overflow(flags: u8, taken: u8) -> Result<Overflow, StepFault> {
    if flags & !step_flags::ALL != 0 {
        return Err(BAD);
    }
    if flags & !taken != 0 {
        return Err(UNSUPPORTED);
    }
    Ok(if flags & step_flags::SATURATE != 0 {
        Overflow::Saturate
    } else {
        Overflow::Wrap
    })
}

/// The auxiliary fields that the operation does not use are zero; [`operation`] looks at the others.
fn check_auxiliary(step: &DeviceStep, aux: AuxUse) -> Result<(), StepFault> {
    let unused = match aux {
        AuxUse::Unused => step.aux_type == 0 && step.aux == [0; 2],
        AuxUse::SourceType => step.aux == [0; 2],
        AuxUse::Predicate | AuxUse::Rows => step.aux_type == 0 && matches!(step.aux, [_, 0]),
        AuxUse::Product => step.aux_type == 0,
    };
    if unused { Ok(()) } else { Err(BAD) }
}

fn operation(opcode: Opcode, step: &DeviceStep, source: ElementType) -> Result<Operation, StepFault> {
    let [first, second] = step.aux;
    Ok(match opcode {
        Opcode::Copy | Opcode::Fill => Operation::Move,
        Opcode::Add => Operation::Binary(Binary::Add),
        Opcode::Sub => Operation::Binary(Binary::Sub),
        Opcode::Mul => Operation::Binary(Binary::Mul),
        Opcode::Div => Operation::Binary(Binary::Div),
        Opcode::Rem => Operation::Binary(Binary::Rem),
        Opcode::Min => Operation::Binary(Binary::Min),
        Opcode::Max => Operation::Binary(Binary::Max),
        Opcode::Fma => Operation::Fma,
        Opcode::Neg => Operation::Sign(Sign::Neg),
        Opcode::Abs => Operation::Sign(Sign::Abs),
        Opcode::Sqrt => Operation::Sqrt,
        Opcode::And => Operation::Bitwise(Bitwise::And),
        Opcode::Or => Operation::Bitwise(Bitwise::Or),
        Opcode::Xor => Operation::Bitwise(Bitwise::Xor),
        Opcode::Not => Operation::Not,
        Opcode::Shl => Operation::Bitwise(Bitwise::Shl),
        Opcode::Shr => Operation::Bitwise(Bitwise::Shr),
        Opcode::Compare => Operation::Compare(Predicate::from_u32(first).ok_or(BAD)?),
        Opcode::Select => Operation::Select,
        Opcode::Convert => Operation::Convert(source),
        Opcode::Sum => Operation::Sum,
        Opcode::Dot => Operation::Dot,
        Opcode::ArgMin => Operation::Extreme(Extreme::Smallest),
        Opcode::ArgMax => Operation::Extreme(Extreme::Largest),
        Opcode::PrefixSum => Operation::PrefixSum,
        Opcode::MatMul => {
            complete_rows(step.count, first)?;
            Operation::Product(matrix(first.into(), second.into())?)
        }
        Opcode::Transpose => Operation::Transpose(matrix(first.into(), complete_rows(step.count, first)?)?),
    })
}

/// Columns of a matrix of `count` elements in `rows` rows.
fn complete_rows(count: u64, rows: u32) -> Result<u64, StepFault> {
    let rows = u64::from(rows);
    if !count.is_multiple_of(rows) {
        return Err(BAD);
    }
    count.checked_div(rows).ok_or(BAD)
}

fn matrix(rows: u64, columns: u64) -> Result<Matrix, StepFault> {
    if rows == 0 || columns == 0 {
        return Err(BAD);
    }
    Ok(Matrix { rows, columns })
}

/// Elements of an operand.
fn elements(operation: Operation, extent: Extent, count: u64) -> Option<u64> {
    match (extent, operation) {
        (Extent::Count, _) => Some(count),
        (Extent::One, _) => Some(1),
        (Extent::LeftMatrix, Operation::Product(left)) => left.elements(),
        (Extent::RightMatrix, Operation::Product(left)) => right_of(left, count)?.elements(),
        _ => None,
    }
}

/// The right matrix of a product of `count` elements.
pub(crate) fn right_of(left: Matrix, count: u64) -> Option<Matrix> {
    Some(Matrix {
        rows: left.columns,
        columns: count.checked_div(left.rows)?,
    })
}

/// The immediate fits the element type, and is zero where no operand is the immediate.
fn check_immediate(step: &CheckedStep) -> Result<(), StepFault> {
    let used = [step.a, step.b, step.c]
        .iter()
        .any(|operand| operand.place == Place::Immediate);
    let fits = match step.element.size() {
        8 => true,
        size => step.immediate >> (8 * size) == 0,
    };
    if !fits || (!used && step.immediate != 0) {
        return Err(BAD);
    }
    Ok(())
}
