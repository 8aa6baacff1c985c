//! Why a program is refused, field for field what a result record says.

use hawser_abi::reason::Reason;

/// A refusal; what a field means depends on the reason, and what is not named is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The rule that was broken.
    pub reason: Reason,
    /// The step that broke it.
    pub step: Option<u32>,
    /// The operand that broke it: 0 is the destination.
    pub operand: Option<u8>,
    /// Where.
    pub offset: u64,
    /// How much, or which value.
    pub length: u64,
    /// What would have been allowed.
    pub limit: u64,
}

impl Refused {
    /// A refusal that names nothing yet but `length`, the bytes or the value found, and `limit`, what is allowed.
    pub(crate) fn new(reason: Reason, length: u64, limit: u64) -> Self {
        Self {
            reason,
            step: None,
            operand: None,
            offset: 0,
            length,
            limit,
        }
    }

    pub(crate) fn at(self, offset: u64) -> Self {
        Self { offset, ..self }
    }

    pub(crate) fn of_operand(self, operand: usize) -> Self {
        Self {
            operand: u8::try_from(operand).ok(),
            ..self
        }
    }
}
