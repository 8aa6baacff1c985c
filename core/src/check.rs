//! Checks a program in one pass over its steps, and records what it reads and writes.

use hawser_abi::program::Step;

use crate::header;
use crate::intervals::Interval;
use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::workspace::Workspace;

use frame::Frame;
use operands::{Places, SpaceSizes};

mod frame;
mod operands;

/// Where the caller's data buffer lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferShape {
    /// Bytes of the buffer.
    pub length: u64,
    /// Bytes from the start of a page to the first byte, below [`PAGE_SIZE`](crate::PAGE_SIZE).
    pub page_offset: u32,
}

/// A program that broke no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    step_count: u32,
    timeout_ms: u32,
    cookie: u64,
    scratch_size: u64,
    shape: BufferShape,
}

impl Checked {
    /// Number of steps.
    pub const fn step_count(&self) -> u32 {
        self.step_count
    }

    /// Milliseconds that the program may run; 0 asks for the driver's default.
    pub const fn timeout_ms(&self) -> u32 {
        self.timeout_ms
    }

    /// The caller's name of the submission.
    pub const fn cookie(&self) -> u64 {
        self.cookie
    }

    /// Bytes of the program's window of device-local memory.
    pub const fn scratch_size(&self) -> u64 {
        self.scratch_size
    }

    /// Bytes of the data buffer.
    pub const fn data_length(&self) -> u64 {
        self.shape.length
    }

    /// The data buffer.
    pub const fn shape(&self) -> BufferShape {
        self.shape
    }
}

/// A program that broke no rule, with what it reads and writes of the data buffer.
#[derive(Clone, Copy, Debug)]
pub struct Accepted<'w> {
    checked: Checked,
    pub(crate) reads: &'w [Interval],
    pub(crate) writes: &'w [Interval],
}

impl Accepted<'_> {
    /// The program.
    pub const fn checked(&self) -> Checked {
        self.checked
    }
}

/// Checks the program of a submission, `program` being the whole input buffer.
///
/// Refusals come in program order. Of one step, these are looked at in turn: opcode, element type, type of a conversion's source, flags,
/// auxiliary fields, count, matrices, each operand (space, presence, immediate, alignment, bounds), the immediate, overlap, and last whether
/// the device-local memory that the step reads was written by earlier steps. What each operation takes is in [`hawser_abi::rules`].
///
/// Takes `O(n log n)` time for `n` steps and no memory beyond `workspace`.
pub fn check<'w>(
    program: &[u8],
    shape: BufferShape,
    limits: &Limits,
    workspace: &'w mut Workspace<'_>,
) -> Result<Accepted<'w>, Refusal> {
    let (header, steps) = header::parse(program, shape, limits, workspace.max_steps())?;
    workspace.clear();
    let sizes = SpaceSizes {
        data: header.data_size,
        scratch: header.scratch_size,
    };
    for (index, bytes) in (0_u32..).zip(steps) {
        let step: Step = zerocopy::transmute!(*bytes);
        check_step(&step, sizes, limits, workspace).map_err(|refusal| refusal.step(index))?;
    }
    let checked = Checked {
        step_count: header.step_count,
        timeout_ms: header.timeout_ms,
        cookie: header.cookie,
        scratch_size: header.scratch_size,
        shape,
    };
    let Workspace { reads, writes, .. } = workspace;
    Ok(Accepted {
        checked,
        reads: reads.sorted(),
        writes: writes.sorted(),
    })
}

fn check_step(step: &Step, sizes: SpaceSizes, limits: &Limits, workspace: &mut Workspace<'_>) -> Result<(), Refusal> {
    let frame = Frame::of(step, limits)?;
    let mut places = Places::NONE;
    places.find(step, &frame, sizes)?;
    places.check_immediate(step, &frame)?;
    places.check_overlap(frame.rule.in_place)?;
    places.record(workspace)
}

#[cfg(test)]
mod tests;
