//! What it costs to map bytes and to copy them, so that a plan can choose.
//!
//! The unit is what copying a byte costs. Costs are not measured on the machine: a plan has to be the same for the same program, and a wrong choice
//! between neighbours costs little. What matters is that a range of a few dozen bytes never gets a DMA transaction of its own.

use crate::address::PAGE_SIZE;
use crate::intervals::Interval;

/// What things cost, in bytes that could be copied meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    /// A mapping: a transaction object, a scatter-gather list that is allocated, built and put, a callback at raised IRQL.
    pub mapping: u32,
    /// A page, either way: a map register or a translation of the IOMMU where it is mapped, a page table entry of the system and its flush where
    /// it is copied.
    pub page: u32,
}

impl Default for Costs {
    fn default() -> Self {
        Self::LEAST
    }
}

impl Costs {
    /// Costs with which mapping is refused only where copying wins on every machine: a transaction takes hundreds of nanoseconds at the very least,
    /// in which any processor copies 512 bytes. Where a machine could decide either way, mapping is chosen, because it takes nothing from the arena.
    pub const LEAST: Self = Self { mapping: 512, page: 64 };
    /// Costs with which everything is mapped that can be.
    pub const FREE: Self = Self { mapping: 0, page: 0 };

    /// Whether it is cheaper to map `part` of `whole`, and to copy the rest, than to copy all of it. Offset 0 lies `page_offset` bytes into a page.
    ///
    /// The bytes that are not copied have to make up for the mapping, and for each page on which there are bytes of the part and of the rest: that counts once more.
    pub(crate) fn pays(self, whole: Interval, part: Interval, page_offset: u32) -> bool {
        let inside = |byte: u32| u64::from(page_offset.wrapping_add(byte)) % PAGE_SIZE != 0;
        let shares = |byte: u32, edge: u32| u64::from(byte != edge && inside(byte));
        let shared = shares(part.start(), whole.start()).wrapping_add(shares(part.end(), whole.end()));
        let pages = shared.wrapping_mul(self.page.into());
        u64::from(part.length()) > pages.wrapping_add(self.mapping.into())
    }
}

/// Pages that an interval touches.
pub(crate) fn pages(interval: Interval, page_offset: u32) -> u64 {
    if interval.is_empty() {
        return 0;
    }
    // Offsets have 31 bits, so that nothing wraps.
    let page = |byte: u32| u64::from(page_offset.wrapping_add(byte)) / PAGE_SIZE;
    let last = page(interval.end().wrapping_sub(1));
    last.wrapping_sub(page(interval.start())).wrapping_add(1)
}

#[cfg(test)]
impl Costs {
    /// What it costs to map `mapped`, a part of `whole`, and to copy the rest.
    pub(crate) fn split(self, whole: Interval, mapped: Interval, page_offset: u32) -> u64 {
        let before = Interval::new(whole.start(), mapped.start());
        let behind = Interval::new(mapped.end(), whole.end());
        let rest: u64 = [before, behind].map(|rest| self.copy(rest, page_offset)).iter().sum();
        let mapping = if mapped.is_empty() {
            0
        } else {
            u64::from(self.mapping) + pages(mapped, page_offset) * u64::from(self.page)
        };
        rest + mapping
    }

    /// What it costs to copy `interval` in one direction.
    pub(crate) fn copy(self, interval: Interval, page_offset: u32) -> u64 {
        pages(interval, page_offset) * u64::from(self.page) + u64::from(interval.length())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_mapping_pays_once_its_bytes_cost_more_than_it() {
        let costs = Costs::LEAST;
        let whole = |length| Interval::new(0, length);
        let pays = |length| costs.split(whole(length), whole(length), 0) < costs.copy(whole(length), 0);
        assert!(!pays(1) && !pays(512) && pays(513) && pays(1 << 20));
    }

    proptest! {
        #[test]
        fn what_pays_is_what_costs_less(
            mut cuts in proptest::array::uniform4(0_u32..6000), page_offset in 0_u32..4096, mapping in 0_u32..1000, page in 0_u32..200
        ) {
            cuts.sort_unstable();
            let (costs, [start, from, to, end]) = (Costs { mapping, page }, cuts);
            let (whole, part) = (Interval::new(start, end), Interval::new(from, to));
            prop_assume!(!part.is_empty());
            prop_assert_eq!(
                costs.pays(whole, part, page_offset),
                costs.split(whole, part, page_offset) < costs.copy(whole, page_offset)
            );
        }
    }

    #[test]
    fn edges_that_are_copied_cost_their_pages_again() {
        let costs = Costs::LEAST;
        // A mapping of 640 bytes between edges of 1 byte: three touches of the page instead of one.
        let (whole, body) = (Interval::new(63, 705), Interval::new(64, 704));
        assert_eq!(costs.copy(whole, 0), 64 + 642);
        assert_eq!(costs.split(whole, body, 0), (512 + 64) + 2 * (64 + 1));
    }

    #[test]
    fn nothing_costs_nothing() {
        let nothing = Interval::new(9, 9);
        assert_eq!(Costs::LEAST.copy(nothing, 0), 0);
        assert_eq!(Costs::LEAST.split(nothing, nothing, 0), 0);
    }

    #[test]
    fn pages_are_those_of_memory() {
        assert_eq!(pages(Interval::new(0, 4096), 0), 1);
        assert_eq!(pages(Interval::new(0, 4096), 1), 2);
        assert_eq!(pages(Interval::new(4095, 4097), 0), 2);
        assert_eq!(pages(Interval::new(5, 5), 4095), 0);
    }
}
