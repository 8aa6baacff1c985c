//! Random programs, most of which break few rules, and the comparison of their check with the model's.

use std::vec;
use std::vec::Vec;

use hawser_abi::op::Opcode;
use hawser_abi::program::Step;
use proptest::prelude::*;

use super::check_bytes;
use super::model::{DATA, SCRATCH, model, sources};
use crate::intervals::Interval;
use crate::limits::Limits;
use crate::testing::{buffer, header, program, runs};

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
    let sources = sources(Opcode::from_byte(opcode).unwrap_or(Opcode::Add));
    let source = move |number: usize| -> BoxedStrategy<u8> {
        match sources.get(number - 1) {
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8192))]
    #[test]
    fn random_programs_fare_as_in_the_model(steps in proptest::collection::vec(any_step(), 1..8)) {
        let bytes = program(&header(&steps, DATA as u64, SCRATCH as u64), &steps);
        let found = check_bytes(&bytes, buffer(DATA as u64), &Limits::default());
        match (found, model(&steps)) {
            (Ok((reads, writes)), Ok(memory)) => {
                prop_assert_eq!(reads, runs(&memory.data, |byte| byte & 1 != 0));
                prop_assert_eq!(writes, runs(&memory.data, |byte| byte & 2 != 0));
            }
            (Err(refusal), Err(broken)) => {
                let operand = refusal.operand.map(|operand| operand as u8);
                prop_assert_eq!((refusal.step, operand, refusal.reason), (Some(broken.0), broken.1, broken.2));
            }
            (found, expected) => prop_assert!(false, "{:?}, but the model says {:?}", found, expected.map(|_| "right")),
        }
    }

    #[test]
    fn random_bytes_are_refused_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..400), length in any::<u64>()) {
        prop_assert!(check_bytes(&bytes, buffer(length), &Limits::default()).is_err());
    }

    #[test]
    fn random_steps_under_a_good_header_do_no_harm(raw in proptest::collection::vec(any::<[u8; 64]>(), 1..8)) {
        let steps: Vec<Step> = raw.iter().map(|bytes| zerocopy::transmute!(*bytes)).collect();
        let bytes = program(&header(&steps, DATA as u64, SCRATCH as u64), &steps);
        let found: Result<(Vec<Interval>, _), _> = check_bytes(&bytes, buffer(DATA as u64), &Limits::default());
        prop_assert_eq!(found.is_ok(), model(&steps).is_ok());
    }
}
