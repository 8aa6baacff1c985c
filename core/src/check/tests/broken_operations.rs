//! Every way to break a rule that belongs to some operations only, with the refusal that is due.

use std::vec;
use std::vec::Vec;

use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{OperandIndex, step_flags};
use hawser_abi::reason::Reason;

use super::*;

const SATURATE: u64 = step_flags::SATURATE as u64;

/// Every way to break a rule that belongs to some operations only, with the refusal that is due.
pub(super) fn broken_operations() -> Vec<(Outcome, Refusal)> {
    let mut broken = broken_types();
    broken.extend(broken_flags());
    broken.extend(broken_auxiliaries());
    broken.extend(broken_matrices());
    broken.extend(broken_places());
    broken.extend(broken_overlaps());
    broken
}

/// Checks one step alone.
fn alone(step: Step) -> Outcome {
    check_steps(&[step])
}

fn first(reason: Reason) -> Refusal {
    new(reason).step(0)
}

fn binary(opcode: Opcode, element: ElementType) -> Step {
    step(opcode, element, 4, &[data(0), data(64), IMMEDIATE])
}

fn unary(opcode: Opcode, element: ElementType) -> Step {
    step(opcode, element, 4, &[data(0), data(64)])
}

fn broken_types() -> Vec<(Outcome, Refusal)> {
    let unsupported = |element| first(Reason::UnsupportedType).length(element as u64);
    let only_i32 = Limits {
        element_types: ElementType::I32.bit(),
        ..Limits::default()
    };
    let on_i32 = |step: Step| {
        check_bytes(
            &program(&header(&[step], DATA, SCRATCH), &[step]),
            buffer(DATA),
            &only_i32,
        )
    };
    let mut broken = vec![
        (
            on_i32(binary(Opcode::Add, ElementType::F64)),
            unsupported(ElementType::F64),
        ),
        (
            on_i32(convert_to_i32(ElementType::F32)),
            first(Reason::UnsupportedSourceType).length(ElementType::F32 as u64),
        ),
        (
            alone(Step {
                aux_type: 0,
                ..convert_to_i32(ElementType::F32)
            }),
            first(Reason::UnknownSourceType),
        ),
        (
            alone(Step {
                aux_type: 13,
                ..convert_to_i32(ElementType::F32)
            }),
            first(Reason::UnknownSourceType).length(13),
        ),
    ];
    for opcode in [Opcode::And, Opcode::Or, Opcode::Xor, Opcode::Shl, Opcode::Shr] {
        broken.push((alone(binary(opcode, ElementType::F32)), unsupported(ElementType::F32)));
    }
    for (opcode, element) in [
        (Opcode::Not, ElementType::BF16),
        (Opcode::Neg, ElementType::U32),
        (Opcode::Abs, ElementType::U8),
        (Opcode::Sqrt, ElementType::I64),
    ] {
        broken.push((alone(unary(opcode, element)), unsupported(element)));
    }
    broken
}

fn broken_flags() -> Vec<(Outcome, Refusal)> {
    let refused = first(Reason::StepFlags).length(SATURATE);
    let mut broken: Vec<_> = [
        unary(Opcode::Copy, ElementType::I32),
        binary(Opcode::Rem, ElementType::I32),
        binary(Opcode::Min, ElementType::I32),
        binary(Opcode::And, ElementType::I32),
        binary(Opcode::Shl, ElementType::I32),
        unary(Opcode::Not, ElementType::I32),
        unary(Opcode::Sqrt, ElementType::F32),
        compare(0, data(64), data(0)),
        binary(Opcode::Add, ElementType::F16),
        unary(Opcode::Neg, ElementType::F64),
        step(Opcode::Sum, ElementType::F32, 4, &[data(0), data(64)]),
        step(Opcode::ArgMax, ElementType::I32, 4, &[data(0), data(64)]),
        matmul([2, 3], 8, data(0), data(64), data(128)),
        transpose(2, 8, data(0), data(64)),
        convert_to_i32(ElementType::F32),
        convert(ElementType::I32, 4, data(0), data(64)),
        convert(ElementType::F64, 4, data(0), data(64)),
    ]
    .map(|step| (alone(saturating(step)), refused))
    .into();
    broken.push((
        alone(Step {
            flags: 3,
            ..binary(Opcode::Mul, ElementType::U8)
        }),
        first(Reason::StepFlags).length(3).limit(SATURATE),
    ));
    broken
}

fn broken_auxiliaries() -> Vec<(Outcome, Refusal)> {
    let reserved = |position, value| first(Reason::StepReserved).offset(position).length(value);
    let good_compare = compare(0, data(64), data(0));
    let good_transpose = transpose(3, 12, data(0), data(48));
    let good_matmul = matmul([2, 3], 8, data(0), data(64), data(128));
    vec![
        (
            alone(compare(6, data(64), data(0))),
            first(Reason::UnknownPredicate).offset(56).length(6).limit(5),
        ),
        (
            alone(compare(u32::MAX, data(64), data(0))),
            first(Reason::UnknownPredicate)
                .offset(56)
                .length(u32::MAX.into())
                .limit(5),
        ),
        (
            alone(Step {
                aux: [0, 1],
                ..good_compare
            }),
            reserved(60, 1),
        ),
        (
            alone(Step {
                aux_type: 5,
                ..good_compare
            }),
            reserved(2, 5),
        ),
        (
            alone(Step {
                aux: [1, 0],
                ..convert_to_i32(ElementType::F32)
            }),
            reserved(56, 1),
        ),
        (
            alone(Step {
                aux: [0, 2],
                ..convert_to_i32(ElementType::F32)
            }),
            reserved(60, 2),
        ),
        (
            alone(Step {
                aux: [3, 1],
                ..good_transpose
            }),
            reserved(60, 1),
        ),
        (
            alone(Step {
                aux_type: 11,
                ..good_transpose
            }),
            reserved(2, 11),
        ),
        (
            alone(Step {
                aux_type: 11,
                ..good_matmul
            }),
            reserved(2, 11),
        ),
        (
            alone(Step {
                aux: [0, 0],
                ..good_transpose
            }),
            first(Reason::ZeroDimension).offset(56).limit(1),
        ),
        (
            alone(Step {
                aux: [0, 3],
                ..good_matmul
            }),
            first(Reason::ZeroDimension).offset(56).limit(1),
        ),
        (
            alone(Step {
                aux: [2, 0],
                ..good_matmul
            }),
            first(Reason::ZeroDimension).offset(60).limit(1),
        ),
    ]
}

fn broken_matrices() -> Vec<(Outcome, Refusal)> {
    let bytes = |aux, count| Step {
        element_type: ElementType::U8 as u8,
        ..matmul(aux, count, data(0), data(64), data(128))
    };
    let overflow = |operand| first(Reason::MatrixOverflow).operand(operand);
    let most = u64::from(u32::MAX);
    vec![
        (
            alone(transpose(5, 12, data(0), data(48))),
            first(Reason::RaggedMatrix).length(12).limit(5),
        ),
        (
            alone(transpose(13, 12, data(0), data(48))),
            first(Reason::RaggedMatrix).length(12).limit(13),
        ),
        (
            alone(matmul([3, 3], 8, data(0), data(64), data(128))),
            first(Reason::RaggedMatrix).length(8).limit(3),
        ),
        (
            alone(matmul([u32::MAX, u32::MAX], most, data(0), data(64), data(128))),
            overflow(OperandIndex::A).offset(most).length(most).limit(u64::MAX / 4),
        ),
        (
            alone(matmul([1, u32::MAX], 1 << 61, data(0), data(64), data(128))),
            overflow(OperandIndex::B)
                .offset(most)
                .length(1 << 61)
                .limit(u64::MAX / 4),
        ),
        (
            // The elements alone do not fit in 64 bits.
            alone(bytes([1, u32::MAX], 1 << 33)),
            overflow(OperandIndex::B).offset(most).length(1 << 33).limit(u64::MAX),
        ),
        (
            // The largest matrices that 64 bits can tell are merely outside the buffer.
            alone(bytes([u32::MAX, u32::MAX], most)),
            first(Reason::OutOfBounds)
                .operand(OperandIndex::Dst)
                .length(most)
                .limit(DATA),
        ),
        (
            alone(Step {
                count: 1 << 61,
                ..convert(ElementType::I64, 1, data(0), data(64))
            }),
            first(Reason::CountOverflow).length(1 << 61).limit((1 << 61) - 1),
        ),
    ]
}

fn broken_places() -> Vec<(Outcome, Refusal)> {
    let misaligned = |operand, offset, size| first(Reason::Misaligned).operand(operand).offset(offset).limit(size);
    let outside = |operand, offset, length| {
        let refusal = first(Reason::OutOfBounds).operand(operand);
        refusal.offset(offset).length(length).limit(DATA)
    };
    let immediate = |operand| first(Reason::ImmediateNotAllowed).operand(operand).length(3);
    let select = |mask| {
        step(
            Opcode::Select,
            ElementType::F32,
            4,
            &[data(0), mask, IMMEDIATE, data(64)],
        )
    };
    let (a, b, dst) = (OperandIndex::A, OperandIndex::B, OperandIndex::Dst);
    vec![
        (alone(compare(0, data(64), data(2))), misaligned(b, 2, 4)),
        (
            alone(convert(ElementType::F64, 4, data(0), data(68))),
            misaligned(a, 68, 8),
        ),
        (
            alone(convert(ElementType::U8, 4, data(2), data(64))),
            misaligned(dst, 2, 4),
        ),
        (
            alone(step(Opcode::ArgMin, ElementType::U8, 4, &[data(4), data(64)])),
            misaligned(dst, 4, 8),
        ),
        (alone(compare(0, data(DATA - 3), data(0))), outside(dst, DATA - 3, 4)),
        (alone(select(data(DATA - 3))), outside(a, DATA - 3, 4)),
        (
            alone(convert(ElementType::I64, 4, data(0), data(DATA - 24))),
            outside(a, DATA - 24, 32),
        ),
        (
            alone(step(Opcode::ArgMax, ElementType::U8, 4, &[data(DATA), data(64)])),
            outside(dst, DATA, 8),
        ),
        (
            alone(step(
                Opcode::Dot,
                ElementType::U16,
                4,
                &[data(DATA), data(64), data(64)],
            )),
            outside(dst, DATA, 2),
        ),
        (
            alone(matmul([2, 3], 8, data(DATA - 28), data(0), data(64))),
            outside(dst, DATA - 28, 32),
        ),
        (
            alone(matmul([2, 3], 8, data(0), data(DATA - 20), data(64))),
            outside(a, DATA - 20, 24),
        ),
        (
            alone(matmul([2, 3], 8, data(0), data(64), data(DATA - 44))),
            outside(b, DATA - 44, 48),
        ),
        (alone(select(IMMEDIATE)), immediate(a)),
        (alone(convert(ElementType::I32, 4, data(0), IMMEDIATE)), immediate(a)),
        (
            alone(step(Opcode::Dot, ElementType::F32, 4, &[data(0), data(64), IMMEDIATE])),
            immediate(b),
        ),
        (
            alone(step(Opcode::ArgMin, ElementType::F32, 4, &[data(0), IMMEDIATE])),
            immediate(a),
        ),
        (
            alone(step(Opcode::PrefixSum, ElementType::F32, 4, &[data(0), IMMEDIATE])),
            immediate(a),
        ),
        (alone(matmul([2, 3], 8, data(0), IMMEDIATE, data(64))), immediate(a)),
        (alone(transpose(3, 12, data(0), IMMEDIATE)), immediate(a)),
        (
            alone(Step {
                immediate: 1 << 8,
                ..binary(Opcode::Shl, ElementType::I8)
            }),
            first(Reason::ImmediateTooWide).operand(b).length(1 << 8).limit(0xFF),
        ),
        (
            // The mask of a selection from device-local memory is as long as there are elements.
            check_steps(&[fill(scratch(0), 1), select(scratch(2))]),
            new(Reason::ScratchNotWritten).step(1).operand(a).offset(4).length(2),
        ),
    ]
}

fn broken_overlaps() -> Vec<(Outcome, Refusal)> {
    let overlap = |operand, offset, length| {
        let refusal = first(Reason::Overlap).operand(operand);
        refusal.offset(offset).length(length)
    };
    let (a, b) = (OperandIndex::A, OperandIndex::B);
    vec![
        // The same first byte, but other sizes.
        (alone(compare(0, data(16), data(64))), overlap(a, 16, 4)),
        (alone(compare(0, data(79), data(64))), overlap(b, 79, 1)),
        (
            alone(step(
                Opcode::Select,
                ElementType::F32,
                4,
                &[data(0), data(0), data(64), data(64)],
            )),
            overlap(a, 0, 4),
        ),
        (alone(convert(ElementType::U8, 4, data(0), data(0))), overlap(a, 0, 4)),
        (
            alone(convert(ElementType::F64, 4, data(16), data(0))),
            overlap(a, 16, 16),
        ),
        (
            alone(step(Opcode::PrefixSum, ElementType::F32, 4, &[data(4), data(0)])),
            overlap(a, 4, 12),
        ),
        // The same bytes, where elements are read after others have been written.
        (
            alone(step(Opcode::ArgMin, ElementType::U64, 1, &[data(8), data(8)])),
            overlap(a, 8, 8),
        ),
        (
            alone(step(Opcode::Dot, ElementType::U64, 1, &[data(8), data(0), data(8)])),
            overlap(b, 8, 8),
        ),
        (alone(matmul([2, 2], 4, data(0), data(0), data(64))), overlap(a, 0, 16)),
        (alone(matmul([2, 2], 4, data(0), data(64), data(0))), overlap(b, 0, 16)),
        (alone(transpose(1, 4, data(0), data(0))), overlap(a, 0, 16)),
    ]
}
