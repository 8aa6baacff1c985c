//! Byte intervals, and the log that collects them in any order and sorts them once.
//!
//! Which bytes of the data buffer a program reads and writes matters only when all steps have been seen. A log that is appended to and
//! sorted at the end costs a tenth of a tree that is kept in order all along.

use core::cell::Cell;
use core::hint::select_unpredictable;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::sort::{Sorted, sort};

/// The bytes from `start` to before `end`, packed so that the numeric order is the order by start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(transparent)]
pub(crate) struct Interval(u64);

/// The first place of device-local memory, where places of both spaces are told apart: larger than all offsets in the data buffer.
pub(crate) const SCRATCH_BASE: u32 = 1 << 30;

impl Interval {
    /// No bytes.
    pub(crate) const EMPTY: Self = Self(0);

    /// The bytes from `start` to before `end`.
    pub(crate) const fn new(start: u32, end: u32) -> Self {
        Self((start as u64) << 32 | end as u64)
    }

    /// The `length` bytes from `offset`, if they lie below `limit` and offsets fit in 32 bits.
    pub(crate) fn within(offset: u64, length: u64, limit: u64) -> Option<Self> {
        let end = offset.checked_add(length).filter(|end| *end <= limit)?;
        Some(Self::new(u32::try_from(offset).ok()?, u32::try_from(end).ok()?))
    }

    pub(crate) const fn start(self) -> u32 {
        (self.0 >> 32) as u32
    }

    pub(crate) const fn end(self) -> u32 {
        self.0 as u32
    }

    pub(crate) const fn length(self) -> u32 {
        self.end().saturating_sub(self.start())
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.length() == 0
    }

    /// The bytes in device-local memory that are these places.
    pub(crate) const fn in_scratch(self) -> Self {
        Self::new(
            self.start().wrapping_sub(SCRATCH_BASE),
            self.end().wrapping_sub(SCRATCH_BASE),
        )
    }

    /// The places of these bytes in device-local memory.
    pub(crate) const fn as_places(self) -> Self {
        Self::new(
            self.start().wrapping_add(SCRATCH_BASE),
            self.end().wrapping_add(SCRATCH_BASE),
        )
    }

    /// Whether it begins no later than `other`, and ends no earlier. Both have offsets or places, of 31 bits.
    #[inline(always)]
    pub(crate) const fn contains(self, other: Self) -> bool {
        // A branch could not be predicted, so start and end are compared at once: neither difference of the halves is negative.
        const SIGNS: u64 = 1 << 63 | 1 << 31;
        const ENDS: u64 = (1 << 31) - 1;
        ((other.0 ^ ENDS | SIGNS).wrapping_sub(self.0 ^ ENDS)) & SIGNS == SIGNS
    }

    /// The bytes that both have; empty if there are none.
    pub(crate) fn intersection(self, other: Self) -> Self {
        Self::new(self.start().max(other.start()), self.end().min(other.end()))
    }

    /// Whether the two overlap or one begins where the other ends.
    pub(crate) const fn touches(self, other: Self) -> bool {
        self.start() <= other.end() && other.start() <= self.end()
    }

    /// The bytes of both, which touch.
    pub(crate) fn union(self, other: Self) -> Self {
        Self::new(self.start().min(other.start()), self.end().max(other.end()))
    }
}

/// Bytes of intervals that do not overlap.
pub(crate) fn bytes(intervals: &[Interval]) -> u64 {
    let lengths = intervals.iter().map(|interval| u64::from(interval.length()));
    lengths.fold(0, u64::wrapping_add)
}

/// Collects intervals.
#[derive(Debug)]
pub(crate) struct IntervalLog<'a> {
    storage: &'a mut [Interval],
    used: usize,
    /// Bits among which are those of every start.
    starts: u32,
}

impl<'a> IntervalLog<'a> {
    /// An empty log in `storage`, whose content does not matter.
    pub(crate) fn new(storage: &'a mut [Interval]) -> Self {
        Self {
            storage,
            used: 0,
            starts: 0,
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        (self.used, self.starts) = (0, 0);
    }

    /// Says of what was added that it begins at places that have no other bits than these and those that were told before. Without it, they would be sorted wrongly.
    pub(crate) const fn begins_among(&mut self, starts: u32) {
        self.starts |= starts;
    }

    /// Bits among which are those of every start.
    #[cfg(test)]
    pub(crate) const fn starts(&self) -> u32 {
        self.starts
    }

    /// Adds those of some intervals whose bits are set, the first having the lowest. The storage has room for all, as [`Room::words`](crate::Room::words) counts it; a log that were too
    /// short would leave bytes out of the plan, and the device could not reach them.
    #[inline(always)]
    pub(crate) fn add<const N: usize>(&mut self, intervals: [Interval; N], wanted: u32) {
        let (mut next, mut wanted) = (self.used, wanted);
        for interval in intervals {
            if let Some(place) = self.storage.get_mut(next) {
                *place = interval;
            }
            // No branch: which intervals are wanted cannot be predicted.
            next = next.wrapping_add(wanted as usize & 1);
            wanted >>= 1;
        }
        self.used = next;
    }

    /// All bytes that were added, as ascending intervals that do not touch.
    pub(crate) fn sorted(&mut self, bench: &mut SortBench<'_>) -> &[Interval] {
        let added = self.storage.get_mut(..self.used).unwrap_or_default();
        let order = if added.is_sorted() {
            Sorted::Here
        } else {
            sort(added, self.starts, bench.spare, bench.counts)
        };
        let count = added.len();
        let cells = Cell::from_mut(added).as_slice_of_cells();
        self.used = match order {
            Sorted::Here => coalesce(cells.iter().map(Cell::get), cells),
            Sorted::InSpare => coalesce(bench.spare.iter().copied().take(count), cells),
        };
        self.storage.get(..self.used).unwrap_or_default()
    }
}

/// Room for sorting.
#[derive(Debug)]
pub(crate) struct SortBench<'a> {
    pub(crate) spare: &'a mut [Interval],
    pub(crate) counts: &'a mut [u32],
}

/// Joins neighbours that touch into runs, and returns how many there are. They are put at the front of `places`, of which those that `ascending` has yielded may be written.
///
/// Which of random intervals touch has no pattern, so there is no branch on it.
fn coalesce(mut ascending: impl Iterator<Item = Interval>, places: &[Cell<Interval>]) -> usize {
    let Some(first) = ascending.next() else { return 0 };
    let (mut start, mut end) = (first.start(), first.end());
    let mut count: usize = 0;
    let put = |place: usize, run| {
        if let Some(place) = places.get(place) {
            place.set(run);
        }
    };
    for next in ascending {
        put(count, Interval::new(start, end));
        let apart = next.start() > end;
        count = count.wrapping_add(usize::from(apart));
        start = select_unpredictable(apart, next.start(), start);
        // One that is apart ends behind everything before it.
        end = end.max(next.end());
    }
    put(count, Interval::new(start, end));
    count.saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sort::COUNTS;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    fn bytes(intervals: &[Interval]) -> Vec<bool> {
        let mut covered = vec![false; 256];
        for interval in intervals {
            covered[interval.start() as usize..interval.end() as usize].fill(true);
        }
        covered
    }

    #[test]
    fn intervals_know_their_limits() {
        assert_eq!(Interval::within(4, 4, 8), Some(Interval::new(4, 8)));
        assert_eq!(Interval::within(4, 5, 8), None);
        assert_eq!(Interval::within(u64::MAX, 1, u64::MAX), None);
        assert_eq!(Interval::within(1 << 32, 1, u64::MAX), None);
    }

    proptest! {
        #[test]
        fn containing_is_beginning_no_later_and_ending_no_earlier(
            (start, end, inner, behind) in (0_u32..=i32::MAX as u32, 0_u32..=i32::MAX as u32, 0_u32..=i32::MAX as u32, 0_u32..=i32::MAX as u32),
            near in proptest::array::uniform2(-1_i64..2)
        ) {
            let nearby = |bound: u32, by: i64| (i64::from(bound) + by).clamp(0, i32::MAX.into()) as u32;
            let others = [(inner, behind), (nearby(start, near[0]), nearby(end, near[1]))];
            for (from, to) in others {
                let contains = Interval::new(start, end).contains(Interval::new(from, to));
                prop_assert_eq!(contains, start <= from && to <= end);
            }
        }

        #[test]
        fn a_sorted_log_has_the_bytes_added_in_fewest_intervals(
            added in proptest::collection::vec((0_u32..200, 1_u32..40), 0..600)
        ) {
            let added: Vec<_> = added.iter().map(|(start, length)| Interval::new(*start, start + length)).collect();
            let (mut storage, mut spare, mut counts) = (vec![Interval::EMPTY; added.len() + 1], vec![Interval::EMPTY; added.len()], vec![0; COUNTS]);
            let mut bench = SortBench { spare: &mut spare, counts: &mut counts };
            let mut log = IntervalLog::new(&mut storage);
            log.begins_among(added.iter().fold(0, |starts, interval| starts | interval.start()));
            let unwanted = Interval::new(250, 255);
            for interval in &added {
                log.add([unwanted], 0);
                // What is not wanted may stand in front, behind, or in between.
                match interval.start() % 3 {
                    0 => log.add([*interval], 1),
                    1 => log.add([unwanted, *interval], 2),
                    _ => log.add([*interval, unwanted], 1),
                }
            }
            let sorted = log.sorted(&mut bench).to_vec();
            prop_assert_eq!(bytes(&sorted), bytes(&added));
            prop_assert!(sorted.windows(2).all(|pair| pair[0].end() < pair[1].start()));
            prop_assert_eq!(log.sorted(&mut bench), sorted);
        }
    }
}
