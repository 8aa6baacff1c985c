//! A slow check and a slow planner of programs, with which tests and fuzzers compare `hawser-core`.
//!
//! They are written from the documents alone (`docs/contract.md`, `docs/operations.md`, `docs/planning.md`, and what `hawser-core` promises of
//! its refusals) and share no rule with the code that they are compared with, not even the table of operations: fields are read from bytes at
//! the offsets of the contract, every operation is stated again, and lengths are computed in 128 bits. Of `hawser-abi` they use the names of
//! reasons only.
//!
//! Everything is bounded by the number of steps, not by the length of the buffer: bytes are kept as ranges.
#![forbid(unsafe_code)]

mod bytewise;
mod cost;
mod header;
mod layout;
mod memory;
mod operands;
mod operations;
mod plan;
mod ranges;
mod refused;
mod step;
mod view;

pub use bytewise::{Access, Fate, fates};
pub use cost::cost;
pub use operations::{Operand, Operation, operation};
pub use plan::{Cause, Part, Planned, plan};
pub use ranges::Ranges;
pub use refused::Refused;
pub use view::{HOLE, Segment, View, is_complete, segments};

use memory::Memory;

/// Where the data buffer lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buffer {
    /// Bytes of it.
    pub length: u64,
    /// Bytes from the start of a page to its first byte.
    pub page_offset: u64,
}

/// What device and driver can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most steps.
    pub steps: u64,
    /// Most bytes of a data buffer.
    pub data: u64,
    /// Bytes of device-local memory.
    pub scratch: u64,
    /// Operations that the device runs, as bits.
    pub operations: u64,
    /// Element types that the device computes with, as bits.
    pub element_types: u32,
    /// Most mappings in each direction.
    pub mappings: usize,
    /// Bytes of a cache line, a power of two.
    pub line: u64,
    /// Pages that the mappings of one direction may span together.
    pub map_registers: u64,
    /// What a mapping costs, in bytes copied.
    pub mapping_cost: u64,
    /// What a page costs that is mapped or copied, in bytes copied.
    pub page_cost: u64,
    /// Bytes of the arena.
    pub arena: u64,
    /// Pieces that the plan's caller has room for.
    pub pieces: u64,
}

impl Limits {
    /// What the contract allows, on a device that has all of it, with a driver that is never short of anything.
    pub const CONTRACT: Self = Self {
        steps: 65_536,
        data: 1 << 30,
        scratch: 64 << 20,
        operations: u64::MAX,
        element_types: u32::MAX,
        mappings: 8,
        line: 64,
        map_registers: u64::MAX,
        mapping_cost: 0,
        page_cost: 0,
        arena: u64::MAX,
        pieces: u64::MAX,
    };
}

/// What a program that breaks no rule does to the data buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// Number of steps.
    pub steps: u64,
    /// Bytes that it reads.
    pub reads: Ranges,
    /// Bytes that it writes.
    pub writes: Ranges,
}

/// Checks a submission's input buffer.
///
/// # Errors
/// The first rule that is broken, in the order in which `hawser_core::check` promises to look at them.
pub fn check(program: &[u8], buffer: Buffer, limits: &Limits) -> Result<Touched, Refused> {
    let header = header::check(program, buffer, limits)?;
    let mut memory = Memory::default();
    for (index, bytes) in (0_u32..).zip(program[header::BYTES..].chunks(step::BYTES)) {
        let refusal = |refused: Refused| Refused {
            step: Some(index),
            ..refused
        };
        step::check(bytes, &header, limits, &mut memory).map_err(refusal)?;
    }
    Ok(Touched {
        steps: header.steps,
        reads: memory.reads,
        writes: memory.writes,
    })
}
