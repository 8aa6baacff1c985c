//! Faults: of one command, reported in its completion, and of the device, reported in the fault registers.

use hawser_abi::program::OperandIndex;
use hawser_abi::queue::{CompletionStatus, NO_OPERAND, NO_STEP};
use hawser_abi::registers::fault;

/// Why a command ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CommandFault {
    pub(crate) status: CompletionStatus,
    pub(crate) step: u32,
    pub(crate) operand: u8,
    /// Bytes from the first byte of the operand.
    pub(crate) offset: u64,
}

impl CommandFault {
    /// A fault of the command as a whole.
    pub(crate) const fn command(status: CompletionStatus) -> Self {
        Self {
            status,
            step: NO_STEP,
            operand: NO_OPERAND,
            offset: 0,
        }
    }

    /// The command or its descriptor is malformed.
    pub(crate) const BAD_DESCRIPTOR: Self = Self::command(CompletionStatus::BadDescriptor);
}

/// A fault of a step, before it is known which step it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StepFault {
    status: CompletionStatus,
    operand: u8,
    offset: u64,
}

impl StepFault {
    pub(crate) const fn step(status: CompletionStatus) -> Self {
        Self {
            status,
            operand: NO_OPERAND,
            offset: 0,
        }
    }

    pub(crate) const fn operand(status: CompletionStatus, operand: OperandIndex, offset: u64) -> Self {
        Self {
            status,
            operand: operand as u8,
            offset,
        }
    }

    pub(crate) const fn of_step(self, step: u32) -> CommandFault {
        CommandFault {
            status: self.status,
            step,
            operand: self.operand,
            offset: self.offset,
        }
    }
}

/// A fault that stops the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FatalFault {
    pub(crate) code: u32,
    pub(crate) source: u32,
    pub(crate) address: u64,
    pub(crate) detail: &'static str,
}

impl FatalFault {
    pub(crate) const fn configuration(detail: &'static str) -> Self {
        Self {
            code: fault::BAD_CONFIGURATION,
            source: 0,
            address: 0,
            detail,
        }
    }

    pub(crate) const fn doorbell(queue: u16, detail: &'static str) -> Self {
        Self {
            code: fault::BAD_DOORBELL,
            source: (queue as u32) << 16,
            address: 0,
            detail,
        }
    }

    pub(crate) const fn ring(queue: u16, tag: u16, address: u64) -> Self {
        Self {
            code: fault::RING_ACCESS,
            source: (queue as u32) << 16 | tag as u32,
            address,
            detail: "the host refused an access to a ring",
        }
    }
}
