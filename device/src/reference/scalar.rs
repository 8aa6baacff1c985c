//! One element, as a number in which its operations are easy to state.

use std::cmp::Ordering;

use hawser_abi::op::ElementType;

use super::integer;
use super::narrow::{Format, Narrow};

/// An element.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scalar {
    Integer(i128),
    Narrow(Narrow),
    Single(f32),
    Double(f64),
}

impl Scalar {
    /// The element with these bits.
    pub(super) fn from_bits(element: ElementType, bits: u64) -> Self {
        match element {
            ElementType::F32 => Self::Single(f32::from_bits(bits as u32)),
            ElementType::F64 => Self::Double(f64::from_bits(bits)),
            _ => match Format::of(element) {
                Some(format) => Self::Narrow(Narrow {
                    bits: bits as u16,
                    format,
                }),
                None => Self::Integer(integer::wrap(element, i128::from(bits))),
            },
        }
    }

    /// The bits of the element in the low bytes; those above what its type has mean nothing.
    pub(super) fn to_bits(self) -> u64 {
        match self {
            Self::Integer(value) => value as u64,
            Self::Narrow(value) => u64::from(value.bits),
            Self::Single(value) => u64::from(value.to_bits()),
            Self::Double(value) => value.to_bits(),
        }
    }

    /// The element, or the canonical NaN for any NaN.
    pub(super) fn canonical(self) -> Self {
        match self {
            Self::Narrow(value) => Self::Narrow(value.canonical()),
            Self::Single(value) => Self::Single(f32::from_bits(canonical_single(value.to_bits()))),
            Self::Double(value) => Self::Double(f64::from_bits(canonical_double(value.to_bits()))),
            Self::Integer(_) => self,
        }
    }

    /// Whether the element is not a number.
    pub(super) fn is_nan(self) -> bool {
        match self {
            Self::Integer(_) => false,
            Self::Narrow(value) => value.value().is_nan(),
            Self::Single(value) => value.is_nan(),
            Self::Double(value) => value.is_nan(),
        }
    }

    /// How two elements of one type compare; a NaN to nothing, and zeros of both signs are equal.
    pub(super) fn order(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => Some(a.cmp(&b)),
            (Self::Narrow(a), Self::Narrow(b)) => a.value().partial_cmp(&b.value()),
            (Self::Single(a), Self::Single(b)) => a.partial_cmp(&b),
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(&b),
            _ => None,
        }
    }

    /// The one of two elements of one type that is `wanted` to the other; a NaN if either is one. A negative zero is below a positive one.
    pub(super) fn extreme(self, other: Self, wanted: Ordering) -> Self {
        // The total order is that of numbers but for zeros, for which it is the one asked for, and NaNs, which do not get there.
        let order = match (self, other) {
            _ if self.is_nan() => return self.canonical(),
            _ if other.is_nan() => return other.canonical(),
            (Self::Integer(a), Self::Integer(b)) => a.cmp(&b),
            (Self::Narrow(a), Self::Narrow(b)) => a.value().total_cmp(&b.value()),
            (Self::Single(a), Self::Single(b)) => a.total_cmp(&b),
            (Self::Double(a), Self::Double(b)) => a.total_cmp(&b),
            _ => return self,
        };
        if order == wanted { self } else { other }
    }
}

/// Bits of a single-precision float, those of the canonical NaN for any NaN. Decided by bits, since an optimizer may put any NaN in the place of another.
fn canonical_single(bits: u32) -> u32 {
    match bits & 0x7FFF_FFFF {
        0..=0x7F80_0000 => bits,
        _ => 0x7FC0_0000,
    }
}

/// The same in double precision.
fn canonical_double(bits: u64) -> u64 {
    match bits & 0x7FFF_FFFF_FFFF_FFFF {
        0..=0x7FF0_0000_0000_0000 => bits,
        _ => 0x7FF8_0000_0000_0000,
    }
}
