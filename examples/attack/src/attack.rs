//! An attack: a program, the buffer that goes with it, and what the driver has to say about it.

use hawser::Ending;
use hawser_abi::program::OperandIndex;
use hawser_abi::reason::Reason;
use hawser_abi::result::{NOT_APPLICABLE, ResultRecord};

/// A hostile program.
pub struct Attack {
    /// What it tries: the end of a sentence that begins with "a program that".
    pub tries: &'static str,
    /// The input buffer.
    pub program: Vec<u8>,
    /// The data buffer.
    pub buffer: Given,
    /// What the driver has to answer.
    pub expected: Expected,
}

/// The data buffer of an attack.
#[derive(Clone, Copy)]
pub enum Given {
    /// The one that has neighbours and contents to be spoiled.
    Target,
    /// One of its own, of so many bytes.
    Own(u64),
    /// None.
    Nothing,
}

/// The answer to an attack, in the terms of a result record.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    /// The rule that is broken.
    pub reason: Reason,
    step: u32,
    operand: u32,
    offset: u64,
    length: Length,
    limit: u64,
}

/// The length that a record names.
#[derive(Clone, Copy, Debug)]
enum Length {
    Exactly(u64),
    /// What the driver needs beside the data is its own affair.
    Above(u64),
}

impl Attack {
    /// An attack with the target as data buffer.
    pub const fn new(tries: &'static str, program: Vec<u8>, expected: Expected) -> Self {
        Self {
            tries,
            program,
            buffer: Given::Target,
            expected,
        }
    }

    /// The same with another data buffer.
    pub fn with(self, buffer: Given) -> Self {
        Self { buffer, ..self }
    }
}

/// A refusal of the whole submission.
pub const fn refused(reason: Reason) -> Expected {
    Expected {
        reason,
        step: NOT_APPLICABLE,
        operand: NOT_APPLICABLE,
        offset: 0,
        length: Length::Exactly(0),
        limit: 0,
    }
}

impl Expected {
    /// The same, of a step.
    pub const fn step(self, step: u32) -> Self {
        Self { step, ..self }
    }

    /// The same, of an operand of a step.
    pub const fn operand(self, step: u32, operand: OperandIndex) -> Self {
        let operand = operand as u32;
        Self { step, operand, ..self }
    }

    /// The same with offset, length and limit.
    pub const fn numbers(self, offset: u64, length: u64, limit: u64) -> Self {
        Self {
            offset,
            length: Length::Exactly(length),
            limit,
            ..self
        }
    }

    /// The same with a limit, and some length above it.
    pub const fn more_than(self, limit: u64) -> Self {
        Self {
            length: Length::Above(limit),
            limit,
            ..self
        }
    }

    /// Whether the driver ended the program as expected. A header that cannot be trusted to have a cookie leaves no record: the status is all
    /// there is.
    pub fn check(&self, ending: &Ending) -> Result<(), String> {
        let fits = match &ending.record {
            Some(record) => self.fits(record),
            None => ending.cookie == 0,
        };
        if fits && ending.status.0 == self.reason.status() {
            return Ok(());
        }
        Err(format!("expected {self:?}"))
    }

    fn fits(&self, record: &ResultRecord) -> bool {
        let length = match self.length {
            Length::Exactly(length) => record.length == length,
            Length::Above(limit) => record.length > limit,
        };
        let found = (record.reason, record.step, record.operand, record.offset, record.limit);
        length && found == (self.reason as u32, self.step, self.operand, self.offset, self.limit)
    }
}
