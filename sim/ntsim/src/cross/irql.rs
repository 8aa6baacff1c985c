//! The IRQLs at which a function may be called.

use wdk_sys::KIRQL;

/// An inclusive range of IRQLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IrqlRange {
    /// The lowest IRQL.
    pub min: KIRQL,
    /// The highest IRQL.
    pub max: KIRQL,
}

impl IrqlRange {
    /// Any IRQL.
    pub const ANY: Self = Self {
        min: 0,
        max: wdk_sys::HIGH_LEVEL as KIRQL,
    };

    /// From `min` to `max`.
    #[must_use]
    pub const fn new(min: u32, max: u32) -> Self {
        Self {
            min: min as KIRQL,
            max: max as KIRQL,
        }
    }

    /// Whether the range has this IRQL.
    #[must_use]
    pub const fn contains(self, irql: KIRQL) -> bool {
        self.min <= irql && irql <= self.max
    }
}

impl core::fmt::Display for IrqlRange {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match (self.min, self.max) {
            (min, max) if min == max => write!(f, "IRQL {min}"),
            (0, max) => write!(f, "IRQL <= {max}"),
            (min, max) if max == Self::ANY.max => write!(f, "IRQL >= {min}"),
            (min, max) => write!(f, "IRQL {min} to {max}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::IrqlRange;

    #[test]
    fn ranges_are_inclusive_and_readable() {
        let range = IrqlRange::new(1, 2);
        assert!(!range.contains(0) && range.contains(1) && range.contains(2) && !range.contains(3));
        assert_eq!(range.to_string(), "IRQL 1 to 2");
        assert_eq!(IrqlRange::new(0, 2).to_string(), "IRQL <= 2");
        assert_eq!(IrqlRange::new(0, 0).to_string(), "IRQL 0");
        assert_eq!(IrqlRange::new(2, 15).to_string(), "IRQL >= 2");
    }
}
