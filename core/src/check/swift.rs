//! Sees of most steps that break no rule that they break none, with few branches.
//!
//! What is found right here is right; what is not may still be, and is left to the rules that are spelled out one by one
//! ([`frame`](super::frame), [`operands`](super::operands)), which also say what is wrong.

use hawser_abi::op::ALL_ELEMENT_TYPES;
use wide::i32x4;

use super::operands::SpaceSizes;
use super::pass::Reach;
use super::places::{Places, SPACE};
use super::rows::{ALL_OPERATIONS, Row, Special, row_of, spaces_of};
use crate::combination::combination;
use crate::digest::Row as PlacesRow;
use crate::header::STEP_SIZE;
use crate::limits::Limits;

/// What holds for a whole program.
pub(super) struct Swift {
    /// Bytes of the data buffer.
    data: i32x4,
    /// Bytes that device-local memory has more; may be negative.
    more_scratch: i32x4,
}

impl Swift {
    /// Deals with programs for a device that runs all of the contract; programs for others are left to the rules.
    pub(super) fn new(limits: &Limits, sizes: SpaceSizes) -> Self {
        let lacking = ALL_OPERATIONS & !limits.operations != 0 || ALL_ELEMENT_TYPES & !limits.element_types != 0;
        let SpaceSizes { data, scratch } = if lacking { SpaceSizes::NONE } else { sizes };
        let (data, scratch) = (bytes(data), bytes(scratch));
        Self {
            data,
            more_scratch: difference(scratch, data),
        }
    }

    /// Finds the places of the operands of steps, up to the first that may break a rule.
    #[inline(never)]
    pub(super) fn look_at(&self, steps: &[[u8; STEP_SIZE]], rows: &mut [PlacesRow]) -> Reach {
        let mut reach = Reach::default();
        let mut doubts = Doubts::NONE;
        for (step, row) in steps.iter().zip(rows.iter_mut()) {
            let (places, doubt) = self.places(step);
            *row = places.row();
            reach.add(places.reach);
            doubts = doubts.and(doubt);
        }
        if doubts.are_none() {
            return reach;
        }
        self.look_at_each(steps, rows)
    }

    /// The same, where one of them may break a rule.
    #[cold]
    #[inline(never)]
    fn look_at_each(&self, steps: &[[u8; STEP_SIZE]], rows: &mut [PlacesRow]) -> Reach {
        let mut reach = Reach::default();
        for (step, row) in steps.iter().zip(rows) {
            let (places, doubts) = self.places(step);
            if !doubts.are_none() {
                break;
            }
            *row = places.row();
            reach.add(places.reach);
        }
        reach
    }

    /// The places of the operands of a step, and whether it may break a rule by itself; what it reads of device-local memory is not looked at.
    #[inline(always)]
    fn places(&self, step: &[u8; STEP_SIZE]) -> (Places, Doubts) {
        let [head, count, d, a, b, c, immediate, aux] = words(step);
        let row = row_of(head as usize, (head >> 8) as usize);
        let spaces = spaces_of(combination((head >> 32) as u32));
        let bytes = count << row.shift;
        let mut wrong = head & row.clear
            | row.refused & spaces.spaces
            | immediate & (row.immediate_clear | spaces.no_immediate)
            | (aux | aux.wrapping_add(row.aux_bias)) & row.aux_clear
            | (count.wrapping_sub(1) | bytes | d | a | b | c) >> 30;
        let mut length = row.counted.get() & i32x4::splat(bytes as i32)
            | row.truths.get() & i32x4::splat(count as i32)
            | i32x4::new([row.single, 0, 0, 0]);
        let mut unaligned = row.unaligned.get();
        if row.special != Special::None {
            let (bytes, bits, not_right) = special(row, head, count, aux);
            length |= bytes;
            unaligned |= bits;
            wrong |= not_right;
        }
        let (in_memory, in_scratch) = (spaces.memory.get(), spaces.scratch.get());
        let length = length & in_memory;
        let offset = i32x4::new([d as i32, a as i32, b as i32, c as i32]);
        let limit = sum(in_memory & self.data, in_scratch & self.more_scratch);
        let outside = sum(offset, length).simd_gt(limit);
        let start = sum(offset, in_scratch & SPACE);
        let end = sum(start, length);
        let (written, written_end) = (broadcast(start), broadcast(end));
        let same = row.in_place.get() & start.simd_eq(written) & end.simd_eq(written_end);
        let overlaps = written.simd_lt(end) & start.simd_lt(written_end) & !same;
        let places = Places {
            start,
            end,
            reach: spaces.reach,
        };
        let doubts = Doubts {
            step: wrong,
            operands: offset & unaligned | outside | overlaps,
        };
        (places, doubts)
    }
}

/// What may be wrong with steps: nothing if all of it is zero. Tested once for many steps, which costs less than once for each.
#[derive(Clone, Copy)]
struct Doubts {
    step: u64,
    operands: i32x4,
}

impl Doubts {
    const NONE: Self = Self {
        step: 0,
        operands: i32x4::ZERO,
    };

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self {
            step: self.step | other.step,
            operands: self.operands | other.operands,
        }
    }

    #[inline(always)]
    fn are_none(self) -> bool {
        self.step == 0 && self.operands == i32x4::ZERO
    }
}

/// What a row does not say of a step: bytes of its first two sources, and bits of their offsets that are clear; last, what may be wrong.
///
/// The few operations that have something of their own are dealt with alike, because which of them a step is cannot be predicted either.
#[inline(always)]
fn special(row: &Row, head: u64, count: u64, aux: u64) -> (i32x4, i32x4, u64) {
    let when = |special| u64::from(row.special == special).wrapping_neg();
    let (converts, multiplies) = (when(Special::SourceType), when(Special::Product));

    let source = row_of(head as usize, (head >> 16) as usize);
    let source_bytes = count << source.shift;
    let not_converted = head & source.clear | source_bytes >> 30;

    let (rows, inner) = (u64::from(aux as u32), aux >> 32);
    let columns = (count as u32).checked_div((rows as u32).max(1)).map_or(0, u64::from);
    let (left, right) = (rows.wrapping_mul(inner), inner.wrapping_mul(columns));
    let ragged = rows.wrapping_mul(columns) ^ count;
    // A product has elements in between, what is transposed has none. An element has at most eight bytes.
    let not_multiplied = u64::from(inner == 0) ^ (!multiplies & 1);
    let no_matrix = ragged | not_multiplied | (left | right) >> 27;

    let wrong = not_converted & converts | no_matrix & !converts;
    let a = source_bytes & converts | (left << row.shift) & multiplies;
    let b = (right << row.shift) & multiplies;
    let bits = 1_i32.wrapping_shl(source.shift.into()).wrapping_sub(1) & converts as i32;
    (
        i32x4::new([0, a as i32, b as i32, 0]),
        i32x4::new([0, bits, 0, 0]),
        wrong,
    )
}

/// A step as numbers.
#[inline(always)]
fn words(bytes: &[u8; STEP_SIZE]) -> [u64; 8] {
    let (words, _) = bytes.as_chunks::<8>();
    core::array::from_fn(|word| words.get(word).map_or(0, |bytes| u64::from_le_bytes(*bytes)))
}

fn bytes(size: u64) -> i32x4 {
    i32x4::splat(i32::try_from(size).unwrap_or_default())
}

/// Differences of numbers that are below 2³⁰ each.
#[allow(
    clippy::arithmetic_side_effects,
    reason = "the lanes of a vector wrap, and nothing panics"
)]
fn difference(a: i32x4, b: i32x4) -> i32x4 {
    a - b
}

/// Sums. Those that are compared with a limit have 31 bits; the end of an operand that goes beyond its limit may wrap.
#[inline(always)]
#[allow(
    clippy::arithmetic_side_effects,
    reason = "the lanes of a vector wrap, and nothing panics"
)]
fn sum(a: i32x4, b: i32x4) -> i32x4 {
    a + b
}

#[inline(always)]
fn broadcast(lanes: i32x4) -> i32x4 {
    let [first, ..] = lanes.to_array();
    i32x4::splat(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{IMMEDIATE, NOTHING, Where, data, scratch, step};
    use hawser_abi::op::{ElementType, Opcode};
    use hawser_abi::program::Step;
    use hawser_abi::rules::{AuxUse, EITHER, IMMEDIATE as ONLY_IMMEDIATE, MEMORY, rule};
    use std::vec::Vec;
    use zerocopy::transmute;

    const SIZES: SpaceSizes = SpaceSizes {
        data: 1 << 20,
        scratch: 1 << 20,
    };

    /// A right step of each operation on each type.
    fn right_steps() -> Vec<Step> {
        let of = |operation| {
            let types = ElementType::ALL
                .into_iter()
                .filter(move |element| rule(operation).types & element.bit() != 0);
            types.map(move |element| right_step(operation, element))
        };
        Opcode::ALL.into_iter().flat_map(of).collect()
    }

    /// A step with operands in both spaces.
    fn right_step(operation: Opcode, element: ElementType) -> Step {
        let rule = rule(operation);
        let mut number = 0;
        let operands = rule.operands.map(|operand| -> Where {
            number += 1;
            match operand.spaces {
                MEMORY | EITHER if number % 2 == 0 => data(number * 4096),
                MEMORY | EITHER => scratch(number * 4096),
                ONLY_IMMEDIATE => IMMEDIATE,
                _ => NOTHING,
            }
        });
        let (aux_type, aux) = match rule.aux {
            AuxUse::Unused => (0, [0; 2]),
            AuxUse::Predicate => (0, [5, 0]),
            AuxUse::SourceType => (element as u8, [0; 2]),
            AuxUse::Product => (0, [3, 5]),
            AuxUse::Rows => (0, [4, 0]),
        };
        Step {
            aux_type,
            aux,
            ..step(operation, element, 12, &operands)
        }
    }

    fn is_right(swift: &Swift, step: Step) -> bool {
        swift.places(&transmute!(step)).1.are_none()
    }

    #[test]
    fn right_steps_of_every_operation_are_seen_to_be_right() {
        let swift = Swift::new(&Limits::default(), SIZES);
        for step in right_steps() {
            assert!(is_right(&swift, step), "{step:?}");
        }
    }

    #[test]
    fn right_steps_in_place_are_seen_to_be_right() {
        let swift = Swift::new(&Limits::default(), SIZES);
        let [to, ..] = right_step(Opcode::Convert, ElementType::F32).offsets;
        let mut step = right_step(Opcode::Convert, ElementType::F32);
        (step.aux_type, step.offsets, step.spaces) = (ElementType::I32 as u8, [to, to, 0, 0], [1, 1, 0, 0]);
        assert!(is_right(&swift, step));
        step.aux_type = ElementType::I16 as u8;
        assert!(!is_right(&swift, step), "another length");
    }

    #[test]
    fn steps_for_devices_that_lack_something_are_left_to_the_rules() {
        let limits = Limits::default();
        let lacking = [
            Limits {
                operations: limits.operations & !Opcode::Sqrt.bit(),
                ..limits
            },
            Limits {
                element_types: limits.element_types & !ElementType::F16.bit(),
                ..limits
            },
        ];
        for limits in lacking {
            let swift = Swift::new(&limits, SIZES);
            assert!(right_steps().iter().all(|step| !is_right(&swift, *step)));
        }
    }
}
