//! Whether an operand can be reached, and where it is.

use hawser_abi::descriptor::{DeviceStep, IN_IMMEDIATE, IN_SCRATCH, NOWHERE};
use hawser_abi::program::OperandIndex;
use hawser_abi::queue::CompletionStatus;
use hawser_abi::rules::{ABSENT, IMMEDIATE, MEMORY, Spaces};

use crate::fault::StepFault;
use crate::program::Window;
use crate::view::{Direction, View};

/// Where an operand is; every byte of it can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Nowhere,
    Immediate,
    Binding { index: u8, offset: u64 },
    Local { offset: u64 },
}

/// What the steps of a command can reach.
pub(crate) struct Reach<'a> {
    pub(crate) views: &'a [View],
    pub(crate) window: Window,
}

/// An operand as the step states it.
pub(crate) struct Asked {
    operand: OperandIndex,
    at: u8,
    offset: u64,
    bytes: u64,
    size: u64,
}

impl Asked {
    /// An operand of `bytes` bytes in elements of `size`.
    pub(crate) fn new(step: &DeviceStep, operand: OperandIndex, size: u64, bytes: u64) -> Self {
        let [at_dst, at_a, at_b, at_c] = step.where_;
        let [dst, a, b, c] = step.offsets;
        let (at, offset) = match operand {
            OperandIndex::Dst => (at_dst, dst),
            OperandIndex::A => (at_a, a),
            OperandIndex::B => (at_b, b),
            OperandIndex::C => (at_c, c),
        };
        Self {
            operand,
            at,
            offset,
            bytes,
            size,
        }
    }

    /// Where the operand is, if it may be in `spaces` only.
    pub(crate) fn place(&self, spaces: Spaces, reach: &Reach<'_>) -> Result<Place, StepFault> {
        let kind = match self.at {
            NOWHERE => ABSENT,
            IN_IMMEDIATE => IMMEDIATE,
            _ => MEMORY,
        };
        let misplaced = spaces & kind == 0 || (kind != MEMORY && self.offset != 0);
        if misplaced || !self.offset.is_multiple_of(self.size) {
            return Err(self.malformed());
        }
        match self.at {
            NOWHERE => Ok(Place::Nowhere),
            IN_IMMEDIATE => Ok(Place::Immediate),
            IN_SCRATCH => self.local(reach.window),
            index => self.binding(reach.views.get(usize::from(index)).ok_or(self.malformed())?),
        }
    }

    fn fault(&self, status: CompletionStatus, offset: u64) -> StepFault {
        StepFault::operand(status, self.operand, offset)
    }

    fn malformed(&self) -> StepFault {
        self.fault(CompletionStatus::BadDescriptor, 0)
    }

    fn local(&self, window: Window) -> Result<Place, StepFault> {
        let left = window.length.saturating_sub(self.offset);
        if self.bytes > left {
            return Err(self.fault(CompletionStatus::OutOfBounds, left));
        }
        Ok(Place::Local {
            offset: window.base + self.offset,
        })
    }

    fn binding(&self, view: &View) -> Result<Place, StepFault> {
        let direction = match self.operand {
            OperandIndex::Dst => Direction::Write,
            _ => Direction::Read,
        };
        if !view.allows(direction) {
            return Err(self.fault(CompletionStatus::Direction, 0));
        }
        let unreachable = match self.offset.checked_add(self.bytes) {
            Some(end) => view.first_unreachable(self.offset, end),
            None => view.first_unreachable(self.offset, u64::MAX),
        };
        match unreachable {
            Some(at) => Err(self.fault(CompletionStatus::OutOfBounds, at - self.offset)),
            None => Ok(Place::Binding {
                index: self.at,
                offset: self.offset,
            }),
        }
    }
}
