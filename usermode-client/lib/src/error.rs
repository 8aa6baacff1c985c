//! What can go wrong for a client, in types that say where.

use std::fmt;

use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{OperandIndex, Step};
use hawser_abi::reason::Reason;
use hawser_abi::result::ResultRecord;
use thiserror::Error;

use crate::program::ProgramError;
use crate::status::NtStatus;
use crate::transport::TransportError;

/// An operation of the client failed.
#[derive(Debug, Error)]
pub enum Error {
    /// No device with Hawser's interface is present.
    #[error("no Hawser device is present; is the driver installed and the device started?")]
    NoDevice,
    /// A call to the operating system, or the simulated machine, failed.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// A program cannot be built.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A submission ended without success: it was refused, or failed on the device.
    #[error(transparent)]
    Ended(Box<Ending>),
    /// The driver refused another request.
    #[error("{request} ended with {status}")]
    Request {
        /// What was asked for.
        request: &'static str,
        /// How the driver answered.
        status: NtStatus,
    },
    /// The driver's answer is not what this client understands.
    #[error("the driver's answer to {request} is not usable: {what} is {found}, expected {expected}")]
    BadReply {
        /// What was asked for.
        request: &'static str,
        /// The part of the answer that is wrong.
        what: &'static str,
        /// Its value.
        found: u64,
        /// The value that the contract states.
        expected: u64,
    },
}

/// How a submission ended that did not succeed.
#[derive(Clone, Debug)]
pub struct Ending {
    /// The status that the request was completed with.
    pub status: NtStatus,
    /// The cookie of the submission, 0 where the program's header could not carry one.
    pub cookie: u64,
    /// The record of the submission, where the driver kept one.
    pub record: Option<ResultRecord>,
    /// The step that the record names.
    pub step: Option<Step>,
}

impl Ending {
    /// Why, where it is known.
    pub fn reason(&self) -> Option<Reason> {
        let recorded = self.record.and_then(|record| Reason::from_u32(record.reason));
        recorded.or_else(|| self.status.reason())
    }

    /// Index of the step that was refused or faulted.
    pub fn step_index(&self) -> Option<u32> {
        self.record
            .map(|record| record.step)
            .filter(|step| *step != hawser_abi::result::NOT_APPLICABLE)
    }

    /// The operand that was refused or faulted.
    pub fn operand(&self) -> Option<OperandIndex> {
        self.record.and_then(|record| OperandIndex::from_u32(record.operand))
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(index) = self.step_index() {
            write!(f, "step {index}")?;
            if let Some(step) = &self.step {
                write!(f, " ({})", step_name(step))?;
            }
            f.write_str(": ")?;
        }
        if let Some(operand) = self.operand() {
            write!(f, "{}: ", operand.name())?;
        }
        match self.reason() {
            Some(reason) => f.write_str(reason.text())?,
            None => f.write_str("the driver ended the program")?,
        }
        if let Some(record) = &self.record {
            let numbers = [
                ("offset", record.offset),
                ("length", record.length),
                ("limit", record.limit),
            ];
            for (name, number) in numbers.into_iter().filter(|(_, number)| *number != 0) {
                write!(f, ", {name} {number}")?;
            }
        }
        write!(f, "; {}", self.status)
    }
}

impl std::error::Error for Ending {}

/// Operation and element type of a step, as far as they are known.
fn step_name(step: &Step) -> String {
    let operation =
        Opcode::from_byte(step.opcode).map_or_else(|| format!("opcode {}", step.opcode), |o| o.name().into());
    let element = ElementType::from_byte(step.element_type)
        .map_or_else(|| format!("type {}", step.element_type), |t| t.name().into());
    format!("{operation} {element}")
}

/// A submission that did not succeed, with the data buffer.
#[derive(Debug, Error)]
#[error("{error}")]
pub struct Failed<B> {
    /// What went wrong.
    #[source]
    pub error: Error,
    /// The data buffer; none was given, or it cannot be given back since the driver may still use it.
    pub buffer: Option<B>,
}

impl<B> From<Failed<B>> for Error {
    fn from(failed: Failed<B>) -> Self {
        failed.error
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zerocopy::FromZeros;

    #[test]
    fn an_ending_names_step_operand_numbers_and_reason() {
        let mut record = ResultRecord::new_zeroed();
        (record.step, record.operand, record.reason) = (3, 2, Reason::OutOfBounds as u32);
        (record.offset, record.length, record.limit) = (16, 64, 32);
        let mut step = Step::new_zeroed();
        (step.opcode, step.element_type) = (Opcode::Add as u8, ElementType::F32 as u8);
        let status = NtStatus(Reason::OutOfBounds.status());
        let ending = Ending {
            status,
            cookie: 1,
            record: Some(record),
            step: Some(step),
        };
        assert_eq!(
            ending.to_string(),
            "step 3 (add f32): second source: an operand reaches outside its space, offset 16, length 64, limit 32; \
             OutOfBounds (0xe048002f)"
        );
    }

    #[test]
    fn an_ending_without_a_record_says_what_the_status_says() {
        let refused = Ending {
            status: NtStatus(0xE048_0002),
            cookie: 0,
            record: None,
            step: None,
        };
        assert_eq!(
            refused.to_string(),
            "the header does not start with the magic number; BadMagic (0xe0480002)"
        );
        let denied = Ending {
            status: NtStatus(0xC000_0022),
            cookie: 0,
            record: None,
            step: None,
        };
        assert_eq!(
            denied.to_string(),
            "the driver ended the program; STATUS_ACCESS_DENIED (0xc0000022)"
        );
    }
}
