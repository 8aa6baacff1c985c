//! Chooses the largest of many ranges: those that get one of the few mappings, as far as map registers go.

use crate::address::{PAGE_SIZE, round_down};
use crate::cost::pages;
use crate::intervals::Interval;
use crate::limits::MAX_MAPPINGS;

/// An interval that gets a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chosen {
    /// A range with one access.
    pub(crate) whole: Interval,
    /// What of it can be mapped.
    pub(crate) body: Interval,
    /// How much of that is mapped, from its start on; may be nothing.
    pub(crate) mapped: u32,
    /// The number that it was offered with.
    pub(crate) number: u32,
}

impl Chosen {
    pub(crate) const NONE: Self = Self {
        whole: Interval::EMPTY,
        body: Interval::EMPTY,
        mapped: 0,
        number: 0,
    };

    /// The part that is mapped.
    pub(crate) fn mapped(&self) -> Interval {
        let start = self.body.start();
        Interval::new(start, start.saturating_add(self.mapped).min(self.body.end()))
    }
}

/// The largest intervals of those offered, in ascending order. Of equal ones the first stay.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Largest {
    kept: [Chosen; MAX_MAPPINGS],
    used: usize,
    most: usize,
    /// Intervals that are not longer are not kept.
    least: u32,
}

impl Largest {
    /// Keeps `most` intervals, at most [`MAX_MAPPINGS`].
    pub(crate) fn new(most: usize) -> Self {
        let most = most.min(MAX_MAPPINGS);
        Self {
            kept: [Chosen::NONE; MAX_MAPPINGS],
            used: 0,
            most,
            least: if most == 0 { u32::MAX } else { 0 },
        }
    }

    /// Intervals that are not longer are not kept.
    #[inline(always)]
    pub(crate) const fn least(&self) -> u32 {
        self.least
    }

    /// Offers `body`, which is not empty, of a range; they come in ascending order.
    pub(crate) fn offer(&mut self, whole: Interval, body: Interval, number: u32) {
        if body.length() > self.least {
            self.keep(Chosen {
                whole,
                body,
                mapped: body.length(),
                number,
            });
        }
    }

    fn keep(&mut self, chosen: Chosen) {
        if self.used == self.most {
            self.drop_smallest();
        }
        if let Some(place) = self.kept.get_mut(self.used) {
            *place = chosen;
            self.used = self.used.saturating_add(1);
        }
        if self.used == self.most {
            self.least = self
                .chosen()
                .iter()
                .map(|kept| kept.body.length())
                .min()
                .unwrap_or_default();
        }
    }

    /// Drops the smallest interval, and of equal ones the last.
    fn drop_smallest(&mut self) {
        let kept = self.kept.get_mut(..self.used).unwrap_or_default();
        let by_position = kept.iter().enumerate().rev();
        let Some((position, _)) = by_position.min_by_key(|(_, kept)| kept.body.length()) else {
            return;
        };
        kept.get_mut(position..).unwrap_or_default().rotate_left(1);
        self.used = self.used.saturating_sub(1);
    }

    /// What was kept.
    pub(crate) fn chosen(&self) -> &[Chosen] {
        self.kept.get(..self.used).unwrap_or_default()
    }

    /// Divides `registers` map registers, one for each page that a mapping touches, among what was kept: the largest first, and what is left goes to the start of the next. Offset 0 lies
    /// `page_offset` bytes into a page. To be called when everything has been offered.
    pub(crate) fn share(&mut self, registers: u32, page_offset: u32) {
        let mut left = u64::from(registers);
        let mut shared = [false; MAX_MAPPINGS];
        for _ in 0..self.used {
            let rows = self.kept.iter_mut().zip(&mut shared).take(self.used);
            let next = rows
                .filter(|(_, shared)| !**shared)
                .max_by_key(|(kept, _)| (kept.body.length(), !kept.body.start()));
            let Some((kept, shared)) = next else { return };
            *shared = true;
            kept.mapped = spanned(kept.body, left, page_offset);
            left = left.saturating_sub(pages(kept.mapped(), page_offset));
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

    fn offer_all(largest: &mut Largest, intervals: &[Interval]) {
        (0..)
            .zip(intervals)
            .for_each(|(number, interval)| largest.offer(*interval, *interval, number));
    }

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
            offer_all(&mut largest, &offered);
            let mut expected: Vec<_> = (0..).zip(offered).collect();
            expected.sort_by_key(|(_, interval)| core::cmp::Reverse(interval.length()));
            expected.truncate(most.min(MAX_MAPPINGS));
            expected.sort_unstable();
            let chosen: Vec<_> = largest.chosen().iter().map(|chosen| (chosen.number, chosen.mapped())).collect();
            prop_assert_eq!(chosen, expected);
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
            offer_all(&mut largest, &offered);
            largest.share(registers, page_offset);
            let shares: Vec<_> = largest.chosen().iter().map(|chosen| (chosen.body, chosen.mapped())).collect();
            prop_assert!(shares.iter().map(|(interval, _)| interval).eq(&offered));
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
