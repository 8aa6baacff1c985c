//! Why a submission was refused, in the detail that its result record reports.

use core::fmt;

use hawser_abi::program::OperandIndex;
use hawser_abi::reason::Reason;
use hawser_abi::result::{NOT_APPLICABLE, ResultRecord};

/// A refusal.
///
/// What `offset`, `length` and `limit` hold depends on the reason; what is not named is 0.
///
/// | reason | `offset` | `length` | `limit` |
/// |---|---|---|---|
/// | `HeaderTruncated` | | bytes of the input buffer | bytes of a header |
/// | `BadMagic`, `BadVersion`, `BadHeaderSize`, `BadStepSize` | | value found | value wanted |
/// | `TotalSizeMismatch` | | total size stated | bytes of the input buffer |
/// | `StepCountMismatch` | | bytes of header and steps announced | total size |
/// | `NoSteps`, `NoDataBuffer` | | 0 | 1 |
/// | `TooManySteps` | | steps | most steps |
/// | `HeaderReserved` | byte position in the header | value found | |
/// | `HeaderFlags` | | flags found | flags known |
/// | `DataSizeMismatch` | | data size stated | bytes of the data buffer |
/// | `DataTooLarge`, `ScratchTooLarge` | | bytes asked for | most bytes |
/// | `UnknownOpcode`, `UnsupportedOpcode` | | opcode | |
/// | `UnknownType`, `UnsupportedType` | | element type | |
/// | `UnknownSourceType`, `UnsupportedSourceType` | | type of the source | |
/// | `StepFlags` | | flags found | flags that the operation takes |
/// | `StepReserved` | byte position in the step | value found | |
/// | `UnknownPredicate` | byte position in the step | predicate | last predicate |
/// | `ZeroDimension` | byte position in the step | 0 | 1 |
/// | `ZeroCount` | | 0 | 1 |
/// | `CountOverflow` | | elements | most elements |
/// | `RaggedMatrix` | | elements | rows |
/// | `MatrixOverflow` | rows | columns | most elements |
/// | `UnknownSpace`, `OperandMissing`, `OperandUnexpected`, `ImmediateNotAllowed` | | space | |
/// | `ImmediateTooWide` | | immediate | largest immediate of the type |
/// | `Misaligned` | offset of the operand | | size of its elements |
/// | `OffsetOverflow` | offset of the operand | bytes of the operand | |
/// | `OutOfBounds` | offset of the operand | bytes of the operand | bytes of the space |
/// | `Overlap` | first byte that both reach | bytes that both reach | |
/// | `ScratchNotWritten` | first byte that was not written | bytes from there to the end of the operand | |
/// | `ArenaTooSmall` | | bytes needed (or pieces, where the list of pieces is too short) | bytes of the arena (or pieces) |
/// | `BadScatterGather` | byte of the data buffer | bytes of the element or mapping | bytes that were expected, highest address, or segments |
///
/// `step` and `operand` name what was refused wherever a step or one of its operands was; an overlap names the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The rule that was broken.
    pub reason: Reason,
    /// The step that broke it.
    pub step: Option<u32>,
    /// The operand that broke it.
    pub operand: Option<OperandIndex>,
    /// See the table of the type.
    pub offset: u64,
    /// See the table of the type.
    pub length: u64,
    /// See the table of the type.
    pub limit: u64,
}

impl Refusal {
    /// A refusal of the whole submission.
    pub const fn new(reason: Reason) -> Self {
        Self {
            reason,
            step: None,
            operand: None,
            offset: 0,
            length: 0,
            limit: 0,
        }
    }

    /// The same for step `step`.
    pub(crate) const fn step(self, step: u32) -> Self {
        Self {
            step: Some(step),
            ..self
        }
    }

    /// The same for one operand.
    pub(crate) const fn operand(self, operand: OperandIndex) -> Self {
        Self {
            operand: Some(operand),
            ..self
        }
    }

    /// The same at `offset`.
    pub(crate) const fn offset(self, offset: u64) -> Self {
        Self { offset, ..self }
    }

    /// The same for `length` bytes, or for that value.
    pub(crate) const fn length(self, length: u64) -> Self {
        Self { length, ..self }
    }

    /// The same with the limit that was broken.
    pub(crate) const fn limit(self, limit: u64) -> Self {
        Self { limit, ..self }
    }

    /// The NTSTATUS, as its 32 bits, with which the refused request is completed.
    pub const fn status(&self) -> u32 {
        self.reason.status()
    }

    /// Fills the fields of a record that say what was refused and why.
    pub fn write_to(&self, record: &mut ResultRecord) {
        record.status = self.status();
        record.reason = self.reason as u32;
        record.step = self.step.unwrap_or(NOT_APPLICABLE);
        record.operand = self.operand.map_or(NOT_APPLICABLE, |operand| operand as u32);
        record.offset = self.offset;
        record.length = self.length;
        record.limit = self.limit;
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(step) = self.step {
            write!(f, "step {step}: ")?;
        }
        if let Some(operand) = self.operand {
            write!(f, "{}: ", operand.name())?;
        }
        f.write_str(self.reason.text())?;
        let numbers = [("offset", self.offset), ("length", self.length), ("limit", self.limit)];
        let mut opening = " (";
        for (name, number) in numbers.into_iter().filter(|(_, number)| *number != 0) {
            write!(f, "{opening}{name} {number}")?;
            opening = ", ";
        }
        f.write_str(if opening == ", " { ")" } else { "" })
    }
}

impl core::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;
    use zerocopy::FromZeros;

    #[test]
    fn a_refusal_says_where_and_why() {
        let refusal = Refusal::new(Reason::OutOfBounds)
            .step(3)
            .operand(OperandIndex::B)
            .offset(16)
            .length(64)
            .limit(32);
        assert_eq!(
            refusal.to_string(),
            "step 3: second source: an operand reaches outside its space (offset 16, length 64, limit 32)"
        );
        assert_eq!(Refusal::new(Reason::NoSteps).to_string(), "the program has no steps");
    }

    #[test]
    fn a_record_holds_what_the_refusal_says() {
        let mut record = ResultRecord::new_zeroed();
        Refusal::new(Reason::Misaligned)
            .step(0)
            .operand(OperandIndex::Dst)
            .offset(5)
            .limit(4)
            .write_to(&mut record);
        assert_eq!(
            (record.step, record.operand, record.offset, record.length, record.limit),
            (0, 0, 5, 0, 4)
        );
        assert_eq!(
            (record.reason, record.status),
            (Reason::Misaligned as u32, Reason::Misaligned.status())
        );
        Refusal::new(Reason::BadMagic).write_to(&mut record);
        assert_eq!((record.step, record.operand), (NOT_APPLICABLE, NOT_APPLICABLE));
    }
}
