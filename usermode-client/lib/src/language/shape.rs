//! Shapes of arrays.

use std::fmt;

/// Most dimensions of an array.
pub(super) const MAX_DIMENSIONS: usize = 8;

/// One to [`MAX_DIMENSIONS`] dimensions, none of them 0, of as many elements as 64 bits can tell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    dimensions: [u64; MAX_DIMENSIONS],
    rank: usize,
    count: u64,
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list: Vec<_> = self.dimensions().iter().map(u64::to_string).collect();
        write!(f, "[{}]", list.join(", "))
    }
}

impl Shape {
    /// The shape of a single element.
    pub(super) const ONE: Self = Self {
        dimensions: [1; MAX_DIMENSIONS],
        rank: 1,
        count: 1,
    };

    /// A shape of these dimensions, if they can be those of one.
    pub(super) fn of(list: &[u64]) -> Option<Self> {
        let count = list
            .iter()
            .try_fold(1_u64, |count, length| count.checked_mul(*length))?;
        if count == 0 || list.is_empty() {
            return None;
        }
        let mut dimensions = [1; MAX_DIMENSIONS];
        dimensions.get_mut(..list.len())?.copy_from_slice(list);
        Some(Self {
            dimensions,
            rank: list.len(),
            count,
        })
    }

    pub(super) fn dimensions(&self) -> &[u64] {
        &self.dimensions[..self.rank]
    }

    /// Number of elements.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The dimensions without those of 1 at the front.
    fn significant(&self) -> &[u64] {
        let dimensions = self.dimensions();
        let ones = dimensions.iter().take_while(|length| **length == 1).count();
        &dimensions[ones.min(self.rank - 1)..]
    }

    /// Whether the two are the same, but for dimensions of 1 at the front.
    pub(super) fn matches(&self, other: &Self) -> bool {
        self.significant() == other.significant()
    }

    /// Whether an array of this shape stands for one of the other, as a row that is the same for all rows, or an element that is the same
    /// for all elements.
    pub(super) fn broadcasts_to(&self, other: &Self) -> bool {
        self.count == 1 || other.significant().ends_with(self.significant())
    }

    /// The shape of an operation on elements of both.
    pub(super) fn with(self, other: Self) -> Option<Self> {
        if self.matches(&other) {
            return Some(if self.rank >= other.rank { self } else { other });
        }
        if self.broadcasts_to(&other) {
            return Some(other);
        }
        other.broadcasts_to(&self).then_some(self)
    }

    /// Rows and columns, where it has two dimensions.
    pub(super) fn matrix(&self) -> Option<[u64; 2]> {
        self.dimensions().try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(list: &[u64]) -> Shape {
        Shape::of(list).unwrap()
    }

    #[test]
    fn shapes_have_elements_and_not_too_many() {
        assert_eq!(
            (shape(&[2, 3, 4]).count(), shape(&[2, 3]).to_string()),
            (24, "[2, 3]".into())
        );
        for list in [[].as_slice(), &[0], &[3, 0], &[1 << 33, 1 << 33], &[1; 9]] {
            assert_eq!(Shape::of(list), None, "{list:?}");
        }
        assert_eq!(Shape::of(&[1]), Some(Shape::ONE));
        assert_eq!((shape(&[2, 3]).matrix(), shape(&[6]).matrix()), (Some([2, 3]), None));
    }

    #[test]
    fn ones_at_the_front_do_not_matter() {
        assert!(shape(&[5]).matches(&shape(&[1, 5])) && shape(&[1, 1]).matches(&Shape::ONE));
        assert!(!shape(&[5]).matches(&shape(&[5, 1])) && !shape(&[6]).matches(&shape(&[2, 3])));
    }

    #[test]
    fn rows_and_elements_stand_for_all() {
        let with = |a: &[u64], b: &[u64]| shape(a).with(shape(b)).map(|shape| shape.to_string());
        assert_eq!(with(&[4, 3], &[3]).as_deref(), Some("[4, 3]"));
        assert_eq!(with(&[3], &[4, 3]).as_deref(), Some("[4, 3]"));
        assert_eq!(with(&[3], &[1, 3]).as_deref(), Some("[1, 3]"));
        assert_eq!(with(&[1, 3], &[4, 3]).as_deref(), Some("[4, 3]"));
        assert_eq!(with(&[2, 4, 3], &[4, 3]).as_deref(), Some("[2, 4, 3]"));
        assert_eq!(with(&[1], &[7]).as_deref(), Some("[7]"));
        assert_eq!(with(&[4, 3], &[4]), None);
        assert_eq!(with(&[4], &[5]), None);
    }
}
