//! Sorts intervals by their start in linear time, whatever their order: a radix sort, least significant digit first.
//!
//! The number of intervals is up to the author of a program. A sort by comparison costs `log n` mispredicted branches for each of them, this one a pass over memory
//! to count the values of all digits, and one for each digit to put the intervals in its order.

use crate::intervals::Interval;

/// Intervals from which on digits have more bits, and how many they have at most. A digit's counts have to be set up, but each pass less is one in which no interval is moved.
const DIGITS: [(usize, u32); 3] = [(0, 10), (1 << 13, 13), (1 << 16, 15)];
/// Values of a digit, where there are one or two of them.
const FEW_DIGITS: usize = 1 << 15;
/// Values of a digit, where there are three: a start has 32 bits.
const MANY_DIGITS: usize = 1 << 13;
/// Numbers that are needed for counting.
pub(crate) const COUNTS: usize = 2 * FEW_DIGITS;

/// Below this, a sort by comparison has less to set up.
const FEW: usize = 256;

/// Which of two places the result is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sorted {
    Here,
    InSpare,
}

/// Sorts `intervals` by their start, of which all are among the bits of `starts`, with room for as many in `spare` and for [`COUNTS`] counts.
pub(crate) fn sort(intervals: &mut [Interval], starts: u32, spare: &mut [Interval], counts: &mut [u32]) -> Sorted {
    let (Some(spare), FEW..) = (spare.get_mut(..intervals.len()), intervals.len()) else {
        intervals.sort_unstable();
        return Sorted::Here;
    };
    let width = u32::BITS.saturating_sub(starts.leading_zeros()).max(1);
    let enough = DIGITS.iter().rev().find(|(least, _)| intervals.len() >= *least);
    let passes = width.div_ceil(enough.map_or(1, |(_, bits)| *bits)).min(3);
    let bits = width.div_ceil(passes);
    let lists = (intervals, spare);
    match passes {
        1 => sort_by::<1, FEW_DIGITS>(bits, lists, counts),
        2 => sort_by::<2, FEW_DIGITS>(bits, lists, counts),
        _ => sort_by::<3, MANY_DIGITS>(bits, lists, counts),
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

    /// Its value, one of `VALUES`.
    #[inline(always)]
    fn of<const VALUES: usize>(self, interval: Interval) -> usize {
        // The mask has no more bits, and said once more here no look-up has to be checked.
        (interval.start().unbounded_shr(self.shift) & self.mask) as usize & VALUES.wrapping_sub(1)
    }
}

/// Sorts by `N` digits of `bits` bits, of which no interval has more, the least significant first.
fn sort_by<const N: usize, const VALUES: usize>(
    bits: u32,
    (intervals, spare): (&mut [Interval], &mut [Interval]),
    counts: &mut [u32],
) -> Sorted {
    let (counts, _) = counts.as_chunks_mut::<VALUES>();
    let Some(counts) = counts.first_chunk_mut::<N>() else {
        intervals.sort_unstable();
        return Sorted::Here;
    };
    let digits: [Digit; N] = core::array::from_fn(|pass| Digit::new(pass as u32, bits));
    for (digit, counts) in digits.iter().zip(&mut *counts) {
        counts.get_mut(..=digit.mask as usize).unwrap_or_default().fill(0);
    }
    for interval in &*intervals {
        for (digit, counts) in digits.iter().zip(&mut *counts) {
            if let Some(count) = counts.get_mut(digit.of::<VALUES>(*interval)) {
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
fn distribute<const VALUES: usize>(from: &[Interval], to: &mut [Interval], digit: Digit, places: &mut [u32; VALUES]) {
    for interval in from {
        if let Some(next) = places.get_mut(digit.of::<VALUES>(*interval)) {
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

    fn is_sorted_as_the_library_would(starts: &[u32]) -> Result<(), TestCaseError> {
        let numbered = (0..).zip(starts);
        let mut intervals: Vec<_> = numbered
            .map(|(number, start)| Interval::new(*start, start + number))
            .collect();
        let mut expected = intervals.clone();
        expected.sort_by_key(|interval| interval.start());
        // More room than is needed, and something in it.
        let mut spare = vec![Interval::new(3, 5); intervals.len() + 7];
        let mut counts = vec![7; COUNTS];
        let bits = starts.iter().fold(0, |bits, start| bits | start);
        let sorted = match sort(&mut intervals, bits, &mut spare, &mut counts) {
            Sorted::Here => intervals,
            Sorted::InSpare => spare,
        };
        // The library's sort by all of an interval agrees, because ends ascend with the places.
        prop_assert_eq!(&sorted[..expected.len()], expected);
        Ok(())
    }

    proptest! {
        #[test]
        fn what_is_sorted_is_what_the_library_would_sort(
            starts in (0_u32..32, prop_oneof![3 => Just(300), 3 => Just(1500), 1 => Just(12_000)])
                .prop_flat_map(|(bits, most)| proptest::collection::vec(0..1_u32 << bits, most / 2..most))
        ) {
            is_sorted_as_the_library_would(&starts)?;
        }
    }

    /// For every width that starts can have, so that digits of all sizes come up.
    #[test]
    fn many_intervals_are_sorted_by_the_largest_digits() {
        for width in 1..=u32::BITS {
            let start = |number: u32| number.wrapping_mul(2_654_435_761) >> (u32::BITS - width);
            let starts: Vec<_> = (0..70_000).map(|number| start(number).min(u32::MAX - 70_000)).collect();
            is_sorted_as_the_library_would(&starts).unwrap();
        }
    }
}
