//! Sorts intervals by their start in linear time, whatever their order: a radix sort, least significant digit first.
//!
//! The number of intervals is up to the author of a program. A sort by comparison costs `log n` mispredicted branches for each of them, this one two or three passes
//! over memory.

use crate::intervals::Interval;

/// Bits of a digit at most: as many digits as there are streams that a processor writes side by side without waiting.
const DIGIT: u32 = 11;
/// Values of a digit.
pub(crate) const DIGITS: usize = 1 << DIGIT;

/// Below this, a sort by comparison has less to set up.
const FEW: usize = 256;

/// Which of two places the result is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sorted {
    Here,
    InSpare,
}

/// Counts of each value of a digit.
type Counts = [u32; DIGITS];

/// Sorts `intervals` by their start, with room for as many in `spare` and for [`DIGITS`] counts.
pub(crate) fn sort(intervals: &mut [Interval], spare: &mut [Interval], counts: &mut [u32]) -> Sorted {
    let counts = <&mut Counts>::try_from(counts).ok();
    let spare = spare.get_mut(..intervals.len());
    let (Some(counts), Some(spare), FEW..) = (counts, spare, intervals.len()) else {
        intervals.sort_unstable();
        return Sorted::Here;
    };
    let starts = intervals.iter().fold(0, |starts, interval| starts | interval.start());
    let width = u32::BITS.saturating_sub(starts.leading_zeros()).max(1);
    let passes = width.div_ceil(DIGIT);
    let digit = width.div_ceil(passes);
    let (mut from, mut to) = (intervals, spare);
    for pass in 0..passes {
        distribute(
            from,
            to,
            Digit {
                shift: pass.saturating_mul(digit),
                mask: 1_u32.unbounded_shl(digit).wrapping_sub(1),
            },
            counts,
        );
        (from, to) = (to, from);
    }
    if passes % 2 == 0 { Sorted::Here } else { Sorted::InSpare }
}

/// Some bits of a start.
#[derive(Clone, Copy)]
struct Digit {
    shift: u32,
    mask: u32,
}

impl Digit {
    fn of(self, interval: Interval) -> usize {
        // The mask has no more bits, and said once more here no look-up has to be checked.
        (interval.start().unbounded_shr(self.shift) & self.mask) as usize % DIGITS
    }
}

/// Puts intervals in the order of one digit, and where that is equal in the order that they have.
fn distribute(from: &[Interval], to: &mut [Interval], digit: Digit, counts: &mut Counts) {
    counts.fill(0);
    for interval in from {
        if let Some(count) = counts.get_mut(digit.of(*interval)) {
            *count = count.wrapping_add(1);
        }
    }
    let mut sum = 0_u32;
    for count in counts.iter_mut() {
        (*count, sum) = (sum, sum.wrapping_add(*count));
    }
    for interval in from {
        if let Some(next) = counts.get_mut(digit.of(*interval)) {
            if let Some(place) = to.get_mut(*next as usize) {
                *place = *interval;
            }
            *next = next.wrapping_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn what_is_sorted_is_what_the_library_would_sort(
            starts in (0_u32..31).prop_flat_map(|bits| proptest::collection::vec(0..1_u32 << bits, 0..1500))
        ) {
            let mut intervals: Vec<_> = (0..).zip(&starts).map(|(number, start)| Interval::new(*start, start + number)).collect();
            let mut expected = intervals.clone();
            expected.sort_by_key(|interval| interval.start());
            // More room than is needed, and something in it.
            let mut spare = vec![Interval::new(3, 5); intervals.len() + 7];
            let mut counts = vec![7; DIGITS];
            let place = sort(&mut intervals, &mut spare, &mut counts);
            let sorted = match place {
                Sorted::Here => intervals,
                Sorted::InSpare => spare,
            };
            let sorted = &sorted[..expected.len()];
            // The library's sort by all of an interval agrees, because ends ascend with the places.
            prop_assert_eq!(sorted, expected);
        }
    }
}
