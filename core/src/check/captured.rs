//! A step in registers, between the submission and the trusted copy.

use hawser_abi::program::Step;
use wide::{i32x4, u64x2};

use crate::header::STEP_SIZE;
use crate::trusted::{Rest, Row};

/// The words of a step, two by two.
#[derive(Clone, Copy)]
pub(super) struct Captured {
    /// Operation, types, flags and spaces; the number of elements.
    pub(super) head: u64x2,
    /// The offsets of destination and first source; of second and third source.
    pub(super) offsets: [u64x2; 2],
    /// The immediate; the auxiliary numbers.
    pub(super) tail: u64x2,
}

impl Captured {
    /// Reads a step of a submission.
    #[inline(always)]
    pub(super) fn of(step: &[u8; STEP_SIZE]) -> Self {
        let (pairs, _) = step.as_chunks::<16>();
        let pair = |number: usize| pairs.get(number).map_or(u64x2::ZERO, |bytes| bytemuck::cast(*bytes));
        Self {
            head: pair(0),
            offsets: [pair(1), pair(2)],
            tail: pair(3),
        }
    }

    /// A step of the trusted copy, of whose offsets no more than their lowest bits matter any more.
    #[inline(always)]
    pub(super) fn again(row: &Row, rest: &Rest) -> Self {
        let [d, a, b, c] = row.offsets();
        Self {
            head: rest.head(),
            offsets: [u64x2::new([d, a]), u64x2::new([b, c])],
            tail: rest.tail(),
        }
    }

    /// What the trusted copy has of it beside its places.
    #[inline(always)]
    pub(super) fn rest(&self) -> Rest {
        Rest::new(self.head, self.tail)
    }

    /// The step as the contract has it.
    pub(super) fn step(&self) -> Step {
        let [[d, a], [b, c]] = self.offsets.map(u64x2::to_array);
        self.rest().step([d, a, b, c])
    }

    /// The first word: operation and element type are its lowest bytes.
    #[inline(always)]
    pub(super) fn operation(&self) -> u64 {
        let [operation, _] = self.head.to_array();
        operation
    }

    /// The spaces of the operands, a byte each.
    #[inline(always)]
    pub(super) fn spaces(&self) -> u32 {
        (self.operation() >> 32) as u32
    }

    /// The number of elements, once for each operand.
    #[inline(always)]
    pub(super) fn count_lanes(&self) -> i32x4 {
        let [_, _, count, _] = bytemuck::cast::<u64x2, i32x4>(self.head).to_array();
        i32x4::splat(count)
    }

    /// The offsets of the operands, of which the lowest bits.
    #[inline(always)]
    pub(super) fn offset_lanes(&self) -> i32x4 {
        let [[d, a], [b, c]] = self.offsets.map(u64x2::to_array);
        i32x4::new([d, a, b, c].map(|offset| offset as i32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intervals::SCRATCH_BASE;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nothing_of_a_step_is_lost(bytes: [[u8; 32]; 2]) {
            let step: [u8; STEP_SIZE] = zerocopy::transmute!(bytes);
            let captured: [u8; STEP_SIZE] = zerocopy::transmute!(Captured::of(&step).step());
            prop_assert_eq!(captured, step);
        }

        #[test]
        fn a_step_of_the_trusted_copy_is_the_step_that_was_read(
            bytes: [[u8; 32]; 2],
            offsets in proptest::array::uniform4(0..SCRATCH_BASE),
            in_scratch: [bool; 4],
        ) {
            let mut step: Step = zerocopy::transmute!(bytes);
            step.offsets = offsets.map(u64::from);
            let captured = Captured::of(&zerocopy::transmute!(step));
            let mut row = Row::EMPTY;
            for ((start, offset), in_scratch) in row.start.iter_mut().zip(offsets).zip(in_scratch) {
                *start = (offset + if in_scratch { SCRATCH_BASE } else { 0 }) as i32;
            }
            prop_assert_eq!(Captured::again(&row, &captured.rest()).step(), step);
        }
    }
}
