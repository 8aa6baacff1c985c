//! The programs that are measured. Every one is accepted by the check.

use hawser_abi::op::Opcode;
use hawser_abi::program::{MAGIC, Step, SubmitHeader, VERSION};
use hawser_core::{BufferShape, Limits};
use zerocopy::{FromZeros, IntoBytes};

mod adversarial;
mod arrays;
pub mod operand;
mod ordered;
mod random;

/// The input buffer of a submission, and what the check has to know beside it.
#[derive(Clone, Debug)]
pub struct Program {
    /// Header and steps.
    pub bytes: Vec<u8>,
    /// Number of steps.
    pub steps: u32,
    /// Where the data buffer lies.
    pub shape: BufferShape,
}

/// Steps, and bytes of the two spaces that they need.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// The steps.
    pub steps: Vec<Step>,
    /// Bytes of the data buffer.
    pub data: u64,
    /// Bytes of device-local memory.
    pub scratch: u64,
}

impl Draft {
    /// The submission of these steps, with a data buffer at the start of a page.
    pub fn program(&self) -> Program {
        self.program_at(0)
    }

    /// The same with a data buffer that begins `page_offset` bytes into its page.
    pub fn program_at(&self, page_offset: u32) -> Program {
        let count = self.steps.len() as u32;
        let header = SubmitHeader {
            magic: MAGIC,
            version: VERSION,
            header_size: 64,
            total_size: 64 + 64 * count,
            step_size: 64,
            step_count: count,
            cookie: 1,
            scratch_size: self.scratch,
            data_size: self.data,
            ..SubmitHeader::new_zeroed()
        };
        Program {
            bytes: [header.as_bytes(), self.steps.as_bytes()].concat(),
            steps: count,
            shape: BufferShape {
                length: self.data,
                page_offset,
            },
        }
    }
}

/// How the steps of a program are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Every operation, type, space, flag; operands at random offsets of a large buffer, temporaries in slots of device-local memory.
    Random,
    /// Random operations on whole arrays of random size, as programs that users write have them.
    Arrays,
    /// A pattern of four operations that walks through arrays side by side.
    Ordered,
    /// An adversary's: four intervals for each step, none of which touches another, all over the largest data buffer.
    Scattered,
    /// An adversary's: every end of every interval is an edge of the plan, which has the most pieces.
    Fragments,
    /// An adversary's: small intervals, and at the end larger ones around them.
    Nested,
    /// An adversary's: ranges of all lengths, one over the other, in the data buffer and in device-local memory.
    Overlapping,
    /// An adversary's: every operand is as large as half the device-local memory.
    Wide,
    /// An adversary's: as many intervals of device-local memory as there are steps, read in random order.
    Scratch,
    /// Random steps for a device that lacks an operation, for which the check takes none of its short cuts.
    Exact,
}

/// The operation that the device lacks for which [`Kind::Exact`] is.
const LACKING: Opcode = Opcode::Sqrt;

impl Kind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Random,
        Self::Arrays,
        Self::Ordered,
        Self::Scattered,
        Self::Fragments,
        Self::Nested,
        Self::Overlapping,
        Self::Wide,
        Self::Scratch,
        Self::Exact,
    ];
    /// Those of an adversary who has a device that lacks nothing.
    pub const ADVERSARIAL: [Self; 6] = [
        Self::Scattered,
        Self::Fragments,
        Self::Nested,
        Self::Overlapping,
        Self::Wide,
        Self::Scratch,
    ];

    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Arrays => "arrays",
            Self::Ordered => "ordered",
            Self::Scattered => "scattered",
            Self::Fragments => "fragments",
            Self::Nested => "nested",
            Self::Overlapping => "overlapping",
            Self::Wide => "wide",
            Self::Scratch => "scratch",
            Self::Exact => "exact",
        }
    }

    /// The limits of the device that the programs are for.
    pub fn limits(self) -> Limits {
        let whole = Limits::default();
        match self {
            Self::Exact => Limits {
                operations: whole.operations & !LACKING.bit(),
                ..whole
            },
            _ => whole,
        }
    }

    /// A program of `count` steps. The same seed gives the same program.
    pub fn draft(self, count: u32, seed: u64) -> Draft {
        let mut dice = fastrand::Rng::with_seed(seed);
        match self {
            Self::Random | Self::Exact => random::draft(count, self.limits().operations, &mut dice),
            Self::Arrays => arrays::draft(count, &mut dice),
            Self::Ordered => ordered::draft(count),
            Self::Scattered => adversarial::scattered(count),
            Self::Fragments => adversarial::fragments(count),
            Self::Nested => adversarial::nested(count),
            Self::Overlapping => adversarial::overlapping(count),
            Self::Wide => adversarial::wide(count),
            Self::Scratch => adversarial::scratch(count, &mut dice),
        }
    }

    /// Programs of `count` steps each that have `distinct` of them together, or a few more.
    pub fn pool(self, count: u32, distinct: u32) -> Vec<Program> {
        let seeds = 0..distinct.div_ceil(count);
        seeds.map(|seed| self.draft(count, seed.into()).program()).collect()
    }
}

#[cfg(test)]
mod tests;
