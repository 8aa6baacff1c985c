//! Chooses the largest of many ranges: those that get one of the few mappings.

use crate::intervals::Interval;
use crate::limits::MAX_MAPPINGS;

/// The largest intervals of those offered, in ascending order. Of equal ones the first stay.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Largest {
    kept: [Interval; MAX_MAPPINGS],
    used: usize,
    most: usize,
    taken: usize,
}

impl Largest {
    /// Keeps `most` intervals, at most [`MAX_MAPPINGS`].
    pub(crate) fn new(most: usize) -> Self {
        Self {
            kept: [Interval::new(0, 0); MAX_MAPPINGS],
            used: 0,
            most: most.min(MAX_MAPPINGS),
            taken: 0,
        }
    }

    /// Offers an interval; they come in ascending order.
    pub(crate) fn offer(&mut self, interval: Interval) {
        if self.used == self.most && !self.drop_smallest_below(interval.length()) {
            return;
        }
        if let Some(place) = self.kept.get_mut(self.used) {
            *place = interval;
            self.used = self.used.saturating_add(1);
        }
    }

    /// Drops the smallest interval if it is smaller than `length`.
    fn drop_smallest_below(&mut self, length: u32) -> bool {
        let kept = self.kept.get_mut(..self.used).unwrap_or_default();
        let smallest = kept
            .iter()
            .enumerate()
            .rev()
            .min_by_key(|(_, interval)| interval.length());
        let Some((position, interval)) = smallest else {
            return false;
        };
        if interval.length() >= length {
            return false;
        }
        kept.get_mut(position..).unwrap_or_default().rotate_left(1);
        self.used = self.used.saturating_sub(1);
        true
    }

    /// Whether `interval` was kept; asked once for each interval, in the order of the offers.
    pub(crate) fn take(&mut self, interval: Interval) -> bool {
        let next = self.kept.get(..self.used).and_then(|kept| kept.get(self.taken));
        let is_next = next == Some(&interval);
        self.taken = self.taken.saturating_add(usize::from(is_next));
        is_next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn the_largest_are_kept_and_of_equal_ones_the_first(
            lengths in proptest::collection::vec(1_u32..6, 0..40), most in 0_usize..10
        ) {
            let mut at = 0;
            let offered: Vec<_> = lengths.iter().map(|length| {
                let interval = Interval::new(at, at + length);
                at += length + 1;
                interval
            }).collect();
            let mut largest = Largest::new(most);
            offered.iter().for_each(|interval| largest.offer(*interval));
            let mut expected = offered.clone();
            expected.sort_by_key(|interval| core::cmp::Reverse(interval.length()));
            expected.truncate(most.min(MAX_MAPPINGS));
            for interval in offered {
                prop_assert_eq!(largest.take(interval), expected.contains(&interval));
            }
        }
    }
}
