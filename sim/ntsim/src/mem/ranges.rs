//! An allocator of ranges of numbers (page frames, pages of an address area, device addresses) that reuses them as late as it can, so that a
//! stale number stays recognisable.

use std::collections::BTreeMap;

/// Allocated ranges in `start..end`, at least `gap` numbers apart.
#[derive(Debug)]
pub struct Ranges<T> {
    start: u64,
    end: u64,
    gap: u64,
    cursor: u64,
    used: BTreeMap<u64, Used<T>>,
}

#[derive(Debug)]
struct Used<T> {
    length: u64,
    value: T,
}

/// An allocated range that has a given number in it.
#[derive(Debug)]
pub struct Found<'a, T> {
    /// Its first number.
    pub start: u64,
    /// How many numbers it has.
    pub length: u64,
    /// What was stored with it.
    pub value: &'a T,
}

impl<T> Ranges<T> {
    /// Nothing allocated in `start..end`.
    #[must_use]
    pub fn new(start: u64, end: u64, gap: u64) -> Self {
        Self {
            start,
            end,
            gap,
            cursor: start,
            used: BTreeMap::new(),
        }
    }

    /// Allocates `length` numbers, the first a multiple of `align` (a power of two); none when there is no room.
    pub fn allocate(&mut self, length: u64, align: u64, value: T) -> Option<u64> {
        assert!(length > 0 && align.is_power_of_two());
        let at = self
            .search(self.cursor, length, align)
            .or_else(|| self.search(self.start, length, align))?;
        self.cursor = at + length + self.gap;
        self.used.insert(at, Used { length, value });
        Some(at)
    }

    /// The first place at or after `from`.
    fn search(&self, from: u64, length: u64, align: u64) -> Option<u64> {
        let mut at = from.checked_next_multiple_of(align)?;
        loop {
            let end = at.checked_add(length)?;
            if end > self.end {
                return None;
            }
            let blocker = self.used.range(..end.checked_add(self.gap)?).next_back();
            match blocker.map(|(start, used)| start + used.length + self.gap) {
                Some(free) if free > at => at = free.checked_next_multiple_of(align)?,
                _ => return Some(at),
            }
        }
    }

    /// The range that has `number` in it.
    #[must_use]
    pub fn find(&self, number: u64) -> Option<Found<'_, T>> {
        let (&start, used) = self.used.range(..=number).next_back()?;
        (number < start + used.length).then_some(Found {
            start,
            length: used.length,
            value: &used.value,
        })
    }

    /// What is stored with the range that has `number` in it.
    pub fn find_mut(&mut self, number: u64) -> Option<&mut T> {
        let (&start, used) = self.used.range_mut(..=number).next_back()?;
        (number < start + used.length).then_some(&mut used.value)
    }

    /// Frees the range that begins at `start`: its length and what was stored with it.
    pub fn free(&mut self, start: u64) -> Option<(u64, T)> {
        self.used.remove(&start).map(|used| (used.length, used.value))
    }

    /// Whether `number` is in no range now but is below everything that will be allocated next: it was allocated once, or lies in a gap.
    #[must_use]
    pub fn is_past(&self, number: u64) -> bool {
        (self.start..self.cursor).contains(&number) && self.find(number).is_none()
    }

    /// Every range: first number, length, value; in order.
    pub fn iter(&self) -> impl Iterator<Item = Found<'_, T>> {
        self.used.iter().map(|(&start, used)| Found {
            start,
            length: used.length,
            value: &used.value,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Ranges;
    use proptest::prelude::*;

    #[test]
    fn freed_numbers_come_back_last() {
        let mut ranges = Ranges::new(0, 10, 0);
        let first = ranges.allocate(4, 1, ()).unwrap();
        ranges.free(first);
        assert!(ranges.is_past(first));
        assert_eq!(ranges.allocate(4, 1, ()), Some(4));
        assert_eq!(ranges.allocate(4, 1, ()), Some(0));
        assert_eq!(ranges.allocate(4, 1, ()), None);
    }

    #[test]
    fn finds_only_what_is_inside() {
        let mut ranges = Ranges::new(100, 200, 1);
        let at = ranges.allocate(3, 8, "x").unwrap();
        assert_eq!(at, 104);
        assert!(ranges.find(103).is_none() && ranges.find(107).is_none());
        assert_eq!(*ranges.find(106).unwrap().value, "x");
    }

    proptest! {
        #[test]
        fn ranges_keep_apart(steps in prop::collection::vec((1_u64..9, 0_u32..4, any::<bool>()), 1..200), gap in 0_u64..3) {
            let mut ranges = Ranges::new(5, 300, gap);
            let mut live: Vec<u64> = Vec::new();
            for (length, align, free) in steps {
                if free && !live.is_empty() {
                    let start = live.remove(0);
                    prop_assert!(ranges.free(start).is_some());
                } else if let Some(start) = ranges.allocate(length, 1 << align, ()) {
                    prop_assert_eq!(start % (1 << align), 0);
                    live.push(start);
                }
                let all: Vec<_> = ranges.iter().map(|found| (found.start, found.start + found.length)).collect();
                prop_assert!(all.iter().all(|&(start, end)| start >= 5 && end <= 300));
                prop_assert!(all.windows(2).all(|pair| pair[0].1 + gap <= pair[1].0));
            }
        }
    }
}
