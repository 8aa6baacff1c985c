//! A set of bytes, as ranges.

use std::collections::BTreeMap;

use hawser_core::DataRange;

/// Disjoint ranges: the end of each by its start.
#[derive(Default)]
pub struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    /// Adds the bytes of a range.
    pub fn add(&mut self, range: DataRange) {
        let (mut start, mut end) = (range.offset, range.end());
        while let Some((earlier, until)) = self.last_before(end).filter(|(_, until)| *until >= start) {
            self.0.remove(&earlier);
            (start, end) = (start.min(earlier), end.max(until));
        }
        self.0.insert(start, end);
    }

    /// Whether a byte of the range is in the set.
    pub fn meets(&self, range: DataRange) -> bool {
        range.end() > range.offset
            && self
                .last_before(range.end() - 1)
                .is_some_and(|(_, until)| until > range.offset)
    }

    /// The last range that begins at `offset` or before.
    fn last_before(&self, offset: u64) -> Option<(u64, u64)> {
        self.0.range(..=offset).next_back().map(|(start, end)| (*start, *end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_a_set_of_bytes(ranges in prop::collection::vec((0..60_u64, 1..20_u64), 0..12), asked in (0..80_u64, 1..20_u64)) {
            let (mut set, mut bytes) = (Ranges::default(), [false; 128]);
            for (offset, length) in ranges {
                set.add(DataRange { offset, length });
                bytes[offset as usize..(offset + length) as usize].fill(true);
            }
            let (offset, length) = asked;
            let expected = bytes[offset as usize..(offset + length) as usize].contains(&true);
            prop_assert_eq!(set.meets(DataRange { offset, length }), expected);
            let pairs: Vec<_> = set.0.iter().collect();
            prop_assert!(pairs.windows(2).all(|pair| pair[0].1 < pair[1].0), "disjoint, and not adjacent");
        }
    }
}
