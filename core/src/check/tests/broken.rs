//! Every way to break a rule that all programs have in common, with the refusal that is due.

use std::vec;
use std::vec::Vec;

use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{OperandIndex, Space, step_flags};
use hawser_abi::reason::Reason;

use super::*;

/// Every way to break a rule that all programs have in common, with the refusal that is due.
pub(super) fn broken_rules() -> Vec<(Outcome, Refusal)> {
    let mut broken = broken_headers();
    broken.extend(broken_steps());
    broken.extend(broken_operands());
    broken.extend(broken_programs());
    broken
}

fn broken_headers() -> Vec<(Outcome, Refusal)> {
    let limits = Limits::default();
    let steps = [fill(data(0), 4)];
    let good = program(&header(&steps, DATA, SCRATCH), &steps);
    let no_steps = program(&header(&[], DATA, SCRATCH), &[]);
    let no_data = program(&header(&steps, 0, SCRATCH), &steps);
    vec![
        (
            check_bytes(&good[..63], buffer(DATA), &limits),
            new(Reason::HeaderTruncated).length(63).limit(64),
        ),
        (
            check_bytes(&[], buffer(DATA), &limits),
            new(Reason::HeaderTruncated).limit(64),
        ),
        (
            with_header(|h| h.magic = 1),
            new(Reason::BadMagic).length(1).limit(0x5253_5748),
        ),
        (
            with_header(|h| h.version = 2),
            new(Reason::BadVersion).length(2).limit(1),
        ),
        (
            with_header(|h| h.header_size = 65),
            new(Reason::BadHeaderSize).length(65).limit(64),
        ),
        (
            with_header(|h| h.step_size = 32),
            new(Reason::BadStepSize).length(32).limit(64),
        ),
        (
            with_header(|h| h.total_size = 129),
            new(Reason::TotalSizeMismatch).length(129).limit(128),
        ),
        (
            check_bytes(&good[..127], buffer(DATA), &limits),
            new(Reason::TotalSizeMismatch).length(128).limit(127),
        ),
        (
            with_header(|h| h.step_count = 2),
            new(Reason::StepCountMismatch).length(192).limit(128),
        ),
        (
            with_header(|h| h.step_count = u32::MAX),
            new(Reason::StepCountMismatch)
                .length(u64::from(u32::MAX) * 64 + 64)
                .limit(128),
        ),
        (
            check_bytes(&no_steps, buffer(DATA), &limits),
            new(Reason::NoSteps).limit(1),
        ),
        (
            with_limits(Limits { max_steps: 1, ..limits }),
            new(Reason::TooManySteps).length(2).limit(1),
        ),
        (
            with_header(|h| h.reserved0 = 0x300),
            new(Reason::HeaderReserved).offset(15).length(3),
        ),
        (
            with_header(|h| h.reserved1[11] = 9),
            new(Reason::HeaderReserved).offset(63).length(9),
        ),
        (with_header(|h| h.flags = 4), new(Reason::HeaderFlags).length(4)),
        (
            check_bytes(&no_data, buffer(0), &limits),
            new(Reason::NoDataBuffer).limit(1),
        ),
        (
            with_header(|h| h.data_size = DATA + 1),
            new(Reason::DataSizeMismatch).length(DATA + 1).limit(DATA),
        ),
        (
            with_limits(Limits {
                max_data: DATA - 1,
                ..limits
            }),
            new(Reason::DataTooLarge).length(DATA).limit(DATA - 1),
        ),
        (
            with_limits(Limits {
                scratch_size: SCRATCH - 1,
                ..limits
            }),
            new(Reason::ScratchTooLarge).length(SCRATCH).limit(SCRATCH - 1),
        ),
        (
            with_header(|h| h.scratch_size = u64::MAX),
            new(Reason::ScratchTooLarge).length(u64::MAX).limit(limits.scratch_size),
        ),
    ]
}

fn broken_steps() -> Vec<(Outcome, Refusal)> {
    let limits = Limits::default();
    vec![
        (with_step(|s| s.opcode = 0), of_step(Reason::UnknownOpcode)),
        (with_step(|s| s.opcode = 30), of_step(Reason::UnknownOpcode).length(30)),
        (
            with_step(|s| s.opcode = 255),
            of_step(Reason::UnknownOpcode).length(255),
        ),
        (
            with_limits(Limits {
                operations: !Opcode::Fill.bit(),
                ..limits
            }),
            new(Reason::UnsupportedOpcode).step(0).length(2),
        ),
        (with_step(|s| s.element_type = 0), of_step(Reason::UnknownType)),
        (
            with_step(|s| s.element_type = 13),
            of_step(Reason::UnknownType).length(13),
        ),
        (
            with_step(|s| s.flags = 0x80),
            of_step(Reason::StepFlags)
                .length(0x80)
                .limit(step_flags::SATURATE.into()),
        ),
        (
            with_step(|s| s.aux_type = 5),
            of_step(Reason::StepReserved).offset(2).length(5),
        ),
        (
            with_step(|s| s.aux[0] = 6),
            of_step(Reason::StepReserved).offset(56).length(6),
        ),
        (
            with_step(|s| s.aux[1] = 7),
            of_step(Reason::StepReserved).offset(60).length(7),
        ),
        (
            with_step(|s| s.offsets[3] = 8),
            of_step(Reason::StepReserved)
                .operand(OperandIndex::C)
                .offset(40)
                .length(8),
        ),
        (
            with_step(|s| s.offsets[2] = 9),
            of_step(Reason::StepReserved)
                .operand(OperandIndex::B)
                .offset(32)
                .length(9),
        ),
        (
            with_step(|s| (s.spaces[2], s.immediate) = (1, 3)),
            of_step(Reason::StepReserved).offset(48).length(3),
        ),
        (with_step(|s| s.count = 0), of_step(Reason::ZeroCount).limit(1)),
        (
            with_step(|s| s.count = 1 << 62),
            of_step(Reason::CountOverflow).length(1 << 62).limit((1 << 62) - 1),
        ),
    ]
}

fn broken_operands() -> Vec<(Outcome, Refusal)> {
    let at = |reason, operand| of_step(reason).operand(operand);
    vec![
        (
            with_step(|s| s.spaces[1] = 4),
            at(Reason::UnknownSpace, OperandIndex::A).length(4),
        ),
        (
            with_step(|s| s.spaces[3] = 255),
            at(Reason::UnknownSpace, OperandIndex::C).length(255),
        ),
        (
            with_step(|s| s.spaces[0] = 0),
            at(Reason::OperandMissing, OperandIndex::Dst),
        ),
        (
            with_step(|s| s.spaces[1] = 0),
            at(Reason::OperandMissing, OperandIndex::A),
        ),
        (
            check_steps(&[
                fill(data(0), 4),
                step(Opcode::Fill, ElementType::I32, 4, &[data(0), data(16)]),
            ]),
            at(Reason::OperandMissing, OperandIndex::A).length(1),
        ),
        (
            with_step(|s| s.spaces[3] = 1),
            at(Reason::OperandUnexpected, OperandIndex::C).length(1),
        ),
        (
            with_step(|s| s.spaces[3] = 3),
            at(Reason::OperandUnexpected, OperandIndex::C).length(3),
        ),
        (
            with_step(|s| s.spaces[0] = 3),
            at(Reason::ImmediateNotAllowed, OperandIndex::Dst).length(3),
        ),
        (
            check_steps(&[fill(data(0), 4), copy(data(0), IMMEDIATE)]),
            at(Reason::ImmediateNotAllowed, OperandIndex::A).length(3),
        ),
        (
            check_steps(&[
                fill(data(0), 4),
                step(Opcode::Sum, ElementType::F64, 1, &[data(0), IMMEDIATE]),
            ]),
            at(Reason::ImmediateNotAllowed, OperandIndex::A).length(3),
        ),
        (
            with_step(|s| s.immediate = 1 << 32),
            at(Reason::ImmediateTooWide, OperandIndex::B)
                .length(1 << 32)
                .limit(0xFFFF_FFFF),
        ),
        (
            with_step(|s| s.offsets[1] = 18),
            at(Reason::Misaligned, OperandIndex::A).offset(18).limit(4),
        ),
        (
            with_step(|s| s.offsets[0] = u64::MAX - 3),
            at(Reason::OffsetOverflow, OperandIndex::Dst)
                .offset(u64::MAX - 3)
                .length(16),
        ),
        (
            with_step(|s| s.offsets[0] = DATA - 12),
            at(Reason::OutOfBounds, OperandIndex::Dst)
                .offset(DATA - 12)
                .length(16)
                .limit(DATA),
        ),
        (
            with_step(|s| (s.spaces[0], s.offsets[0]) = (Space::Scratch as u8, SCRATCH - 12)),
            at(Reason::OutOfBounds, OperandIndex::Dst)
                .offset(SCRATCH - 12)
                .length(16)
                .limit(SCRATCH),
        ),
        (
            with_step(|s| s.offsets[1] = 1 << 40),
            at(Reason::OutOfBounds, OperandIndex::A)
                .offset(1 << 40)
                .length(16)
                .limit(DATA),
        ),
        (
            check_steps(&[
                fill(data(0), 4),
                step(Opcode::Sum, ElementType::F64, 1, &[data(DATA), data(0)]),
            ]),
            at(Reason::OutOfBounds, OperandIndex::Dst)
                .offset(DATA)
                .length(8)
                .limit(DATA),
        ),
        (
            with_step(|s| s.offsets[1] = 12),
            at(Reason::Overlap, OperandIndex::A).offset(12).length(4),
        ),
        (
            with_step(|s| (s.spaces[2], s.offsets[0], s.offsets[1], s.offsets[2]) = (1, 16, 64, 4)),
            at(Reason::Overlap, OperandIndex::B).offset(16).length(4),
        ),
        (
            check_steps(&[fill(scratch(0), 8), copy(scratch(0), scratch(8))]),
            at(Reason::Overlap, OperandIndex::A).offset(8).length(8),
        ),
        (
            check_steps(&[
                fill(data(0), 4),
                step(Opcode::Sum, ElementType::F32, 4, &[data(12), data(0)]),
            ]),
            at(Reason::Overlap, OperandIndex::A).offset(12).length(4),
        ),
        (
            check_steps(&[
                fill(data(0), 4),
                step(Opcode::Sum, ElementType::F32, 1, &[data(0), data(0)]),
            ]),
            at(Reason::Overlap, OperandIndex::A).length(4),
        ),
    ]
}

fn broken_programs() -> Vec<(Outcome, Refusal)> {
    let not_written = |operand| of_step(Reason::ScratchNotWritten).operand(operand);
    vec![
        (
            check_steps(&[fill(scratch(0), 3), copy(data(0), scratch(0))]),
            not_written(OperandIndex::A).offset(12).length(4),
        ),
        (
            check_steps(&[fill(scratch(16), 4), add(&[data(0), data(16), scratch(8)])]),
            not_written(OperandIndex::B).offset(8).length(16),
        ),
        (
            // A step does not see what it writes itself.
            check_steps(&[fill(scratch(0), 4), add(&[scratch(16), scratch(0), scratch(16)])]),
            not_written(OperandIndex::B).offset(16).length(16),
        ),
        (
            check_steps(&[
                fill(data(0), 4),
                step(
                    Opcode::Fma,
                    ElementType::F32,
                    4,
                    &[data(0), data(16), IMMEDIATE, scratch(0)],
                ),
                fill(scratch(0), 4),
            ]),
            not_written(OperandIndex::C).length(16),
        ),
    ]
}
