//! Steps that are put together from an operation and the places of its operands, as tests write them.

use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{Space, Step};
use zerocopy::FromZeros;

/// An operand: its space and offset.
pub type Where = (Space, u64);

/// An operand that is not there.
pub const NOTHING: Where = (Space::None, 0);
/// The immediate of the step.
pub const IMMEDIATE: Where = (Space::Immediate, 0);

/// An operand in the data buffer.
pub const fn data(offset: u64) -> Where {
    (Space::Data, offset)
}

/// An operand in device-local memory.
pub const fn scratch(offset: u64) -> Where {
    (Space::Scratch, offset)
}

/// A step on `count` elements; operands that are not given are absent, and of more than four the first are taken.
pub fn step(opcode: Opcode, element: ElementType, count: u64, operands: &[Where]) -> Step {
    let mut step = Step {
        opcode: opcode as u8,
        element_type: element as u8,
        count,
        ..Step::new_zeroed()
    };
    let fields = step.spaces.iter_mut().zip(&mut step.offsets);
    for ((space_field, offset_field), (space, offset)) in fields.zip(operands) {
        (*space_field, *offset_field) = (*space as u8, *offset);
    }
    step
}
