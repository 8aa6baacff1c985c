//! Chooses the largest of many ranges: those that get one of the few mappings, as far as map registers go.

use crate::address::{PAGE_SIZE, round_down};
use crate::cost::pages;
use crate::intervals::Interval;
use crate::limits::MAX_MAPPINGS;
use crate::pieces::Why;

/// What an interval that was offered gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    /// The part that is mapped, from the start on; may be empty.
    pub(crate) mapped: Interval,
    /// Why the rest is not.
    pub(crate) rest: Why,
}

/// The largest intervals of those offered, in ascending order. Of equal ones the first stay.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Largest {
    kept: [Interval; MAX_MAPPINGS],
    /// How much of each of them is mapped, from its start on.
    mapped: [u32; MAX_MAPPINGS],
    used: usize,
    most: usize,
    taken: usize,
}

impl Largest {
    /// Keeps `most` intervals, at most [`MAX_MAPPINGS`].
    pub(crate) fn new(most: usize) -> Self {
        Self {
            kept: [Interval::new(0, 0); MAX_MAPPINGS],
            mapped: [u32::MAX; MAX_MAPPINGS],
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

    /// Divides `registers` map registers, one for each page that a mapping touches, among what was kept: the largest first, and what is left goes to the start of the next. Offset 0 lies
    /// `page_offset` bytes into a page. To be called when everything has been offered.
    pub(crate) fn share(&mut self, registers: u32, page_offset: u32) {
        let mut left = u64::from(registers);
        let mut shared = [false; MAX_MAPPINGS];
        for _ in 0..self.used {
            let rows = self.kept.iter().zip(&mut self.mapped).zip(&mut shared).take(self.used);
            let next = rows
                .filter(|(_, shared)| !**shared)
                .max_by_key(|((kept, _), _)| (kept.length(), !kept.start()));
            let Some(((kept, mapped), shared)) = next else { return };
            *shared = true;
            *mapped = spanned(*kept, left, page_offset);
            let end = kept.start().saturating_add(*mapped);
            left = left.saturating_sub(pages(Interval::new(kept.start(), end), page_offset));
        }
    }

    /// What `interval` gets; asked once for each interval, in the order of the offers.
    pub(crate) fn take(&mut self, interval: Interval) -> Share {
        let next = self.kept.get(..self.used).and_then(|kept| kept.get(self.taken));
        if next != Some(&interval) {
            return Share {
                mapped: Interval::new(interval.start(), interval.start()),
                rest: Why::TooManyMappings,
            };
        }
        let length = self.mapped.get(self.taken).copied().unwrap_or_default();
        self.taken = self.taken.saturating_add(1);
        let end = interval.start().saturating_add(length).min(interval.end());
        Share {
            mapped: Interval::new(interval.start(), end),
            rest: Why::TooFewRegisters,
        }
    }
}

/// Bytes of an interval, from its start on, that touch at most so many pages: all of them, or up to the end of a page.
fn spanned(interval: Interval, registers: u64, page_offset: u32) -> u32 {
    if pages(interval, page_offset) <= registers {
        return interval.length();
    }
    let start = u64::from(page_offset).saturating_add(interval.start().into());
    let end = round_down(start, PAGE_SIZE).saturating_add(registers.saturating_mul(PAGE_SIZE));
    u32::try_from(end.saturating_sub(start)).unwrap_or_default()
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
                let share = largest.take(interval);
                prop_assert_eq!(share.mapped == interval, expected.contains(&interval));
                prop_assert!(share.mapped == interval || (share.mapped.is_empty() && share.rest == Why::TooManyMappings));
            }
        }

        #[test]
        fn registers_go_to_the_largest_first_and_never_beyond_what_there_is(
            lengths in proptest::collection::vec(1_u32..20_000, 1..8), registers in 0_u32..30, page_offset in 0_u32..4096
        ) {
            let mut at = 0;
            let offered: Vec<_> = lengths.iter().map(|length| {
                let interval = Interval::new(at, at + length);
                at += length + 64;
                interval
            }).collect();
            let mut largest = Largest::new(MAX_MAPPINGS);
            offered.iter().for_each(|interval| largest.offer(*interval));
            largest.share(registers, page_offset);
            let shares: Vec<_> = offered.iter().map(|interval| (*interval, largest.take(*interval).mapped)).collect();
            let used: u64 = shares.iter().map(|(_, mapped)| pages(*mapped, page_offset)).sum();
            prop_assert!(used <= u64::from(registers));
            let all: u64 = offered.iter().map(|interval| pages(*interval, page_offset)).sum();
            prop_assert!(all > u64::from(registers) || shares.iter().all(|(whole, mapped)| whole == mapped));
            for (whole, mapped) in &shares {
                prop_assert_eq!(mapped.start(), whole.start());
                let cut = mapped != whole && !mapped.is_empty();
                prop_assert!(!cut || (u64::from(page_offset) + u64::from(mapped.end())) % PAGE_SIZE == 0, "cut at the end of a page");
                prop_assert!(mapped == whole || used == u64::from(registers));
            }
            // Whoever is larger than one that has anything has all of it.
            for (whole, mapped) in &shares {
                for (other, others) in &shares {
                    if whole.length() > other.length() && !others.is_empty() {
                        prop_assert_eq!(mapped, whole);
                    }
                }
            }
        }
    }
}
