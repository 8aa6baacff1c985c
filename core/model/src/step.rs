//! The rules of one step.

use hawser_abi::reason::Reason;

use crate::Limits;
use crate::header::{Header, field};
use crate::memory::Memory;
use crate::operands;
use crate::operations::{Auxiliary, Element, ElementType, Elements, Operand, Operation, operation};
use crate::refused::Refused;

/// Bytes of a step.
pub(crate) const BYTES: usize = 64;
/// Positions of fields.
const AUX_TYPE: usize = 2;
const FLAGS: usize = 3;
const COUNT: usize = 8;
const AUX: [usize; 2] = [56, 60];

/// A step whose operation and types are known.
pub(crate) struct Step<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) operation: &'static Operation,
    pub(crate) element: ElementType,
    source: ElementType,
}

impl Step<'_> {
    /// Bytes of an element of the operand.
    pub(crate) fn size(&self, operand: Operand) -> u128 {
        match operand.element {
            Element::Own => self.element.size(),
            Element::Byte => 1,
            Element::Position => 8,
            Element::Auxiliary => self.source.size(),
        }
    }

    /// Elements of the operand.
    pub(crate) fn elements(&self, operand: Operand) -> u128 {
        match operand.elements {
            Elements::Count => self.count(),
            Elements::One => 1,
            Elements::LeftMatrix => self.aux(0) * self.aux(1),
            Elements::RightMatrix => self.aux(1) * (self.count() / self.aux(0)),
        }
    }

    fn count(&self) -> u128 {
        field(self.bytes, COUNT, 8).into()
    }

    fn aux(&self, which: usize) -> u128 {
        field(self.bytes, AUX[which], 4).into()
    }
}

pub(crate) fn check(bytes: &[u8], header: &Header, limits: &Limits, memory: &mut Memory) -> Result<(), Refused> {
    let step = identify(bytes, limits)?;
    flags(&step)?;
    auxiliary(&step)?;
    count(&step)?;
    matrices(&step)?;
    let places = operands::places(&step, header)?;
    operands::immediate(&step, &places)?;
    operands::overlap(&step, &places)?;
    memory.touch(&places)
}

/// Operation and types.
fn identify<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Step<'a>, Refused> {
    let opcode = field(bytes, 0, 1);
    let refused = |reason| Refused::new(reason, opcode, 0);
    let operation = operation(bytes[0]).ok_or(refused(Reason::UnknownOpcode))?;
    if limits.operations >> opcode & 1 == 0 {
        return Err(refused(Reason::UnsupportedOpcode));
    }
    let computes = |element: ElementType| operation.moves || limits.element_types & element.bit() != 0;
    let type_at = |position, unknown, unsupported| {
        let byte = field(bytes, position, 1);
        let element = ElementType::from_byte(byte).ok_or(Refused::new(unknown, byte, 0))?;
        if element.is_of(operation.types) && computes(element) {
            Ok(element)
        } else {
            Err(Refused::new(unsupported, byte, 0))
        }
    };
    let element = type_at(1, Reason::UnknownType, Reason::UnsupportedType)?;
    let source = match operation.auxiliary {
        Auxiliary::SourceType => type_at(AUX_TYPE, Reason::UnknownSourceType, Reason::UnsupportedSourceType)?,
        _ => element,
    };
    Ok(Step {
        bytes,
        operation,
        element,
        source,
    })
}

fn flags(step: &Step<'_>) -> Result<(), Refused> {
    let found = field(step.bytes, FLAGS, 1);
    let integers = !step.element.is_float() && !step.source.is_float();
    let most = u64::from(step.operation.saturates && integers);
    if found > most {
        return Err(Refused::new(Reason::StepFlags, found, most));
    }
    Ok(())
}

/// Refuses a field that has no meaning and is not zero.
pub(crate) fn unused(position: usize, value: u64) -> Result<(), Refused> {
    if value == 0 {
        return Ok(());
    }
    Err(Refused::new(Reason::StepReserved, value, 0).at(position as u64))
}

fn auxiliary(step: &Step<'_>) -> Result<(), Refused> {
    let used = step.operation.auxiliary;
    if used != Auxiliary::SourceType {
        unused(AUX_TYPE, field(step.bytes, AUX_TYPE, 1))?;
    }
    let dimension = |position| match field(step.bytes, position, 4) {
        0 => Err(Refused::new(Reason::ZeroDimension, 0, 1).at(position as u64)),
        _ => Ok(()),
    };
    let first = field(step.bytes, AUX[0], 4);
    match used {
        Auxiliary::Predicate if first > 5 => {
            return Err(Refused::new(Reason::UnknownPredicate, first, 5).at(AUX[0] as u64));
        }
        Auxiliary::Predicate => {}
        Auxiliary::Rows | Auxiliary::RowsAndColumns => dimension(AUX[0])?,
        Auxiliary::Nothing | Auxiliary::SourceType => unused(AUX[0], first)?,
    }
    match used {
        Auxiliary::RowsAndColumns => dimension(AUX[1]),
        _ => unused(AUX[1], field(step.bytes, AUX[1], 4)),
    }
}

/// Most elements of so many bytes that 64 bits can tell the length of.
fn most_elements(size: u128) -> u128 {
    u128::from(u64::MAX) / size
}

fn count(step: &Step<'_>) -> Result<(), Refused> {
    let count = field(step.bytes, COUNT, 8);
    if count == 0 {
        return Err(Refused::new(Reason::ZeroCount, 0, 1));
    }
    let most = most_elements(step.element.size().max(step.source.size()));
    if u128::from(count) > most {
        return Err(Refused::new(Reason::CountOverflow, count, most as u64));
    }
    Ok(())
}

fn matrices(step: &Step<'_>) -> Result<(), Refused> {
    let used = step.operation.auxiliary;
    if !matches!(used, Auxiliary::Rows | Auxiliary::RowsAndColumns) {
        return Ok(());
    }
    let (count, rows) = (step.count(), step.aux(0));
    if count % rows != 0 {
        return Err(Refused::new(Reason::RaggedMatrix, count as u64, rows as u64));
    }
    if used == Auxiliary::Rows {
        return Ok(());
    }
    let inner = step.aux(1);
    let most = most_elements(step.element.size());
    for (operand, rows, columns) in [(1, rows, inner), (2, inner, count / rows)] {
        if rows * columns > most {
            let refused = Refused::new(Reason::MatrixOverflow, columns as u64, most as u64);
            return Err(refused.at(rows as u64).of_operand(operand));
        }
    }
    Ok(())
}
