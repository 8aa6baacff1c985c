//! Sorts intervals by their start in linear time, whatever their order: a radix sort, least significant digit first.
//!
//! The number of intervals is up to the author of a program. A sort by comparison costs `log n` mispredicted branches for each of them, this one a pass over memory
//! to count the values of all digits, and one for each digit to put the intervals in its order.

use crate::intervals::Interval;

/// Bits of a digit at most: then the places where the next intervals go, one for each value, still fit in the second cache.
const DIGIT: u32 = 13;
/// Values of a digit.
const DIGITS: usize = 1 << DIGIT;
/// Digits of a start at most.
const PASSES: usize = 3;
/// Numbers that are needed for counting.
pub(crate) const COUNTS: usize = PASSES * DIGITS;

/// Below this, a sort by comparison has less to set up.
const FEW: usize = 256;
/// Below this, counts for digits of [`DIGIT`] bits take longer to set up than one pass more takes.
const MANY: usize = 1 << DIGIT;
/// Bits of a digit at most where intervals are not many.
const SMALL_DIGIT: u32 = 10;

/// Which of two places the result is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sorted {
    Here,
    InSpare,
}

/// Counts of each value of a digit.
type Counts = [u32; DIGITS];

/// Sorts `intervals` by their start, with room for as many in `spare` and for [`COUNTS`] counts.
pub(crate) fn sort(intervals: &mut [Interval], spare: &mut [Interval], counts: &mut [u32]) -> Sorted {
    let (counts, _) = counts.as_chunks_mut::<DIGITS>();
    let spare = spare.get_mut(..intervals.len());
    let (Some(counts), Some(spare), FEW..) = (counts.first_chunk_mut::<PASSES>(), spare, intervals.len()) else {
        intervals.sort_unstable();
        return Sorted::Here;
    };
    let starts = intervals.iter().fold(0, |starts, interval| starts | interval.start());
    let width = u32::BITS.saturating_sub(starts.leading_zeros()).max(1);
    let most = if intervals.len() < MANY { SMALL_DIGIT } else { DIGIT };
    let passes = width.div_ceil(most).min(PASSES as u32);
    let bits = width.div_ceil(passes);
    match (passes, counts) {
        (1, [counts, ..]) => sort_by([Digit::new(0, bits)], intervals, spare, [counts]),
        (2, [low, high, ..]) => sort_by([0, 1].map(|pass| Digit::new(pass, bits)), intervals, spare, [low, high]),
        (_, counts) => sort_by(
            [0, 1, 2].map(|pass| Digit::new(pass, bits)),
            intervals,
            spare,
            counts.each_mut(),
        ),
    }
}

/// Some bits of a start.
#[derive(Clone, Copy)]
struct Digit {
    shift: u32,
    mask: u32,
}

impl Digit {
    /// The digit that is looked at in a pass, where digits have so many bits.
    const fn new(pass: u32, bits: u32) -> Self {
        Self {
            shift: pass.wrapping_mul(bits),
            mask: 1_u32.unbounded_shl(bits).wrapping_sub(1),
        }
    }

    #[inline(always)]
    fn of(self, interval: Interval) -> usize {
        // The mask has no more bits, and said once more here no look-up has to be checked.
        (interval.start().unbounded_shr(self.shift) & self.mask) as usize % DIGITS
    }
}

/// Sorts by digits of which no interval has more, the least significant first.
fn sort_by<const N: usize>(
    digits: [Digit; N],
    intervals: &mut [Interval],
    spare: &mut [Interval],
    mut counts: [&mut Counts; N],
) -> Sorted {
    for (digit, counts) in digits.iter().zip(&mut counts) {
        counts.get_mut(..=digit.mask as usize).unwrap_or_default().fill(0);
    }
    for interval in &*intervals {
        for (digit, counts) in digits.iter().zip(&mut counts) {
            if let Some(count) = counts.get_mut(digit.of(*interval)) {
                *count = count.wrapping_add(1);
            }
        }
    }
    let (mut from, mut to) = (intervals, spare);
    for (digit, counts) in digits.into_iter().zip(counts) {
        let mut sum = 0_u32;
        for count in counts.get_mut(..=digit.mask as usize).unwrap_or_default() {
            (*count, sum) = (sum, sum.wrapping_add(*count));
        }
        distribute(from, to, digit, counts);
        (from, to) = (to, from);
    }
    if N.is_multiple_of(2) {
        Sorted::Here
    } else {
        Sorted::InSpare
    }
}

/// Puts intervals in the order of one digit, and where that is equal in the order that they have. `places` says where the first goes that has each value of the digit.
fn distribute(from: &[Interval], to: &mut [Interval], digit: Digit, places: &mut Counts) {
    for interval in from {
        if let Some(next) = places.get_mut(digit.of(*interval)) {
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
            starts in (0_u32..32, prop_oneof![3 => Just(300), 3 => Just(1500), 1 => Just(12_000)])
                .prop_flat_map(|(bits, most)| proptest::collection::vec(0..1_u32 << bits, most / 2..most))
        ) {
            let mut intervals: Vec<_> = (0..).zip(&starts).map(|(number, start)| Interval::new(*start, start + number)).collect();
            let mut expected = intervals.clone();
            expected.sort_by_key(|interval| interval.start());
            // More room than is needed, and something in it.
            let mut spare = vec![Interval::new(3, 5); intervals.len() + 7];
            let mut counts = vec![7; COUNTS];
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
