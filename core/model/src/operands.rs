//! The rules of a step's operands.

use hawser_abi::reason::Reason;

use crate::header::{Header, field};
use crate::operations::Operand;
use crate::refused::Refused;
use crate::step::{Step, unused};

/// Positions of fields.
const SPACES: usize = 4;
const OFFSETS: usize = 16;
const IMMEDIATE: usize = 48;

/// Where an operand lies: in memory, from its first byte to before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Nowhere,
    Immediate,
    Data(u64, u64),
    Scratch(u64, u64),
}

/// Destination and sources.
pub(crate) type Places = [Place; 4];

/// Finds all operands.
pub(crate) fn places(step: &Step<'_>, header: &Header) -> Result<Places, Refused> {
    let mut places = [Place::Nowhere; 4];
    for (operand, found) in places.iter_mut().enumerate() {
        *found = place(step, operand, header).map_err(|refused| refused.of_operand(operand))?;
    }
    Ok(places)
}

fn place(step: &Step<'_>, number: usize, header: &Header) -> Result<Place, Refused> {
    let space = field(step.bytes, SPACES + number, 1);
    let refused = |reason| Err(Refused::new(reason, space, 0));
    let position = OFFSETS + 8 * number;
    let offset = field(step.bytes, position, 8);
    let Some(operand) = step.operation.operands.get(number).copied() else {
        return match space {
            0 => unused(position, offset).map(|()| Place::Nowhere),
            1..4 => refused(Reason::OperandUnexpected),
            _ => refused(Reason::UnknownSpace),
        };
    };
    match space {
        0 => refused(Reason::OperandMissing),
        1 if operand.memory => bytes(step, operand, offset, header.data).map(|(start, end)| Place::Data(start, end)),
        2 if operand.memory => {
            bytes(step, operand, offset, header.scratch).map(|(start, end)| Place::Scratch(start, end))
        }
        // The value is missing, which the operation takes from the immediate.
        1 | 2 => refused(Reason::OperandMissing),
        3 if operand.immediate => unused(position, offset).map(|()| Place::Immediate),
        3 => refused(Reason::ImmediateNotAllowed),
        _ => refused(Reason::UnknownSpace),
    }
}

/// The bytes of an operand in a space of `limit` bytes.
fn bytes(step: &Step<'_>, operand: Operand, offset: u64, limit: u64) -> Result<(u64, u64), Refused> {
    let size = step.size(operand);
    let length = step.elements(operand) * size;
    let end = u128::from(offset) + length;
    if u128::from(offset) % size != 0 {
        return Err(Refused::new(Reason::Misaligned, 0, size as u64).at(offset));
    }
    if end > u128::from(u64::MAX) {
        return Err(Refused::new(Reason::OffsetOverflow, length as u64, 0).at(offset));
    }
    if end > u128::from(limit) {
        return Err(Refused::new(Reason::OutOfBounds, length as u64, limit).at(offset));
    }
    Ok((offset, end as u64))
}

/// The immediate fits the element type where it is used, and is zero where it is not.
pub(crate) fn immediate(step: &Step<'_>, places: &Places) -> Result<(), Refused> {
    let value = field(step.bytes, IMMEDIATE, 8);
    let Some(operand) = places.iter().position(|place| *place == Place::Immediate) else {
        return unused(IMMEDIATE, value);
    };
    let largest = (1_u128 << (8 * step.element.size())) - 1;
    if u128::from(value) > largest {
        let refused = Refused::new(Reason::ImmediateTooWide, value, largest as u64);
        return Err(refused.of_operand(operand));
    }
    Ok(())
}

/// The destination shares no byte with a source, except that it may be all of one where the operation runs in place.
pub(crate) fn overlap(step: &Step<'_>, places: &Places) -> Result<(), Refused> {
    for (operand, source) in places.iter().enumerate().skip(1) {
        let (written, read) = match (places[0], *source) {
            (Place::Data(a, b), Place::Data(c, d)) | (Place::Scratch(a, b), Place::Scratch(c, d)) => ((a, b), (c, d)),
            _ => continue,
        };
        let (first, end) = (written.0.max(read.0), written.1.min(read.1));
        let allowed = step.operation.in_place && written == read;
        if first < end && !allowed {
            return Err(Refused::new(Reason::Overlap, end - first, 0)
                .at(first)
                .of_operand(operand));
        }
    }
    Ok(())
}
