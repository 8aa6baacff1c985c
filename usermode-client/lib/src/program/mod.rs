//! Programs as the driver takes them: a header, and steps.

pub(crate) mod array;
mod assemble;
mod builder;
mod element;
mod element_wise;
mod inspect;
mod matrix;
#[cfg(test)]
mod operation_tests;
mod reduction;
pub(crate) mod region;
mod scratch;

use std::time::Duration;

use hawser_abi::program::OperandIndex;
use hawser_abi::program::{Step, SubmitHeader};
use hawser_core::Refusal;
use thiserror::Error;
use zerocopy::{FromBytes, IntoBytes};

pub use array::{Array, Operand};
pub use assemble::{Sizes, assemble};
pub use builder::ProgramBuilder;
pub use element::{Element, Float, Integer, Signed};
pub use hawser_abi::op::Predicate;
pub use inspect::Inspection;
pub use matrix::Matrix;

/// Alignment of arrays in the data buffer and in device-local memory: a cache line, so that whole arrays can be mapped.
pub const ARRAY_ALIGNMENT: u64 = 64;

/// Why a program cannot be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProgramError {
    /// A step has one immediate, and two of its operands are different constants.
    #[error(
        "step {step}: a step can take one constant, and there are two different ones; fill an array with one of them"
    )]
    TwoConstants {
        /// Index of the step.
        step: usize,
    },
    /// A source does not have as many elements as the destination.
    #[error("step {step}: the {} has {found} elements, and {expected} are needed", operand.name())]
    LengthMismatch {
        /// Index of the step.
        step: usize,
        /// The operand.
        operand: OperandIndex,
        /// Its elements.
        found: u64,
        /// Elements that the step needs.
        expected: u64,
    },
    /// A matrix does not have the shape that the others of the step ask for.
    #[error(
        "step {step}: the {} is a matrix of {} x {}, and {} x {} is needed",
        operand.name(), found.0, found.1, expected.0, expected.1
    )]
    ShapeMismatch {
        /// Index of the step.
        step: usize,
        /// The operand.
        operand: OperandIndex,
        /// Its rows and columns.
        found: (u64, u64),
        /// Rows and columns that the step needs.
        expected: (u64, u64),
    },
    /// An array that does not have the elements of a matrix.
    #[error("{rows} x {columns} elements are no matrix made of {count}")]
    NotAMatrix {
        /// Rows asked for.
        rows: u64,
        /// Columns asked for.
        columns: u64,
        /// Elements of the array.
        count: u64,
    },
    /// An array of another builder.
    #[error("step {step}: the {} is an array of another program", operand.name())]
    ForeignArray {
        /// Index of the step.
        step: usize,
        /// The operand.
        operand: OperandIndex,
    },
    /// The arrays are larger than the contract allows.
    #[error("the arrays need {length} bytes, and at most {limit} are possible")]
    TooLarge {
        /// Bytes needed, as far as 64 bits can say.
        length: u64,
        /// Most bytes.
        limit: u64,
    },
    /// A part of an array that reaches outside it.
    #[error("elements {start}..{end} are outside an array of {count} elements")]
    OutsideArray {
        /// First element.
        start: u64,
        /// Element after the last.
        end: u64,
        /// Elements of the array.
        count: u64,
    },
    /// What is given back is no array in device-local memory of this program, or was given back before.
    #[error("{count} elements at {offset} are no array in device-local memory that this program uses")]
    NotScratch {
        /// Byte offset.
        offset: u64,
        /// Number of elements.
        count: u64,
    },
    /// The driver would refuse the program.
    #[error("the driver would refuse the program: {0}")]
    Refused(#[from] Refusal),
}

/// A program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    bytes: Vec<u8>,
}

impl Program {
    /// A program from the bytes of an input buffer, which nobody checks before the driver does.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self { bytes }
    }

    /// The bytes of the input buffer.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes of the input buffer.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The header, if there are enough bytes for one.
    pub fn header(&self) -> Option<SubmitHeader> {
        SubmitHeader::read_from_prefix(&self.bytes)
            .ok()
            .map(|(header, _)| header)
    }

    /// Bytes of the data buffer that the header asks for; 0 without a header.
    pub fn data_size(&self) -> u64 {
        self.header().map_or(0, |header| header.data_size)
    }

    /// Bytes of device-local memory that the header asks for; 0 without a header.
    pub fn scratch_size(&self) -> u64 {
        self.header().map_or(0, |header| header.scratch_size)
    }

    /// The step at `index`, if its bytes are there.
    pub fn step(&self, index: u32) -> Option<Step> {
        let start = (index as usize)
            .checked_mul(size_of::<Step>())?
            .checked_add(size_of::<SubmitHeader>())?;
        Step::read_from_prefix(self.bytes.get(start..)?)
            .ok()
            .map(|(step, _)| step)
    }

    /// Number of steps whose bytes are there.
    pub fn step_count(&self) -> usize {
        self.bytes.len().saturating_sub(size_of::<SubmitHeader>()) / size_of::<Step>()
    }

    /// The cookie, if a driver would trust the header so far.
    pub fn cookie(&self) -> Option<u64> {
        hawser_core::readable_cookie(&self.bytes)
    }

    /// The same program with another cookie.
    #[must_use]
    pub fn with_cookie(&self, cookie: u64) -> Self {
        self.with_header(|header| header.cookie = cookie)
    }

    /// The same program with a time after which the driver stops it, in whole milliseconds, rounded up.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        let milliseconds = timeout.as_nanos().div_ceil(1_000_000);
        self.with_header(|header| header.timeout_ms = u32::try_from(milliseconds).unwrap_or(u32::MAX))
    }

    fn with_header(&self, change: impl FnOnce(&mut SubmitHeader)) -> Self {
        let mut bytes = self.bytes.clone();
        if let Some(mut header) = self.header() {
            change(&mut header);
            bytes[..size_of::<SubmitHeader>()].copy_from_slice(header.as_bytes());
        }
        Self { bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_timeout_is_rounded_up() {
        let mut builder = ProgramBuilder::new();
        let x = builder.array::<u8>(1).unwrap();
        let program = builder.fill(x, 1).unwrap().build().unwrap();
        let milliseconds = |timeout| program.with_timeout(timeout).header().unwrap().timeout_ms;
        assert_eq!(milliseconds(Duration::ZERO), 0);
        assert_eq!(milliseconds(Duration::from_nanos(1)), 1);
        assert_eq!(milliseconds(Duration::from_millis(5)), 5);
        assert_eq!(milliseconds(Duration::MAX), u32::MAX);
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_looked_at(bytes in prop::collection::vec(any::<u8>(), 0..300), index in any::<u32>()) {
            let program = Program::from_bytes(bytes.clone());
            prop_assert_eq!(program.header().is_some(), bytes.len() >= 64);
            prop_assert_eq!(program.step(index).is_some(), (index as usize) < program.step_count());
            let stamped = program.with_cookie(5);
            prop_assert_eq!(stamped.bytes().len(), bytes.len());
            prop_assert!(stamped.cookie().is_none_or(|cookie| cookie == 5));
        }
    }
}
