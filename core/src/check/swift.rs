//! Sees of most steps that break no rule that they break none, with few branches.
//!
//! What is found right here is right; what is not may still be, and is left to the rules that are spelled out one by one
//! ([`frame`](super::frame), [`operands`](super::operands)), which also say what is wrong.

use hawser_abi::op::ALL_ELEMENT_TYPES;
use wide::{i32x4, u16x8, u64x2};

use super::captured::Captured;
use super::operands::SpaceSizes;
use super::pass::{GROUP, GroupReach, Reach};
use super::places::{Places, SPACE};
use super::rows::{ALL_OPERATIONS, Combination, LENGTH_BITS, Row, Special, row_of, spaces_of};
use crate::combination::combination;
use crate::header::STEP_SIZE;
use crate::limits::Limits;
use crate::trusted::TrustedBlock;

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

    /// Takes a block of steps into the trusted copy, and finds the places of their operands, if none of them may break a rule by itself.
    #[inline(never)]
    pub(super) fn look_at(&self, steps: &[[u8; STEP_SIZE]], block: &mut TrustedBlock<'_>) -> Option<Reach> {
        let mut reach = Reach::default();
        let mut specials = 0_u64;
        let mut doubts = Doubts::NONE;
        let TrustedBlock { rows, rests } = block;
        let places = rows.chunks_mut(GROUP).zip(rests.chunks_mut(GROUP));
        for (steps, (rows, rests)) in steps.chunks(GROUP).zip(places) {
            let mut group = GroupReach::default();
            let mut special = 0_u32;
            for ((step, row), rest) in steps.iter().zip(rows).zip(rests) {
                let step = Captured::of(step);
                *rest = step.rest();
                let rules = Rules::of(&step);
                let (places, doubt) = self.places(&step, rules, &Found::NOTHING);
                *row = places.row();
                group.add(places.reach);
                special = special >> 1 | rules.row.special_bit;
                doubts = doubts.and(doubt);
            }
            specials = specials.unbounded_shr(steps.len() as u32) | u64::from(special) << u32::BITS;
            reach.add(group, steps.len());
        }
        if specials != 0 {
            let unused = u64::BITS.saturating_sub(reach.steps());
            doubts = doubts.and(self.look_at_special(block, specials.unbounded_shr(unused)));
        }
        doubts.are_none().then_some(reach)
    }

    /// Finds once more the places of the steps whose bits are set, of which their rows do not say everything. They are few, and come where nobody knows: so all that are in a block are dealt with after
    /// the others.
    #[inline(never)]
    fn look_at_special(&self, block: &mut TrustedBlock<'_>, special: u64) -> Doubts {
        let mut left = special;
        let mut doubts = Doubts::NONE;
        while left != 0 {
            let number = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            if let (Some(row), Some(rest)) = (block.rows.get_mut(number), block.rests.get(number)) {
                let step = Captured::again(row, rest);
                let rules = Rules::of(&step);
                let found = Found::of(&step, rules.row);
                let (places, operands) = self.operands(&step, rules, &found);
                *row = places.row();
                doubts.step |= found.wrong;
                doubts.operands |= operands;
            }
        }
        doubts
    }

    /// The places of the operands of a step, if it breaks no rule by itself.
    pub(super) fn look_at_one(&self, step: &Captured) -> Option<Places> {
        let rules = Rules::of(step);
        let found = match rules.row.special {
            Special::None => Found::NOTHING,
            _ => Found::of(step, rules.row),
        };
        let (places, doubts) = self.places(step, rules, &found);
        doubts.are_none().then_some(places)
    }

    /// The places of the operands of a step, and whether it may break a rule by itself, given what was found beside its row. What it reads of device-local memory is not looked at.
    #[inline(always)]
    fn places(&self, step: &Captured, rules: Rules, found: &Found) -> (Places, Doubts) {
        let Rules { row, spaces } = rules;
        let (places, operands) = self.operands(step, rules, found);
        let quarters: u16x8 = bytemuck::cast(step.tail);
        let beyond: u64x2 = bytemuck::cast(quarters.saturating_sub(row.most.quarters()));
        let [first, second] = step.offsets;
        let doubts = Doubts {
            step: u64::from(row.refused & spaces.spaces) | found.wrong,
            words: less_one_element(step.head) & row.clear.get() | step.tail & spaces.no_immediate.get() | beyond,
            offsets: first | second,
            operands,
        };
        (places, doubts)
    }

    /// The places of the operands of a step, and which of them are not aligned, lie outside of their space, or overlap the destination where they must not.
    #[inline(always)]
    fn operands(&self, step: &Captured, Rules { row, spaces }: Rules, found: &Found) -> (Places, i32x4) {
        let count = step.count_lanes();
        let length = row.counted.get() & count.unbounded_shl_scalar(row.shift)
            | row.truths.get() & count
            | row.single.get()
            | found.length;
        let (unaligned, in_place) = (
            row.unaligned.get() | found.unaligned,
            row.in_place.get() | found.in_place,
        );
        let (in_memory, in_scratch) = (spaces.memory.get(), spaces.scratch.get());
        let length = length & in_memory;
        let offset = step.offset_lanes();
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

/// What the tables say of a step.
#[derive(Clone, Copy)]
struct Rules {
    row: &'static Row,
    spaces: &'static Combination,
}

impl Rules {
    #[inline(always)]
    fn of(step: &Captured) -> Self {
        Self {
            row: row_of(step.operation()),
            spaces: spaces_of(combination(step.spaces())),
        }
    }
}

/// What may be wrong with steps: nothing if all of it is zero. Tested once for many steps, which costs less than once for each.
#[derive(Clone, Copy)]
struct Doubts {
    step: u64,
    /// What the words of steps have that their rows do not allow.
    words: u64x2,
    /// Of these, bits that numbers of [`LENGTH_BITS`] do not have.
    offsets: u64x2,
    operands: i32x4,
}

impl Doubts {
    const NONE: Self = Self {
        step: 0,
        words: u64x2::ZERO,
        offsets: u64x2::ZERO,
        operands: i32x4::ZERO,
    };

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self {
            step: self.step | other.step,
            words: self.words | other.words,
            offsets: self.offsets | other.offsets,
            operands: self.operands | other.operands,
        }
    }

    #[inline(always)]
    fn are_none(self) -> bool {
        let all = |words: u64x2| words.to_array().into_iter().fold(0, |all, word| all | word);
        self.step | all(self.words) | all(self.offsets) >> LENGTH_BITS == 0 && self.operands == i32x4::ZERO
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
    fn of(step: &Captured, row: &Row) -> Self {
        let ([head, count], [_, aux]) = (step.head.to_array(), step.tail.to_array());
        let when = |condition: bool| u64::from(condition).wrapping_neg();
        let (converts, multiplies) = (
            when(row.special == Special::SourceType),
            when(row.special == Special::Product),
        );

        let source = row_of(head & 0xFF | head >> 8 & 0xFF00);
        let source_bytes = count << source.shift;
        let not_converted = head & source.clear.first() | source_bytes >> LENGTH_BITS;

        let (rows, inner) = (u64::from(aux as u32), aux >> 32);
        let columns = (count as u32).checked_div((rows as u32).max(1)).map_or(0, u64::from);
        let (left, right) = (rows.wrapping_mul(inner), inner.wrapping_mul(columns));
        let ragged = rows.wrapping_mul(columns) ^ count;
        // A product has elements in between, what is transposed has none. An element has at most eight bytes.
        let not_multiplied = u64::from(inner == 0) ^ (!multiplies & 1);
        let no_matrix = ragged | not_multiplied | (left | right) >> 27;

        let a = source_bytes & converts | (left << row.shift) & multiplies;
        let b = (right << row.shift) & multiplies;
        let bits = 1_u64.wrapping_shl(source.shift).wrapping_sub(1) & converts;
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

/// The first word of a step, and the number of its elements less one: too large if there are none.
#[inline(always)]
#[allow(
    clippy::arithmetic_side_effects,
    reason = "the lanes of a vector wrap, and nothing panics"
)]
fn less_one_element(head: u64x2) -> u64x2 {
    head + u64x2::new([0, u64::MAX])
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
    use crate::trusted::{BLOCK, Row};
    use hawser_abi::op::{ElementType, Opcode, Predicate};
    use hawser_abi::program::Step;
    use hawser_abi::rules::{AuxUse, EITHER, IMMEDIATE as ONLY_IMMEDIATE, MEMORY, rule};
    use std::vec::Vec;
    use zerocopy::{FromZeros, transmute};

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
        swift.look_at_one(&Captured::of(&transmute!(step))).is_some()
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

    /// Steps of which a row does not say everything, whose last source ends at the end of the data buffer, or `beyond` it.
    fn specials(beyond: u64) -> [Step; 3] {
        let source = |bytes: u64| data(SIZES.data - bytes + beyond);
        let convert = Step {
            aux_type: ElementType::F64 as u8,
            ..step(Opcode::Convert, ElementType::I8, 16, &[data(0), source(16 * 8)])
        };
        let transpose = Step {
            aux: [4, 0],
            ..step(Opcode::Transpose, ElementType::F64, 16, &[data(0), source(16 * 8)])
        };
        let multiply = Step {
            aux: [4, 8],
            ..step(
                Opcode::MatMul,
                ElementType::F64,
                12,
                &[data(0), data(4096), source(3 * 8 * 8)],
            )
        };
        [convert, transpose, multiply]
    }

    /// Wherever they are in a block, and however long that is.
    #[test]
    fn what_rows_do_not_say_is_found_of_every_step_of_a_block() {
        let swift = Swift::new(&Limits::default(), SIZES).expect("nothing is lacking");
        let plain = step(Opcode::Fill, ElementType::U8, 1, &[data(0), IMMEDIATE]);
        let ((mut rows, mut rests), end) = (([Row::EMPTY; BLOCK], FromZeros::new_zeroed()), SIZES.data as i32);
        for length in [1, 2, 15, 16, 17, 31, 33, 48, 63, 64] {
            for at in 0..length {
                for (right, wrong) in specials(0).into_iter().zip(specials(8)) {
                    let mut look_at = |special| {
                        let mut steps = std::vec![transmute!(plain); length];
                        steps[at] = transmute!(special);
                        let mut block = TrustedBlock {
                            rows: &mut rows,
                            rests: &mut rests,
                        };
                        let seen = swift.look_at(&steps, &mut block);
                        seen.map(|_| block.rows[at].end)
                    };
                    let ends = look_at(right).expect("it is right");
                    assert!(ends.contains(&end), "{at} of {length}: {ends:?}");
                    assert_eq!(look_at(wrong), None, "{at} of {length}: {wrong:?}");
                }
            }
        }
    }

    /// What is wrong here is wrong by one bit, wherever it is, or by one.
    #[test]
    fn wrong_numbers_are_not_taken_for_right() {
        let sizes = SpaceSizes {
            data: 1 << 30,
            scratch: 0,
        };
        let swift = Swift::new(&Limits::default(), sizes).expect("nothing is lacking");
        let fill = |element, count, immediate| Step {
            immediate,
            ..step(Opcode::Fill, element, count, &[data(0), IMMEDIATE])
        };
        let compare = |predicate: u64| Step {
            aux: [predicate as u32, (predicate >> 32) as u32],
            ..step(Opcode::Compare, ElementType::F64, 4, &[data(0), data(64), data(128)])
        };
        let bits = || (0..u64::BITS).map(|bit| 1 << bit);
        for element in ElementType::ALL {
            let most = (1 << 30) / element.size();
            assert!(
                is_right(&swift, fill(element, most, 0)),
                "{element:?}: all of the buffer"
            );
            let counts = bits().flat_map(|bit| [bit, bit | most]).filter(|count| *count > most);
            for count in counts.chain([0, most + 1, u64::MAX]) {
                assert!(!is_right(&swift, fill(element, count, 0)), "{element:?} {count:#x}");
            }
            let widest = u64::MAX >> (64 - 8 * element.size());
            assert!(is_right(&swift, fill(element, 1, widest)), "{element:?}");
            for wider in bits().filter(|bit| *bit > widest) {
                assert!(!is_right(&swift, fill(element, 1, wider)), "{element:?} {wider:#x}");
            }
        }
        let last = Predicate::ALL.len() as u64 - 1;
        for predicate in 0..=last {
            assert!(is_right(&swift, compare(predicate)), "{predicate}");
        }
        let wrong = bits().map(|bit| bit | 1).filter(|predicate| *predicate > last);
        for predicate in wrong.chain([last + 1, u64::MAX]) {
            assert!(!is_right(&swift, compare(predicate)), "{predicate:#x}");
        }
        for immediate in bits() {
            assert!(
                !is_right(
                    &swift,
                    Step {
                        immediate,
                        ..compare(0)
                    }
                ),
                "an immediate that nobody takes"
            );
        }
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
