//! Where arrays lie: one after the other, each at the next cache line.

use crate::program::ARRAY_ALIGNMENT;

/// A space that arrays are put into.
#[derive(Clone, Copy, Debug)]
pub(super) struct Space {
    used: u64,
    limit: u64,
}

/// An array does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DoesNotFit {
    /// Bytes that the space would need.
    pub(super) length: u128,
    /// Bytes that it has.
    pub(super) limit: u64,
}

impl Space {
    pub(super) fn of(limit: u64) -> Self {
        Self { used: 0, limit }
    }

    /// Bytes up to the end of the last array.
    pub(super) fn used(&self) -> u64 {
        self.used
    }

    /// The offset of the next array.
    pub(super) fn place(&mut self, count: u64, element_size: u64) -> Result<u64, DoesNotFit> {
        let offset = self.used.next_multiple_of(ARRAY_ALIGNMENT);
        let length = u128::from(offset) + u128::from(count) * u128::from(element_size);
        match u64::try_from(length) {
            Ok(end) if end <= self.limit => {
                self.used = end;
                Ok(offset)
            }
            _ => Err(DoesNotFit {
                length,
                limit: self.limit,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn arrays_are_aligned_disjoint_and_inside(
            arrays in prop::collection::vec((1..5000_u64, 0..4_u32), 1..20),
            limit in 1..50_000_u64,
        ) {
            let mut space = Space::of(limit);
            let mut end = 0;
            for (count, log) in arrays {
                if let Ok(offset) = space.place(count, 1 << log) {
                    prop_assert!(offset >= end && offset.is_multiple_of(ARRAY_ALIGNMENT));
                    prop_assert!(offset - end < ARRAY_ALIGNMENT);
                    end = offset + (count << log);
                    prop_assert!(end <= limit);
                }
                prop_assert_eq!(space.used(), end);
            }
        }
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let mut space = Space::of(u64::MAX - 1);
        assert_eq!(
            space.place(u64::MAX, 8),
            Err(DoesNotFit {
                length: u128::from(u64::MAX) * 8,
                limit: u64::MAX - 1
            })
        );
    }
}
