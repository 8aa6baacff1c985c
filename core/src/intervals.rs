//! Byte intervals, and the log that collects them in any order and sorts them once.
//!
//! Which bytes of the data buffer a program reads and writes matters only when all steps have been seen. A log that is appended to and
//! sorted at the end costs a tenth of a tree that is kept in order all along.

use core::cmp::Ordering;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// The bytes from `start` to before `end`, packed so that the numeric order is the order by start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(transparent)]
pub(crate) struct Interval(u64);

impl Interval {
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

/// Intervals, the last ones of a log, that a new one may continue: one for each operand of a step.
const RECENT: usize = 4;

/// The storage has no room for one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// Collects intervals.
#[derive(Debug)]
pub(crate) struct IntervalLog<'a> {
    storage: &'a mut [Interval],
    used: usize,
    ascending: bool,
}

impl<'a> IntervalLog<'a> {
    /// An empty log in `storage`, whose content does not matter.
    pub(crate) fn new(storage: &'a mut [Interval]) -> Self {
        Self {
            storage,
            used: 0,
            ascending: true,
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.used = 0;
        self.ascending = true;
    }

    /// Adds an interval. One that touches one of the last few costs no room: operands that walk through memory side by side, as those of
    /// most programs do, end up as one interval each, with nothing to sort.
    pub(crate) fn add(&mut self, interval: Interval) -> Result<(), Full> {
        let (added, free) = self.storage.split_at_mut_checked(self.used).unwrap_or_default();
        let mut recent = added.iter_mut().rev().take(RECENT);
        if let Some(touched) = recent.find(|recent| recent.touches(interval)) {
            self.ascending &= interval.start() >= touched.start();
            *touched = touched.union(interval);
            return Ok(());
        }
        self.ascending &= added.last().is_none_or(|last| interval.start() >= last.start());
        *free.first_mut().ok_or(Full)? = interval;
        self.used = self.used.saturating_add(1);
        Ok(())
    }

    /// All bytes that were added, as ascending intervals that do not touch.
    pub(crate) fn sorted(&mut self) -> &[Interval] {
        self.sorted_by(Ord::cmp)
    }

    /// The same with the comparison given, so that a test can count. The sort of the core library takes `n log n` comparisons at
    /// worst and no memory.
    fn sorted_by(&mut self, compare: impl FnMut(&Interval, &Interval) -> Ordering) -> &[Interval] {
        let added = self.storage.get_mut(..self.used).unwrap_or_default();
        if !self.ascending {
            added.sort_unstable_by(compare);
            self.ascending = true;
        }
        self.used = coalesce(added);
        added.get(..self.used).unwrap_or_default()
    }
}

/// Joins neighbours that touch, and returns how many intervals remain at the front.
fn coalesce(intervals: &mut [Interval]) -> usize {
    let cells = core::cell::Cell::from_mut(intervals).as_slice_of_cells();
    let Some((mut kept, rest)) = cells.split_first() else {
        return 0;
    };
    let mut free = rest.iter();
    let mut count: usize = 1;
    for next in rest {
        if kept.get().touches(next.get()) {
            kept.set(kept.get().union(next.get()));
        } else if let Some(place) = free.next() {
            place.set(next.get());
            kept = place;
            count = count.saturating_add(1);
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    const EMPTY: Interval = Interval::new(0, 0);

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

    #[test]
    fn touching_intervals_cost_no_room() {
        let mut storage = [EMPTY; 1];
        let mut log = IntervalLog::new(&mut storage);
        assert_eq!(log.add(Interval::new(8, 12)), Ok(()));
        assert_eq!(log.add(Interval::new(12, 16)), Ok(()));
        assert_eq!(log.add(Interval::new(4, 8)), Ok(()));
        assert_eq!(log.add(Interval::new(20, 24)), Err(Full));
        assert_eq!(log.sorted(), [Interval::new(4, 16)]);
    }

    #[test]
    fn operands_that_walk_side_by_side_are_joined() {
        let mut storage = [EMPTY; 3];
        let mut log = IntervalLog::new(&mut storage);
        for step in 0..100 {
            for operand in 0..3 {
                let start = operand * 1000 + step * 8;
                assert_eq!(log.add(Interval::new(start, start + 8)), Ok(()));
            }
        }
        let joined = [0, 1000, 2000].map(|start| Interval::new(start, start + 800));
        assert_eq!(log.sorted_by(|_, _| panic!("there is nothing to sort")), joined);
    }

    proptest! {
        #[test]
        fn a_sorted_log_has_the_bytes_added_in_fewest_intervals(
            added in proptest::collection::vec((0_u32..200, 1_u32..40), 0..60)
        ) {
            let added: Vec<_> = added.iter().map(|(start, length)| Interval::new(*start, start + length)).collect();
            let mut storage = vec![EMPTY; added.len()];
            let mut log = IntervalLog::new(&mut storage);
            for interval in &added {
                prop_assert_eq!(log.add(*interval), Ok(()));
            }
            let sorted = log.sorted().to_vec();
            prop_assert_eq!(bytes(&sorted), bytes(&added));
            prop_assert!(sorted.windows(2).all(|pair| pair[0].end() < pair[1].start()));
            prop_assert_eq!(log.sorted(), sorted);
        }
    }

    #[test]
    fn sorting_takes_n_log_n_comparisons_whatever_the_order() {
        let orders: [fn(u32, u32) -> u32; 4] = [
            |i, n| n - 1 - i,
            |i, n| if i % 2 == 0 { i } else { n - i },
            |i, n| i.reverse_bits() >> n.leading_zeros().wrapping_add(1),
            |i, n| i.wrapping_mul(2_654_435_761) % n,
        ];
        for n in [1 << 10, 1 << 14, 1 << 17] {
            for order in orders {
                let mut storage = vec![EMPTY; n as usize];
                let mut log = IntervalLog::new(&mut storage);
                for i in 0..n {
                    let start = order(i, n) * 8;
                    assert_eq!(log.add(Interval::new(start, start + 4)), Ok(()));
                }
                let mut comparisons: u64 = 0;
                log.sorted_by(|a, b| {
                    comparisons += 1;
                    a.cmp(b)
                });
                assert!(
                    comparisons <= 4 * u64::from(n) * u64::from(n.ilog2()),
                    "{comparisons} comparisons for {n}"
                );
            }
        }
    }
}
