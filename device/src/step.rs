//! From the raw step of a descriptor to one whose operands are known to be reachable: the device's own fence.
//!
//! Nothing is read or written for a step before all its operands have passed.

use hawser_abi::descriptor::{DeviceStep, IN_IMMEDIATE, IN_SCRATCH, NOWHERE};
use hawser_abi::op::{ElementType, Opcode, REV1_OPERATIONS, rev1_types};
use hawser_abi::program::{OperandIndex, step_flags};
use hawser_abi::queue::CompletionStatus;

use crate::fault::StepFault;
use crate::kernels::Binary;
use crate::program::Window;
use crate::view::{Direction, View};

/// What a step computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Copy and fill: the only difference is where the source is.
    Move,
    Binary(Binary),
    Fma,
    Sum,
}

/// Where an operand is; every byte of it can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Nowhere,
    Immediate,
    Binding { index: u8, offset: u64 },
    Local { offset: u64 },
}

/// A step that may be run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CheckedStep {
    pub(crate) operation: Operation,
    pub(crate) element: ElementType,
    pub(crate) count: u64,
    pub(crate) dst: Place,
    pub(crate) a: Place,
    pub(crate) b: Place,
    pub(crate) c: Place,
    pub(crate) immediate: u64,
}

/// What the steps of a command can reach.
pub(crate) struct Reach<'a> {
    pub(crate) views: &'a [View],
    pub(crate) window: Window,
}

const BAD: StepFault = StepFault::step(CompletionStatus::BadDescriptor);
const UNSUPPORTED: StepFault = StepFault::step(CompletionStatus::Unsupported);

/// Checks a step.
pub(crate) fn check(step: &DeviceStep, reach: &Reach<'_>) -> Result<CheckedStep, StepFault> {
    let opcode = opcode(step.opcode)?;
    let operation = operation(opcode)?;
    let element = element(opcode, step.element_type)?;
    check_fields(step)?;
    let bytes = step
        .count
        .checked_mul(element.size())
        .filter(|bytes| *bytes > 0)
        .ok_or(BAD)?;
    let dst_bytes = if operation == Operation::Sum {
        element.size()
    } else {
        bytes
    };
    let place = |operand, bytes| {
        let asked = Asked::new(step, operand, element, bytes);
        if operand as usize > sources(operation) {
            asked.absent()
        } else {
            asked.place(reach)
        }
    };
    let checked = CheckedStep {
        operation,
        element,
        count: step.count,
        dst: place(OperandIndex::Dst, dst_bytes)?,
        a: place(OperandIndex::A, bytes)?,
        b: place(OperandIndex::B, bytes)?,
        c: place(OperandIndex::C, bytes)?,
        immediate: step.immediate,
    };
    check_immediate(&checked)?;
    Ok(checked)
}

fn opcode(byte: u8) -> Result<Opcode, StepFault> {
    Opcode::from_byte(byte)
        .filter(|opcode| REV1_OPERATIONS & opcode.bit() != 0)
        .ok_or(UNSUPPORTED)
}

fn operation(opcode: Opcode) -> Result<Operation, StepFault> {
    Ok(match opcode {
        Opcode::Copy | Opcode::Fill => Operation::Move,
        Opcode::Add => Operation::Binary(Binary::Add),
        Opcode::Sub => Operation::Binary(Binary::Sub),
        Opcode::Mul => Operation::Binary(Binary::Mul),
        Opcode::Div => Operation::Binary(Binary::Div),
        Opcode::Min => Operation::Binary(Binary::Min),
        Opcode::Max => Operation::Binary(Binary::Max),
        Opcode::Fma => Operation::Fma,
        Opcode::Sum => Operation::Sum,
        _ => return Err(UNSUPPORTED),
    })
}

/// Number of sources of an operation.
fn sources(operation: Operation) -> usize {
    match operation {
        Operation::Move | Operation::Sum => 1,
        Operation::Binary(_) => 2,
        Operation::Fma => 3,
    }
}

fn element(opcode: Opcode, byte: u8) -> Result<ElementType, StepFault> {
    ElementType::from_byte(byte)
        .filter(|element| rev1_types(opcode) & element.bit() != 0)
        .ok_or(UNSUPPORTED)
}

/// Checks the fields that no operation of this revision uses.
fn check_fields(step: &DeviceStep) -> Result<(), StepFault> {
    if step.flags & !step_flags::ALL != 0 || step.aux_type != 0 || step.aux != [0; 2] {
        return Err(BAD);
    }
    if step.flags != 0 {
        return Err(UNSUPPORTED);
    }
    Ok(())
}

/// The immediate fits the element type, and is zero where no operand is the immediate. A reduction has none: its source would have no bound.
fn check_immediate(step: &CheckedStep) -> Result<(), StepFault> {
    let used = [step.a, step.b, step.c].contains(&Place::Immediate);
    let fits = match step.element.size() {
        8 => true,
        size => step.immediate >> (8 * size) == 0,
    };
    if !fits || (!used && step.immediate != 0) || (used && step.operation == Operation::Sum) {
        return Err(BAD);
    }
    Ok(())
}

/// An operand as the step states it.
struct Asked {
    operand: OperandIndex,
    at: u8,
    offset: u64,
    bytes: u64,
    size: u64,
}

impl Asked {
    fn new(step: &DeviceStep, operand: OperandIndex, element: ElementType, bytes: u64) -> Self {
        let [at_dst, at_a, at_b, at_c] = step.where_;
        let [dst, a, b, c] = step.offsets;
        let (at, offset) = match operand {
            OperandIndex::Dst => (at_dst, dst),
            OperandIndex::A => (at_a, a),
            OperandIndex::B => (at_b, b),
            OperandIndex::C => (at_c, c),
        };
        Self {
            operand,
            at,
            offset,
            bytes,
            size: element.size(),
        }
    }

    fn fault(&self, status: CompletionStatus, offset: u64) -> StepFault {
        StepFault::operand(status, self.operand, offset)
    }

    fn malformed(&self) -> StepFault {
        self.fault(CompletionStatus::BadDescriptor, 0)
    }

    fn absent(&self) -> Result<Place, StepFault> {
        if self.at == NOWHERE && self.offset == 0 {
            Ok(Place::Nowhere)
        } else {
            Err(self.malformed())
        }
    }

    fn place(&self, reach: &Reach<'_>) -> Result<Place, StepFault> {
        if !self.offset.is_multiple_of(self.size) {
            return Err(self.malformed());
        }
        match self.at {
            NOWHERE => Err(self.malformed()),
            IN_IMMEDIATE if self.operand == OperandIndex::Dst || self.offset != 0 => Err(self.malformed()),
            IN_IMMEDIATE => Ok(Place::Immediate),
            IN_SCRATCH => self.local(reach.window),
            index => self.binding(reach.views.get(usize::from(index)).ok_or(self.malformed())?),
        }
    }

    fn local(&self, window: Window) -> Result<Place, StepFault> {
        let left = window.length.saturating_sub(self.offset);
        if self.bytes > left {
            return Err(self.fault(CompletionStatus::OutOfBounds, left));
        }
        Ok(Place::Local {
            offset: window.base + self.offset,
        })
    }

    fn binding(&self, view: &View) -> Result<Place, StepFault> {
        let direction = match self.operand {
            OperandIndex::Dst => Direction::Write,
            _ => Direction::Read,
        };
        if !view.allows(direction) {
            return Err(self.fault(CompletionStatus::Direction, 0));
        }
        let unreachable = match self.offset.checked_add(self.bytes) {
            Some(end) => view.first_unreachable(self.offset, end),
            None => view.first_unreachable(self.offset, u64::MAX),
        };
        match unreachable {
            Some(at) => Err(self.fault(CompletionStatus::OutOfBounds, at - self.offset)),
            None => Ok(Place::Binding {
                index: self.at,
                offset: self.offset,
            }),
        }
    }
}
