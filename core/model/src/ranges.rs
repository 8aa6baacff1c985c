//! Sets of bytes as ranges.

/// A set of bytes: ascending ranges, each from its start to before its end, that do not touch each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// The ranges.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.0.iter().copied()
    }

    /// Whether the byte is in the set.
    pub fn contains(&self, byte: u64) -> bool {
        self.iter().any(|(start, end)| start <= byte && byte < end)
    }

    /// Adds the bytes from `start` to before `end`.
    pub(crate) fn add(&mut self, start: u64, end: u64) {
        let mut all = std::mem::take(&mut self.0);
        all.push((start, end));
        all.sort_unstable();
        for (start, end) in all {
            match self.0.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => self.0.push((start, end)),
            }
        }
    }

    /// The first byte from `start` to before `end` that is not in the set.
    pub(crate) fn first_gap(&self, start: u64, end: u64) -> Option<u64> {
        let covered = self.iter().find(|(first, last)| *first <= start && start < *last);
        let gap = covered.map_or(start, |(_, last)| last);
        (gap < end).then_some(gap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_set_is_what_was_added(added in prop::collection::vec((0_u64..60, 1_u64..12), 0..12), asked in (0_u64..60, 1_u64..12)) {
            let mut ranges = Ranges::default();
            let mut bytes = [false; 80];
            for (start, length) in added {
                ranges.add(start, start + length);
                bytes[start as usize..(start + length) as usize].fill(true);
            }
            for (at, wanted) in bytes.iter().enumerate() {
                prop_assert_eq!(ranges.contains(at as u64), *wanted);
            }
            prop_assert!(ranges.0.windows(2).all(|pair| pair[0].1 < pair[1].0));
            let (start, end) = (asked.0, asked.0 + asked.1);
            let gap = (start..end).find(|byte| !bytes[*byte as usize]);
            prop_assert_eq!(ranges.first_gap(start, end), gap);
        }
    }
}
