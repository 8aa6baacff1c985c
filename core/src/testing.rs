//! What several tests need: programs, arenas in vectors, runs of bytes.

use std::vec;
use std::vec::Vec;

use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{MAGIC, Step, SubmitHeader, VERSION};
pub(crate) use hawser_programs::steps::{IMMEDIATE, NOTHING, Where, data, scratch, step};
use proptest::prelude::*;
use zerocopy::{FromZeros, IntoBytes};

use crate::address::BlockOffset;
use crate::check::{Accepted, BufferShape, Checked, check};
use crate::cost::Costs;
use crate::header::STEP_SIZE;
use crate::intervals::Interval;
use crate::limits::Limits;
use crate::pieces::{Piece, Pieces};
use crate::plan::{Plan, max_pieces, plan};
use crate::refusal::Refusal;
use crate::workspace::{Room, Workspace};
use crate::writer::{ArenaWriter, OutsideArena};

/// The longest runs of bytes for which `wanted` holds.
pub(crate) fn runs(bytes: &[u8], wanted: fn(u8) -> bool) -> Vec<Interval> {
    let mut found: Vec<Interval> = Vec::new();
    for (at, byte) in (0..).zip(bytes) {
        if wanted(*byte) {
            let here = Interval::new(at, at + 1);
            match found.last_mut() {
                Some(last) if last.end() == at => *last = last.union(here),
                _ => found.push(here),
            }
        }
    }
    found
}

/// The header of a program with these steps.
pub(crate) fn header(steps: &[Step], data_size: u64, scratch_size: u64) -> SubmitHeader {
    SubmitHeader {
        magic: MAGIC,
        version: VERSION,
        header_size: 64,
        total_size: 64 + 64 * steps.len() as u32,
        step_size: 64,
        step_count: steps.len() as u32,
        cookie: 77,
        scratch_size,
        data_size,
        ..SubmitHeader::new_zeroed()
    }
}

/// The input buffer of a submission.
pub(crate) fn program(header: &SubmitHeader, steps: &[Step]) -> Vec<u8> {
    [header.as_bytes(), steps.as_bytes()].concat()
}

/// Limits under which everything is mapped that can be, however small.
pub(crate) fn map_all() -> Limits {
    Limits {
        costs: Costs::FREE,
        ..Limits::default()
    }
}

/// Limits as the model takes them, with room for so many steps, and for all pieces.
pub(crate) fn model_limits(limits: &Limits, room: u32) -> hawser_core_model::Limits {
    hawser_core_model::Limits {
        steps: limits.max_steps.min(room).into(),
        data: limits.max_data,
        scratch: limits.scratch_size,
        operations: limits.operations,
        element_types: limits.element_types,
        mappings: limits.max_mappings as usize,
        line: limits.dma_alignment.into(),
        map_registers: limits.map_registers.into(),
        mapping_cost: limits.costs.mapping.into(),
        page_cost: limits.costs.page.into(),
        arena: limits.arena_size,
        pieces: u64::MAX,
    }
}

/// A data buffer at the start of a page.
pub(crate) const fn buffer(length: u64) -> BufferShape {
    BufferShape { length, page_offset: 0 }
}

/// A block of the arena, and how often it was written.
pub(crate) struct VecArena {
    pub(crate) bytes: Vec<u8>,
    pub(crate) writes: usize,
}

impl VecArena {
    pub(crate) fn new(length: u64) -> Self {
        Self {
            bytes: vec![0xEE; length as usize],
            writes: 0,
        }
    }
}

impl ArenaWriter for VecArena {
    fn write(&mut self, offset: BlockOffset, bytes: &[u8]) -> Result<(), OutsideArena> {
        assert!(bytes.len() <= 2048, "a write of {} bytes", bytes.len());
        let end = offset.0 as usize + bytes.len();
        self.bytes
            .get_mut(offset.0 as usize..end)
            .ok_or(OutsideArena)?
            .copy_from_slice(bytes);
        self.writes += 1;
        Ok(())
    }
}

/// Bits of a byte's code: the program reads it, the program writes it.
pub(crate) const READ: u8 = 1;
pub(crate) const WRITTEN: u8 = 2;

/// Codes for each byte of a data buffer, in runs of random length.
pub(crate) fn codes(most_runs: usize, longest: usize) -> impl Strategy<Value = Vec<u8>> {
    let run = (0_u8..4, 1..longest).prop_map(|(code, length)| vec![code; length]);
    proptest::collection::vec(run, 1..most_runs).prop_map(|runs| runs.concat())
}

/// Steps that read and write exactly the bytes whose codes say so.
pub(crate) fn steps_for(codes: &[u8]) -> Vec<Step> {
    let range = |interval: &Interval| (data(interval.start().into()), u64::from(interval.length()));
    let writes = runs(codes, |code| code & WRITTEN != 0);
    let reads = runs(codes, |code| code & READ != 0);
    let mut steps: Vec<_> = writes
        .iter()
        .map(range)
        .map(|(to, count)| step(Opcode::Fill, ElementType::U8, count, &[to, IMMEDIATE]))
        .collect();
    steps.extend(
        reads
            .iter()
            .map(range)
            .map(|(from, count)| step(Opcode::Copy, ElementType::U8, count, &[scratch(0), from])),
    );
    if steps.is_empty() {
        steps.push(step(Opcode::Fill, ElementType::U8, 1, &[scratch(0), IMMEDIATE]));
    }
    steps
}

/// A program that was checked and planned.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) checked: Checked,
    pub(crate) plan: Result<Plan, Refusal>,
    pub(crate) pieces: Vec<Piece>,
}

impl Planned {
    pub(crate) fn plan(&self) -> &Plan {
        self.plan.as_ref().expect("the program can be planned")
    }

    pub(crate) fn pieces(&self) -> Pieces<'_> {
        Pieces(&self.pieces)
    }
}

/// Checks and plans a right program with so many pieces, overwrites it, and does something with what was made of it.
pub(crate) fn with_planned<T>(
    mut program: Vec<u8>,
    shape: BufferShape,
    limits: &Limits,
    pieces: &mut [Piece],
    then: impl FnOnce(&Accepted<'_, '_>, Result<Plan, Refusal>) -> T,
) -> T {
    let room = room((program.len() / STEP_SIZE) as u32);
    let mut words = vec![0; room.words()];
    let mut workspace = Workspace::new(&mut words, room);
    let mut accepted = check(&program, shape, limits, &mut workspace).expect("the program is right");
    let plan = plan(&mut accepted, limits, pieces);
    program.fill(0xFF);
    then(&accepted, plan)
}

/// Room for programs of so many steps, and as much device-local memory as a device has.
pub(crate) const fn room(steps: u32) -> Room {
    Room {
        steps,
        scratch: 64 << 20,
    }
}

/// Checks and plans the program of [`steps_for`] these codes, for a data buffer at `page_offset`.
pub(crate) fn planned(codes: &[u8], page_offset: u32, limits: &Limits) -> Planned {
    let most = max_pieces(steps_for(codes).len() as u32);
    planned_with(codes, page_offset, limits, most)
}

/// The same with room for so many pieces.
pub(crate) fn planned_with(codes: &[u8], page_offset: u32, limits: &Limits, pieces: usize) -> Planned {
    let steps = steps_for(codes);
    let length = codes.len() as u64;
    let bytes = program(&header(&steps, length, length), &steps);
    let shape = BufferShape { length, page_offset };
    let mut pieces = vec![Piece::default(); pieces];
    let (checked, plan) = with_planned(bytes, shape, limits, &mut pieces, |accepted, plan| {
        (accepted.checked(), plan)
    });
    pieces.truncate(plan.map_or(0, |plan| plan.pieces()));
    Planned { checked, plan, pieces }
}
