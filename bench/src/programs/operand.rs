//! Operands, and steps put together from them.

use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{Space, Step};
use hawser_programs::steps;

/// An operand: its space and offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand {
    /// Where it lies.
    pub space: Space,
    /// Its first byte there.
    pub offset: u64,
}

impl Operand {
    /// No operand.
    pub const NONE: Self = Self {
        space: Space::None,
        offset: 0,
    };
    /// The immediate.
    pub const IMMEDIATE: Self = Self {
        space: Space::Immediate,
        offset: 0,
    };

    /// An operand in the data buffer.
    pub const fn data(offset: u64) -> Self {
        Self {
            space: Space::Data,
            offset,
        }
    }

    /// An operand in device-local memory.
    pub const fn scratch(offset: u64) -> Self {
        Self {
            space: Space::Scratch,
            offset,
        }
    }
}

/// A step on `count` elements; operands that are not given are absent.
pub fn step(opcode: Opcode, element: ElementType, count: u64, operands: &[Operand]) -> Step {
    let places: Vec<_> = operands.iter().map(|operand| (operand.space, operand.offset)).collect();
    steps::step(opcode, element, count, &places)
}
