//! Random programs, most of which break few rules, and the comparison of their check with the model's.

use std::vec;
use std::vec::Vec;

use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{OperandIndex, Step};
use proptest::prelude::*;

use super::check_bytes;
use crate::intervals::Interval;
use crate::limits::Limits;
use crate::refusal::Refusal;
use crate::testing::{IMMEDIATE, buffer, data, header, model_limits, program, step};

const DATA: u64 = 96;
const SCRATCH: u64 = 48;
/// Steps for which [`check_bytes`] has room.
const ROOM: u32 = 16;

/// Mostly the first strategy, sometimes the second.
fn mostly<T: core::fmt::Debug>(
    usual: impl Strategy<Value = T> + 'static,
    rare: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = T> {
    prop_oneof![60 => usual, 1 => rare]
}

/// Spaces that the operation takes, so that most steps get past the first rules.
fn spaces(opcode: u8) -> impl Strategy<Value = [u8; 4]> {
    let memory = || mostly(1_u8..3, 0_u8..6);
    let operation = hawser_core_model::operation(opcode).or(hawser_core_model::operation(Opcode::Add as u8));
    let operands = operation.map_or(&[][..], |operation| operation.operands);
    let source = move |number: usize| -> BoxedStrategy<u8> {
        match operands.get(number).map(|operand| (operand.memory, operand.immediate)) {
            None => mostly(Just(0_u8), 0_u8..6).boxed(),
            Some((true, true)) => mostly(1_u8..4, 0_u8..6).boxed(),
            Some((true, false)) => memory().boxed(),
            Some(_) => mostly(Just(3_u8), 0_u8..6).boxed(),
        }
    };
    [memory().boxed(), source(1), source(2), source(3)]
}

/// Type of the source and auxiliary numbers that the operation takes.
fn auxiliary(opcode: u8) -> impl Strategy<Value = (u8, [u32; 2])> {
    let any_type = || mostly(1_u8..13, 0_u8..15);
    let none = || mostly(Just(0_u32), 0_u32..3);
    let dimension = || mostly(1_u32..4, prop::sample::select(vec![0, 5, 1 << 31, u32::MAX]));
    let no_type = || mostly(Just(0_u8), 0_u8..2);
    match Opcode::from_byte(opcode) {
        Some(Opcode::Compare) => (no_type(), [mostly(0_u32..6, 0_u32..9).boxed(), none().boxed()]).boxed(),
        Some(Opcode::Convert) => (any_type(), [none(), none()]).boxed(),
        Some(Opcode::MatMul) => (no_type(), [dimension(), dimension()]).boxed(),
        Some(Opcode::Transpose) => (no_type(), [dimension().boxed(), none().boxed()]).boxed(),
        _ => (no_type(), [none(), none()]).boxed(),
    }
}

fn any_step() -> impl Strategy<Value = Step> {
    let opcode = mostly(1_u8..30, any::<u8>());
    let fields = opcode.prop_flat_map(|opcode| {
        let element = mostly(1_u8..13, 0_u8..14);
        let count = mostly(
            1_u64..7,
            prop::sample::select(vec![0, 1 << 61, 1 << 62, u64::MAX / 8 - 1]),
        );
        let offset = || {
            mostly(
                (0_u64..10).prop_map(|n| n * 8),
                prop::sample::select(vec![1, 2, 4, 20, 88, u64::MAX - 7, 1 << 32]),
            )
        };
        let immediate = mostly(
            Just(0_u64),
            prop::sample::select(vec![1, 0xFF, 0x100, 0xFFFF_FFFF, 1 << 32, u64::MAX]),
        );
        let flags = prop_oneof![8 => Just(0_u8), 2 => Just(1_u8), 1 => 0_u8..4];
        (
            (Just(opcode), element, flags),
            spaces(opcode),
            count,
            [offset(), offset(), offset(), offset()],
            immediate,
            auxiliary(opcode),
        )
    });
    fields.prop_map(
        |((opcode, element_type, flags), spaces, count, mut offsets, immediate, (aux_type, aux))| {
            for (offset, space) in offsets.iter_mut().zip(spaces) {
                *offset = if space == 0 || space == 3 {
                    u64::from(*offset == 20)
                } else {
                    *offset
                };
            }
            let has_immediate = spaces.contains(&3) || immediate == 1;
            let immediate = if has_immediate { immediate } else { 0 };
            Step {
                opcode,
                element_type,
                aux_type,
                flags,
                spaces,
                count,
                offsets,
                immediate,
                aux,
            }
        },
    )
}

/// What the model says of a program: what it reads and writes, or the refusal.
fn model(bytes: &[u8], length: u64) -> Result<(Vec<Interval>, Vec<Interval>), Refusal> {
    let buffer = hawser_core_model::Buffer { length, page_offset: 0 };
    let limits = model_limits(&Limits::default(), ROOM);
    let touched = hawser_core_model::check(bytes, buffer, &limits).map_err(|refused| Refusal {
        reason: refused.reason,
        step: refused.step,
        operand: refused
            .operand
            .and_then(|operand| OperandIndex::from_u32(operand.into())),
        offset: refused.offset,
        length: refused.length,
        limit: refused.limit,
    })?;
    let intervals = |ranges: &hawser_core_model::Ranges| {
        let interval = |(start, end)| Interval::new(start as u32, end as u32);
        ranges.iter().map(interval).collect()
    };
    Ok((intervals(&touched.reads), intervals(&touched.writes)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8192))]
    #[test]
    fn random_programs_fare_as_in_the_model(steps in proptest::collection::vec(any_step(), 1..8)) {
        let bytes = program(&header(&steps, DATA, SCRATCH), &steps);
        let found = check_bytes(&bytes, buffer(DATA), &Limits::default());
        prop_assert_eq!(found, model(&bytes, DATA));
    }

    #[test]
    fn random_bytes_are_refused_as_in_the_model(bytes in proptest::collection::vec(any::<u8>(), 0..400), length in any::<u64>()) {
        let found = check_bytes(&bytes, buffer(length), &Limits::default());
        prop_assert!(found.is_err());
        prop_assert_eq!(found, model(&bytes, length));
    }

    #[test]
    fn random_steps_under_a_good_header_fare_as_in_the_model(raw in proptest::collection::vec(any::<[u8; 64]>(), 1..8)) {
        let steps: Vec<Step> = raw.iter().map(|bytes| zerocopy::transmute!(*bytes)).collect();
        let bytes = program(&header(&steps, DATA, SCRATCH), &steps);
        let found = check_bytes(&bytes, buffer(DATA), &Limits::default());
        prop_assert_eq!(found, model(&bytes, DATA));
    }

    #[test]
    fn a_header_with_one_wrong_byte_fares_as_in_the_model(at in 0_usize..64, byte in any::<u8>(), length in 0_usize..200) {
        let steps = [step(Opcode::Fill, ElementType::U8, 1, &[data(0), IMMEDIATE])];
        let mut bytes = program(&header(&steps, DATA, SCRATCH), &steps);
        bytes[at] = byte;
        bytes.resize(if length < 100 { bytes.len() } else { length }, 0);
        prop_assert_eq!(check_bytes(&bytes, buffer(DATA), &Limits::default()), model(&bytes, DATA));
    }
}
