//! Sees of most steps that break no rule that they break none, with few branches.
//!
//! What is found right here is right; what is not may still be, and is left to the rules that are spelled out one by one
//! ([`frame`](super::frame), [`operands`](super::operands)), which also say what is wrong.

use hawser_abi::op::ALL_ELEMENT_TYPES;
use wide::{i32x4, u64x2};

use super::operands::SpaceSizes;
use super::pass::{BLOCK, GROUP, GroupReach, Reach};
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
    pub(super) fn new(limits: &Limits, sizes: SpaceSizes) -> Option<Self> {
        if ALL_OPERATIONS & !limits.operations != 0 || ALL_ELEMENT_TYPES & !limits.element_types != 0 {
            return None;
        }
        let (data, scratch) = (bytes(sizes.data), bytes(sizes.scratch));
        Some(Self {
            data,
            more_scratch: difference(scratch, data),
        })
    }

    /// Finds the places of the operands of a block of steps, if none of them may break a rule by itself.
    #[inline(never)]
    pub(super) fn look_at(&self, steps: &[[u8; STEP_SIZE]], rows: &mut [PlacesRow; BLOCK]) -> Option<Reach> {
        let mut reach = Reach::default();
        let mut special = 0_u64;
        let mut doubts = Doubts::NONE;
        for (steps, rows) in steps.chunks(GROUP).zip(rows.chunks_mut(GROUP)) {
            let mut group = GroupReach::default();
            for (step, row) in steps.iter().zip(rows) {
                let rule = row_of_step(step);
                let (places, doubt) = self.places(step, rule, &Found::NOTHING);
                *row = places.row();
                group.add(places.reach);
                special = special >> 1 | rule.special_bit;
                doubts = doubts.and(doubt);
            }
            reach.add(group, steps.len());
        }
        if special != 0 {
            let unused = u64::BITS.saturating_sub(reach.steps());
            doubts = doubts.and(self.look_at_special(steps, rows, special.unbounded_shr(unused)));
        }
        doubts.are_none().then_some(reach)
    }

    /// Finds once more the places of the steps whose bits are set, of which their rows do not say everything. They are few, and come where nobody knows: so all that are in a block are dealt with after
    /// the others.
    #[inline(never)]
    fn look_at_special(&self, steps: &[[u8; STEP_SIZE]], rows: &mut [PlacesRow; BLOCK], special: u64) -> Doubts {
        let mut left = special;
        let mut doubts = Doubts::NONE;
        while left != 0 {
            let number = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            if let (Some(step), Some(row)) = (steps.get(number), rows.get_mut(number)) {
                let rule = row_of_step(step);
                let found = Found::of(step, rule);
                let (places, operands) = self.operands(step, rule, &found);
                *row = places.row();
                doubts.step |= found.wrong;
                doubts.operands |= operands;
            }
        }
        doubts
    }

    /// The places of the operands of a step, if it breaks no rule by itself.
    pub(super) fn look_at_one(&self, step: &[u8; STEP_SIZE]) -> Option<Places> {
        let rule = row_of_step(step);
        let found = match rule.special {
            Special::None => Found::NOTHING,
            _ => Found::of(step, rule),
        };
        let (places, doubts) = self.places(step, rule, &found);
        doubts.are_none().then_some(places)
    }

    /// The places of the operands of a step, and whether it may break a rule by itself, given what was found beside its row. What it reads of device-local memory is not looked at.
    #[inline(always)]
    fn places(&self, step: &[u8; STEP_SIZE], row: &Row, found: &Found) -> (Places, Doubts) {
        let [head, count, d, a, b, c, immediate, aux] = words(step);
        let spaces = spaces_of(combination((head >> 32) as u32));
        let wrong = found.wrong
            | head & row.clear
            | row.refused & spaces.spaces
            | immediate & (row.immediate_clear | spaces.no_immediate)
            | (aux | aux.wrapping_add(row.aux_bias)) & row.aux_clear;
        let (places, operands) = self.operands(step, row, found);
        let doubts = Doubts {
            step: wrong,
            sizes: count.wrapping_sub(1) | count << row.shift,
            offsets: u64x2::new([d, a]) | u64x2::new([b, c]),
            operands,
        };
        (places, doubts)
    }

    /// The places of the operands of a step, and which of them are not aligned, lie outside of their space, or overlap the destination where they must not.
    #[inline(always)]
    fn operands(&self, step: &[u8; STEP_SIZE], row: &Row, found: &Found) -> (Places, i32x4) {
        let [head, count, d, a, b, c, ..] = words(step);
        let spaces = spaces_of(combination((head >> 32) as u32));
        let length = row.counted.get() & i32x4::splat((count << row.shift) as i32)
            | row.truths.get() & i32x4::splat(count as i32)
            | i32x4::new([row.single, 0, 0, 0])
            | found.length;
        let (unaligned, in_place) = (
            row.unaligned.get() | found.unaligned,
            row.in_place.get() | found.in_place,
        );
        let (in_memory, in_scratch) = (spaces.memory.get(), spaces.scratch.get());
        let length = length & in_memory;
        let offset = i32x4::new([d as i32, a as i32, b as i32, c as i32]);
        let limit = sum(in_memory & self.data, in_scratch & self.more_scratch);
        let outside = length.simd_gt(difference(limit, offset));
        let start = sum(offset, in_scratch & SPACE);
        let end = sum(start, length);
        let (written, written_end) = (broadcast(start), broadcast(end));
        let same = in_place & start.simd_eq(written);
        let overlaps = written.simd_lt(end) & start.simd_lt(written_end) & !same;
        let places = Places {
            start,
            end,
            reach: spaces.reach,
        };
        (places, offset & unaligned | outside | overlaps)
    }
}

/// What may be wrong with steps: nothing if all of it is zero. Tested once for many steps, which costs less than once for each.
#[derive(Clone, Copy)]
struct Doubts {
    step: u64,
    /// Of these, bits that numbers below 2³⁰ do not have.
    sizes: u64,
    /// Of these as well.
    offsets: u64x2,
    operands: i32x4,
}

impl Doubts {
    const NONE: Self = Self {
        step: 0,
        sizes: 0,
        offsets: u64x2::ZERO,
        operands: i32x4::ZERO,
    };

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self {
            step: self.step | other.step,
            sizes: self.sizes | other.sizes,
            offsets: self.offsets | other.offsets,
            operands: self.operands | other.operands,
        }
    }

    #[inline(always)]
    fn are_none(self) -> bool {
        let [even, odd] = self.offsets.to_array();
        self.step | (self.sizes | even | odd) >> 30 == 0 && self.operands == i32x4::ZERO
    }
}

/// What a row does not say of a step.
struct Found {
    /// Bytes of the first two sources.
    length: i32x4,
    /// Bits of their offsets that are clear.
    unaligned: i32x4,
    /// Mask of the first source, if it may begin where the destination begins.
    in_place: i32x4,
    /// Zero if nothing is wrong.
    wrong: u64,
}

impl Found {
    /// A row that says everything.
    const NOTHING: Self = Self {
        length: i32x4::ZERO,
        unaligned: i32x4::ZERO,
        in_place: i32x4::ZERO,
        wrong: 0,
    };

    /// What is found of the few operations that have something of their own. They are dealt with alike, because which of them a step is cannot be predicted either.
    #[inline(always)]
    fn of(step: &[u8; STEP_SIZE], row: &Row) -> Self {
        let [head, count, .., aux] = words(step);
        let when = |condition: bool| u64::from(condition).wrapping_neg();
        let (converts, multiplies) = (
            when(row.special == Special::SourceType),
            when(row.special == Special::Product),
        );

        let source = row_of(head & 0xFF | head >> 8 & 0xFF00);
        let source_bytes = count << source.shift;
        let not_converted = head & source.clear | source_bytes >> 30;

        let (rows, inner) = (u64::from(aux as u32), aux >> 32);
        let columns = (count as u32).checked_div((rows as u32).max(1)).map_or(0, u64::from);
        let (left, right) = (rows.wrapping_mul(inner), inner.wrapping_mul(columns));
        let ragged = rows.wrapping_mul(columns) ^ count;
        // A product has elements in between, what is transposed has none. An element has at most eight bytes.
        let not_multiplied = u64::from(inner == 0) ^ (!multiplies & 1);
        let no_matrix = ragged | not_multiplied | (left | right) >> 27;

        let a = source_bytes & converts | (left << row.shift) & multiplies;
        let b = (right << row.shift) & multiplies;
        let bits = 1_u64.wrapping_shl(source.shift.into()).wrapping_sub(1) & converts;
        let same_size = when(source.shift == row.shift) & converts;
        let first = |of_first: u64| i32x4::new([0, of_first as i32, 0, 0]);
        Self {
            length: i32x4::new([0, a as i32, b as i32, 0]),
            unaligned: first(bits),
            in_place: first(same_size),
            wrong: not_converted & converts | no_matrix & !converts,
        }
    }
}

/// The row of a step's operation on its element type.
#[inline(always)]
fn row_of_step(step: &[u8; STEP_SIZE]) -> &'static Row {
    let [head, ..] = words(step);
    row_of(head)
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
        swift.look_at_one(&transmute!(step)).is_some()
    }

    #[test]
    fn right_steps_of_every_operation_are_seen_to_be_right() {
        let swift = Swift::new(&Limits::default(), SIZES).expect("nothing is lacking");
        for step in right_steps() {
            assert!(is_right(&swift, step), "{step:?}");
        }
    }

    #[test]
    fn right_steps_in_place_are_seen_to_be_right() {
        let swift = Swift::new(&Limits::default(), SIZES).expect("nothing is lacking");
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
            assert!(Swift::new(&limits, SIZES).is_none());
        }
    }
}
