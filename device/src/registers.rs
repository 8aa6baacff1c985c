//! Which register is at an offset of BAR 0, and how wide it is.

use hawser_abi::pci::MAX_QUEUES;
use hawser_abi::registers::{self, queue_offset};

/// A register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Register {
    Id,
    Version,
    Cap,
    ScratchSize,
    Control,
    Status,
    Heartbeat,
    Abort,
    FaultCode,
    FaultSource,
    FaultAddress,
    IntStatus,
    IntMaskSet,
    IntMaskClear,
    Moderation,
    Queue(u16, QueueRegister),
    SqTail(u16),
    CqHead(u16),
}

/// A register of a queue's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueueRegister {
    SqBase,
    CqBase,
    SqEntries,
    CqEntries,
    Message,
    Enable,
}

impl Register {
    /// The register that starts at `offset`.
    pub(crate) fn at(offset: u64) -> Option<Self> {
        Some(match offset {
            registers::ID => Self::Id,
            registers::VERSION => Self::Version,
            registers::CAP => Self::Cap,
            registers::SCRATCH_SIZE => Self::ScratchSize,
            registers::CONTROL => Self::Control,
            registers::STATUS => Self::Status,
            registers::HEARTBEAT => Self::Heartbeat,
            registers::ABORT => Self::Abort,
            registers::FAULT_CODE => Self::FaultCode,
            registers::FAULT_SOURCE => Self::FaultSource,
            registers::FAULT_ADDRESS => Self::FaultAddress,
            registers::INT_STATUS => Self::IntStatus,
            registers::INT_MASK_SET => Self::IntMaskSet,
            registers::INT_MASK_CLEAR => Self::IntMaskClear,
            registers::MODERATION => Self::Moderation,
            registers::DOORBELL_BASE.. => return doorbell(offset - registers::DOORBELL_BASE),
            registers::QUEUE_BASE.. => return configuration(offset - registers::QUEUE_BASE),
            _ => return None,
        })
    }

    /// Its width in bytes, which is the only one that it may be accessed with.
    pub(crate) fn width(self) -> u8 {
        match self {
            Self::Cap
            | Self::ScratchSize
            | Self::FaultAddress
            | Self::Queue(_, QueueRegister::SqBase | QueueRegister::CqBase) => 8,
            _ => 4,
        }
    }
}

fn queue(offset: u64, stride: u64) -> Option<u16> {
    let queue = u16::try_from(offset / stride).ok()?;
    (queue < MAX_QUEUES).then_some(queue)
}

fn configuration(offset: u64) -> Option<Register> {
    let queue = queue(offset, registers::QUEUE_STRIDE)?;
    let register = match offset % registers::QUEUE_STRIDE {
        queue_offset::SQ_BASE => QueueRegister::SqBase,
        queue_offset::CQ_BASE => QueueRegister::CqBase,
        queue_offset::SQ_ENTRIES => QueueRegister::SqEntries,
        queue_offset::CQ_ENTRIES => QueueRegister::CqEntries,
        queue_offset::MESSAGE => QueueRegister::Message,
        queue_offset::ENABLE => QueueRegister::Enable,
        _ => return None,
    };
    Some(Register::Queue(queue, register))
}

fn doorbell(offset: u64) -> Option<Register> {
    let queue = queue(offset, registers::DOORBELL_STRIDE)?;
    match offset % registers::DOORBELL_STRIDE {
        0 => Some(Register::SqTail(queue)),
        4 => Some(Register::CqHead(queue)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use hawser_abi::registers::{cq_head_doorbell, queue_register, sq_tail_doorbell};

    use super::*;

    #[test]
    fn every_queue_has_its_registers() {
        for n in 0..MAX_QUEUES {
            let enable = Register::at(queue_register(n, queue_offset::ENABLE));
            assert_eq!(enable, Some(Register::Queue(n, QueueRegister::Enable)));
            assert_eq!(Register::at(sq_tail_doorbell(n)), Some(Register::SqTail(n)));
            assert_eq!(Register::at(cq_head_doorbell(n)), Some(Register::CqHead(n)));
        }
        assert_eq!(Register::at(queue_register(MAX_QUEUES, queue_offset::ENABLE)), None);
        assert_eq!(Register::at(sq_tail_doorbell(MAX_QUEUES)), None);
        assert_eq!(Register::at(u64::MAX), None);
    }

    #[test]
    fn registers_do_not_overlap() {
        let mut free_from = 0;
        for offset in 0..0x4000 {
            if let Some(register) = Register::at(offset) {
                assert!(offset >= free_from, "{register:?} overlaps the one before");
                assert!(offset.is_multiple_of(u64::from(register.width())));
                free_from = offset + u64::from(register.width());
            }
        }
    }
}
