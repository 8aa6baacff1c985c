//! A step that has been read: what it does, and on which elements.

use std::cmp::Ordering;

use hawser_abi::op::{ElementType, Opcode};

use super::arithmetic::Arithmetic;
use super::matrix::Product;

/// Where an operand begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Data(u64),
    Scratch(u64),
}

/// Where the elements of a source come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Immediate(u64),
    At(Place),
}

/// How many elements of how many bytes an operand has. Their product is known to fit in 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    size: u64,
    count: u64,
}

impl Extent {
    /// `count` elements of `size` bytes, unless those are too many bytes to count.
    pub(super) fn new(count: u64, size: u64) -> Option<Self> {
        count.checked_mul(size)?;
        Some(Self { size, count })
    }

    /// Bytes of an element, which its offset is a multiple of.
    pub(super) fn size(self) -> u64 {
        self.size
    }

    /// Bytes of all elements.
    pub(super) fn bytes(self) -> u64 {
        self.count.saturating_mul(self.size)
    }
}

/// The destination.
#[derive(Clone, Copy, Debug)]
pub(super) struct Destination {
    pub(super) place: Place,
    pub(super) extent: Extent,
}

/// A source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operand {
    pub(super) source: Source,
    pub(super) extent: Extent,
}

/// What becomes of an integer that its type cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overflow {
    Wrap,
    Saturate,
}

/// What a comparison asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Predicate {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Predicate {
    /// The predicate with this number.
    pub(super) fn from_number(number: u32) -> Option<Self> {
        match number {
            0 => Some(Self::Equal),
            1 => Some(Self::NotEqual),
            2 => Some(Self::Less),
            3 => Some(Self::LessOrEqual),
            4 => Some(Self::Greater),
            5 => Some(Self::GreaterOrEqual),
            _ => None,
        }
    }

    /// Whether it is true of two elements in this order. Elements without an order, of which one is a NaN, differ and nothing else.
    pub(super) fn holds(self, order: Option<Ordering>) -> bool {
        match (self, order) {
            (Self::NotEqual, None) => true,
            (_, None) => false,
            (Self::Equal, Some(order)) => order.is_eq(),
            (Self::NotEqual, Some(order)) => order.is_ne(),
            (Self::Less, Some(order)) => order.is_lt(),
            (Self::LessOrEqual, Some(order)) => order.is_le(),
            (Self::Greater, Some(order)) => order.is_gt(),
            (Self::GreaterOrEqual, Some(order)) => order.is_ge(),
        }
    }
}

/// What the operation needs to know beside its elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    None,
    Compare(Predicate),
    MatMul(Product),
    /// Rows and columns of the source.
    Transpose {
        rows: u64,
        columns: u64,
    },
}

/// A step; sources that the operation does not have repeat the first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Action {
    pub(super) opcode: Opcode,
    /// Type of the elements; for a conversion, of its results.
    pub(super) element: ElementType,
    /// Type of the elements of the first source, which differs from `element` in conversions only.
    pub(super) from: ElementType,
    pub(super) overflow: Overflow,
    pub(super) detail: Detail,
    pub(super) count: u64,
    pub(super) dst: Destination,
    pub(super) sources: [Operand; 3],
}

impl Action {
    /// The arithmetic in which the step computes.
    pub(super) fn arithmetic(&self) -> Arithmetic {
        Arithmetic {
            element: self.element,
            overflow: self.overflow,
        }
    }
}
