//! The reference interpreter: runs a program as the user submits it, on a plain buffer, one element after another.
//!
//! It is written to be obviously right rather than fast, and apart from the device: integers are computed in 128 bits and cut, single
//! precision in double. It refuses what the contract refuses and never panics. [`crate::semantics`] says what it computes.

mod memory;
mod parse;
mod scalar;

use hawser_abi::op::Opcode;
use hawser_abi::program::OperandIndex;

use memory::Memory;
use parse::{Action, Source};
use scalar::Scalar;

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
    /// A source overlaps the destination without being the same range.
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
        let action = parse::step(bytes, index)?;
        memory.check(&action, index)?;
        perform(&action, &mut memory)
            .map_err(|ZeroDivisor(element)| ReferenceFault::DivideByZero { step: index, element })?;
        memory.mark_written(&action);
    }
    Ok(())
}

/// Index of an element whose divisor is zero.
struct ZeroDivisor(u64);

fn perform(action: &Action, memory: &mut Memory<'_>) -> Result<(), ZeroDivisor> {
    if action.opcode == Opcode::Sum {
        sum(action, memory);
        return Ok(());
    }
    for index in 0..action.count {
        let bits = |source: &Source| match source {
            Source::Immediate(bits) => *bits,
            Source::At(place) => memory.load(*place, index, action.size()),
        };
        let scalar = |source: &Source| Scalar::from_bits(action.element, bits(source));
        let result = match (action.opcode, &action.sources) {
            (Opcode::Copy | Opcode::Fill, [a, ..]) => Some(bits(a)),
            (Opcode::Fma, [a, b, c]) => Some(scalar::fma(scalar(a), scalar(b), scalar(c)).to_bits(action.element)),
            (opcode, [a, b, _]) => {
                scalar::binary(opcode, scalar(a), scalar(b)).map(|result| result.to_bits(action.element))
            }
        };
        let result = result.ok_or(ZeroDivisor(index))?;
        memory.store(action.dst, index, action.size(), result);
    }
    Ok(())
}

fn sum(action: &Action, memory: &mut Memory<'_>) {
    let [Source::At(place), ..] = action.sources else {
        return;
    };
    let element = |index| Scalar::from_bits(action.element, memory.load(place, index, action.size()));
    let mut total = element(0);
    for index in 1..action.count {
        total = scalar::add(total, element(index));
    }
    let bits = total.canonical().to_bits(action.element);
    memory.store(action.dst, 0, action.size(), bits);
}
