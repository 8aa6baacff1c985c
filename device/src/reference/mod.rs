//! The reference interpreter: runs a program as the user submits it, on a plain buffer, one element after another.
//!
//! It is written to be obviously right rather than fast, and apart from the device: integers are computed in 128 bits and cut, single
//! precision in double, `f16` and `bf16` exactly. It refuses what the contract refuses and never panics. [`crate::semantics`] says what it
//! computes.

mod action;
mod arithmetic;
mod element_wise;
mod exact;
mod integer;
mod matrix;
mod memory;
mod narrow;
mod parse;
mod parse_step;
mod reduction;
mod rules;
mod scalar;
mod single;

use std::cmp::Ordering;

use hawser_abi::op::Opcode;
use hawser_abi::program::OperandIndex;

use action::{Action, Detail};
use element_wise::ZeroDivisor;
use memory::Memory;

/// Why a program cannot be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceFault {
    /// The header is malformed.
    #[error("the header is malformed: {what}")]
    Header {
        /// What is wrong with it.
        what: &'static str,
    },
    /// A step is malformed.
    #[error("step {step} is malformed: {what}")]
    Step {
        /// Its index.
        step: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// An operation or element type that this revision does not have.
    #[error("step {step} has an operation or element type that is not supported")]
    Unsupported {
        /// Index of the step.
        step: usize,
    },
    /// An operand reaches outside its space.
    #[error("step {step}: the {} is out of bounds", operand.name())]
    OutOfBounds {
        /// Index of the step.
        step: usize,
        /// The operand.
        operand: OperandIndex,
    },
    /// A source overlaps the destination in a way that the operation does not allow.
    #[error("step {step}: the {} overlaps the destination", operand.name())]
    Overlap {
        /// Index of the step.
        step: usize,
        /// The source.
        operand: OperandIndex,
    },
    /// A source reads device-local memory that no step before has written.
    #[error("step {step}: the {} has not been written", operand.name())]
    NotWritten {
        /// Index of the step.
        step: usize,
        /// The source.
        operand: OperandIndex,
    },
    /// An integer was divided by zero.
    #[error("step {step} divides element {element} by zero")]
    DivideByZero {
        /// Index of the step.
        step: usize,
        /// Index of the element.
        element: u64,
    },
}

/// Runs `program`, a [`SubmitHeader`](hawser_abi::program::SubmitHeader) and its steps, on `data`.
///
/// A program that is refused for its header leaves `data` alone; steps before the one at fault have run.
pub fn run(program: &[u8], data: &mut [u8]) -> Result<(), ReferenceFault> {
    let parsed = parse::header(program, data.len())?;
    let mut memory = Memory::new(data, parsed.scratch_size);
    for (index, bytes) in parsed.steps.chunks_exact(parse::STEP_BYTES).enumerate() {
        let action = parse_step::step(bytes, index)?;
        memory.check(&action, index)?;
        perform(&action, &mut memory)
            .map_err(|ZeroDivisor(element)| ReferenceFault::DivideByZero { step: index, element })?;
        memory.mark_written(&action);
    }
    Ok(())
}

fn perform(action: &Action, memory: &mut Memory<'_>) -> Result<(), ZeroDivisor> {
    match (action.opcode, action.detail) {
        (Opcode::Sum, _) => reduction::sum(action, memory),
        (Opcode::PrefixSum, _) => reduction::prefix_sum(action, memory),
        (Opcode::Dot, _) => reduction::dot(action, memory),
        (Opcode::ArgMin, _) => reduction::index_of_extreme(action, memory, Ordering::Less),
        (Opcode::ArgMax, _) => reduction::index_of_extreme(action, memory, Ordering::Greater),
        (_, Detail::MatMul(product)) => matrix::multiply(action, product, memory),
        (_, Detail::Transpose { rows, columns }) => matrix::transpose(action, rows, columns, memory),
        _ => return element_wise::perform(action, memory),
    }
    Ok(())
}
