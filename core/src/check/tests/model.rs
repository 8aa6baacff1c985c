//! A slow check that remembers each byte, written from the contract alone, against which random programs are compared.

use std::vec;
use std::vec::Vec;

use hawser_abi::op::{ElementType, Opcode, REV1_OPERATIONS, rev1_types};
use hawser_abi::program::Step;
use hawser_abi::reason::Reason;
use proptest::prelude::*;
use zerocopy::FromZeros;

use super::check_bytes;
use crate::intervals::Interval;
use crate::limits::Limits;
use crate::testing::{buffer, header, program, runs};

const DATA: usize = 96;
const SCRATCH: usize = 48;

/// Step, operand and reason of a refusal.
type Broken = (u32, Option<u8>, Reason);

/// What a byte of the data buffer is: bit 0 read, bit 1 written.
struct Memory {
    data: Vec<u8>,
    scratch: Vec<bool>,
}

fn model(steps: &[Step]) -> Result<Memory, Broken> {
    let mut memory = Memory {
        data: vec![0; DATA],
        scratch: vec![false; SCRATCH],
    };
    for (number, step) in steps.iter().enumerate() {
        model_step(step, &mut memory).map_err(|(operand, reason)| (number as u32, operand, reason))?;
    }
    Ok(memory)
}

/// Which sources an operation has, and which of them may be the immediate.
fn sources(opcode: Opcode) -> (usize, bool, bool) {
    match opcode {
        Opcode::Fill => (1, false, true),
        Opcode::Copy | Opcode::Sum => (1, true, false),
        Opcode::Fma => (3, true, true),
        _ => (2, true, true),
    }
}

fn model_step(step: &Step, memory: &mut Memory) -> Result<(), (Option<u8>, Reason)> {
    let whole = |reason| (None, reason);
    let opcode = Opcode::from_byte(step.opcode).ok_or(whole(Reason::UnknownOpcode))?;
    if REV1_OPERATIONS & opcode.bit() == 0 {
        return Err(whole(Reason::UnsupportedOpcode));
    }
    let element = ElementType::from_byte(step.element_type).ok_or(whole(Reason::UnknownType))?;
    if rev1_types(opcode) & element.bit() == 0 {
        return Err(whole(Reason::UnsupportedType));
    }
    if step.flags != 0 {
        return Err(whole(Reason::StepFlags));
    }
    if step.aux_type != 0 || step.aux != [0, 0] {
        return Err(whole(Reason::StepReserved));
    }
    if step.count == 0 {
        return Err(whole(Reason::ZeroCount));
    }
    let size = u128::from(element.size());
    let length = u128::from(step.count) * size;
    if length > u128::from(u64::MAX) {
        return Err(whole(Reason::CountOverflow));
    }
    let (count, memory_allowed, immediate_allowed) = sources(opcode);
    // (space, first byte, end) of operands in memory.
    let mut places: Vec<Option<(u8, usize, usize)>> = vec![];
    for operand in 0..4_u8 {
        let (space, offset) = (step.spaces[operand as usize], step.offsets[operand as usize]);
        let here = |reason| Err((Some(operand), reason));
        let (wanted, may_be_memory, may_be_immediate) = match operand {
            0 => (true, true, false),
            n => (usize::from(n) <= count, memory_allowed, immediate_allowed),
        };
        let length = if operand == 0 && opcode == Opcode::Sum {
            size
        } else {
            length
        };
        places.push(None);
        match space {
            4.. => return here(Reason::UnknownSpace),
            0 if wanted => return here(Reason::OperandMissing),
            1.. if !wanted => return here(Reason::OperandUnexpected),
            3 if !may_be_immediate => return here(Reason::ImmediateNotAllowed),
            0 | 3 if offset != 0 => return here(Reason::StepReserved),
            0 | 3 => continue,
            _ if !may_be_memory => return here(Reason::OperandMissing),
            _ => {}
        }
        let end = u128::from(offset) + length;
        let limit = if space == 1 { DATA } else { SCRATCH };
        if u128::from(offset) % size != 0 {
            return here(Reason::Misaligned);
        }
        if end > u128::from(u64::MAX) {
            return here(Reason::OffsetOverflow);
        }
        if end > limit as u128 {
            return here(Reason::OutOfBounds);
        }
        places[operand as usize] = Some((space, offset as usize, end as usize));
    }
    match step.spaces.iter().position(|space| *space == 3) {
        None if step.immediate != 0 => return Err(whole(Reason::StepReserved)),
        Some(operand) if size < 8 && step.immediate >> (8 * size) != 0 => {
            return Err((Some(operand as u8), Reason::ImmediateTooWide));
        }
        _ => {}
    }
    let destination = places[0].expect("a destination is in memory");
    for operand in 1..4_u8 {
        let Some(source) = places[operand as usize] else {
            continue;
        };
        let shares = (destination.1..destination.2)
            .any(|byte| source.0 == destination.0 && (source.1..source.2).contains(&byte));
        if shares && (source != destination || opcode == Opcode::Sum) {
            return Err((Some(operand), Reason::Overlap));
        }
    }
    for operand in 1..4_u8 {
        match places[operand as usize] {
            Some((1, start, end)) => memory.data[start..end].iter_mut().for_each(|byte| *byte |= 1),
            Some((_, start, end)) if memory.scratch[start..end].contains(&false) => {
                return Err((Some(operand), Reason::ScratchNotWritten));
            }
            _ => {}
        }
    }
    match destination {
        (1, start, end) => memory.data[start..end].iter_mut().for_each(|byte| *byte |= 2),
        (_, start, end) => memory.scratch[start..end].fill(true),
    }
    Ok(())
}

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
    let (count, memory_allowed, immediate_allowed) = sources(Opcode::from_byte(opcode).unwrap_or(Opcode::Add));
    let source = move |number: usize| -> BoxedStrategy<u8> {
        match (number <= count, memory_allowed, immediate_allowed) {
            (false, ..) => mostly(Just(0_u8), 0_u8..6).boxed(),
            (_, true, true) => mostly(1_u8..4, 0_u8..6).boxed(),
            (_, true, false) => memory().boxed(),
            _ => mostly(Just(3_u8), 0_u8..6).boxed(),
        }
    };
    [memory().boxed(), source(1), source(2), source(3)]
}

fn any_step() -> impl Strategy<Value = Step> {
    let opcodes: Vec<u8> = Opcode::ALL
        .iter()
        .filter(|op| REV1_OPERATIONS & op.bit() != 0)
        .map(|op| *op as u8)
        .collect();
    let opcode = mostly(prop::sample::select(opcodes), any::<u8>());
    let fields = opcode.prop_flat_map(|opcode| {
        let element = mostly(prop::sample::select(vec![5_u8, 6, 7, 11, 12]), 0_u8..14);
        let count = mostly(
            1_u64..7,
            prop::sample::select(vec![0, 1 << 61, 1 << 62, u64::MAX / 8 - 1]),
        );
        let offset = || {
            mostly(
                (0_u64..10).prop_map(|n| n * 8),
                prop::sample::select(vec![1, 4, 20, 88, u64::MAX - 7, 1 << 32]),
            )
        };
        let immediate = mostly(
            Just(0_u64),
            prop::sample::select(vec![1, 0xFFFF_FFFF, 1 << 32, u64::MAX]),
        );
        let odd = mostly(Just(0_u8), 0_u8..2);
        (
            Just(opcode),
            element,
            spaces(opcode),
            count,
            [offset(), offset(), offset(), offset()],
            immediate,
            odd,
        )
    });
    fields.prop_map(|(opcode, element_type, spaces, count, mut offsets, immediate, odd)| {
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
            spaces,
            count,
            offsets,
            immediate,
            flags: odd,
            ..Step::new_zeroed()
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]
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
