//! Checks a program in one pass over its steps, and records what it reads and writes.

use hawser_abi::reason::Reason;

use crate::header::{self, STEP_SIZE};
use crate::intervals::Interval;
use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::trusted::{BLOCK, TrustedBlock, TrustedCopy};
use crate::workspace::Workspace;

use operands::SpaceSizes;
use pass::Pass;
use temporaries::{Temporaries, Unwritten};

mod captured;
mod frame;
mod operands;
mod pass;
mod places;
mod rows;
mod swift;
pub(crate) mod temporaries;
pub(crate) mod units;

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

/// A program that broke no rule: the trusted copy of its steps, and what it reads and writes of the data buffer.
#[derive(Debug)]
pub struct Accepted<'r, 'w> {
    checked: Checked,
    workspace: &'r mut Workspace<'w>,
}

impl Accepted<'_, '_> {
    /// The program.
    pub const fn checked(&self) -> Checked {
        self.checked
    }

    /// The trusted copy of its steps.
    pub(crate) const fn copy(&self) -> &TrustedCopy<'_> {
        self.workspace.copy()
    }

    /// What the program reads and what it writes, sorted in `spare`, as ascending intervals that do not touch.
    pub(crate) fn accesses(&mut self, spare: &mut [Interval]) -> (&[Interval], &[Interval]) {
        self.workspace.sorted(spare)
    }
}

/// Checks the program of a submission, `program` being the whole input buffer.
///
/// Refusals come in program order. Of one step, these are looked at in turn: opcode, element type, type of a conversion's source, flags,
/// auxiliary fields, count, matrices, each operand (space, presence, immediate, alignment, bounds), the immediate, overlap, and last whether
/// the device-local memory that the step reads was written by earlier steps. What each operation takes is in [`hawser_abi::rules`].
///
/// Takes time in proportion to the number of steps, whatever they are, beside 4 bytes that are cleared for each KiB of device-local memory, 16 more where a program of many steps uses all of it, and no memory beyond `workspace`.
///
/// The steps of `program` are taken block by block into a trusted copy in `workspace`, from which alone [`translate`](crate::translate()) knows them. `program` need not be there any longer when this returns.
pub fn check<'r, 'w>(
    program: &[u8],
    shape: BufferShape,
    limits: &Limits,
    workspace: &'r mut Workspace<'w>,
) -> Result<Accepted<'r, 'w>, Refusal> {
    let (header, steps) = header::parse(program, shape, limits, workspace.room())?;
    let sizes = SpaceSizes {
        data: header.data_size,
        scratch: header.scratch_size,
    };
    let (blocks, temporaries) = workspace.start(header.step_count, header.scratch_size);
    look_at(steps, &Pass::new(limits, sizes), blocks, temporaries)?;
    let checked = Checked {
        step_count: header.step_count,
        timeout_ms: header.timeout_ms,
        cookie: header.cookie,
        scratch_size: header.scratch_size,
        shape,
    };
    Ok(Accepted { checked, workspace })
}

/// Looks at all steps, block by block of the trusted copy.
///
/// It has blocks for as many steps as the header was found to have room for. Were there fewer, the rest must not pass for checked.
fn look_at<'b>(
    steps: &[[u8; STEP_SIZE]],
    pass: &Pass<'_>,
    mut blocks: impl Iterator<Item = TrustedBlock<'b>>,
    temporaries: &mut Temporaries<'_>,
) -> Result<(), Refusal> {
    for (first, steps_of_block) in (0_u32..).step_by(BLOCK).zip(steps.chunks(BLOCK)) {
        let mut block = blocks.next().ok_or(no_room(steps.len(), first))?;
        let of_step = |number: u32| move |refusal: Refusal| refusal.step(first.saturating_add(number));
        let seen = pass.look_at(steps_of_block, &mut block);
        // Whatever is wrong there was wrong earlier.
        temporaries
            .reach(block.rows, &seen.reach)
            .map_err(|Unwritten { step, refusal }| of_step(step)(refusal))?;
        seen.broken.map_err(of_step(seen.reach.steps()))?;
    }
    Ok(())
}

/// What is refused of `steps` steps if there is room for `most`.
fn no_room(steps: usize, most: u32) -> Refusal {
    Refusal::new(Reason::TooManySteps)
        .length(steps as u64)
        .limit(most.into())
}

#[cfg(test)]
mod tests;
