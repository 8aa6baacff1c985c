//! Arithmetic of the device on one element of each type it computes with. [`crate::semantics`] states the rules.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// An element type of the device.
pub(crate) trait Number: Copy + PartialEq + FromBytes + IntoBytes + Immutable + KnownLayout {
    /// The element in the low bytes of an immediate.
    fn from_immediate(bits: u64) -> Self;
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    /// The quotient. A divisor for which [`Number::cannot_divide`] holds gives an arbitrary value.
    fn div(self, divisor: Self) -> Self;
    /// Whether division by this element faults.
    fn cannot_divide(self) -> bool;
    fn min(self, other: Self) -> Self;
    fn max(self, other: Self) -> Self;
    /// `self * factor + addend`
    fn fma(self, factor: Self, addend: Self) -> Self;
    /// The element as the result of an operation: a NaN becomes the canonical one.
    fn canonical(self) -> Self;
}

macro_rules! integer {
    ($($type:ty),+) => {$(
        impl Number for $type {
            #[inline(always)]
            fn from_immediate(bits: u64) -> Self { bits as $type }
            #[inline(always)]
            fn add(self, other: Self) -> Self { self.wrapping_add(other) }
            #[inline(always)]
            fn sub(self, other: Self) -> Self { self.wrapping_sub(other) }
            #[inline(always)]
            fn mul(self, other: Self) -> Self { self.wrapping_mul(other) }
            #[inline(always)]
            fn div(self, divisor: Self) -> Self {
                if divisor == 0 { 0 } else { self.wrapping_div(divisor) }
            }
            #[inline(always)]
            fn cannot_divide(self) -> bool { self == 0 }
            #[inline(always)]
            fn min(self, other: Self) -> Self { Ord::min(self, other) }
            #[inline(always)]
            fn max(self, other: Self) -> Self { Ord::max(self, other) }
            #[inline(always)]
            fn fma(self, factor: Self, addend: Self) -> Self { self.wrapping_mul(factor).wrapping_add(addend) }
            #[inline(always)]
            fn canonical(self) -> Self { self }
        }
    )+};
}

macro_rules! float {
    ($($type:ty, $bits:ty, $nan:literal);+ $(;)?) => {$(
        impl Number for $type {
            #[inline(always)]
            fn from_immediate(bits: u64) -> Self { Self::from_bits(bits as $bits) }
            #[inline(always)]
            fn add(self, other: Self) -> Self { (self + other).canonical() }
            #[inline(always)]
            fn sub(self, other: Self) -> Self { (self - other).canonical() }
            #[inline(always)]
            fn mul(self, other: Self) -> Self { (self * other).canonical() }
            #[inline(always)]
            fn div(self, divisor: Self) -> Self { (self / divisor).canonical() }
            #[inline(always)]
            fn cannot_divide(self) -> bool { false }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                if self < other {
                    self
                } else if other < self {
                    other
                } else if self == other {
                    // Equal values differ at most in the sign of zero: either sign bit makes the result negative.
                    Self::from_bits(self.to_bits() | other.to_bits())
                } else {
                    Self::from_bits($nan)
                }
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                if self > other {
                    self
                } else if other > self {
                    other
                } else if self == other {
                    Self::from_bits(self.to_bits() & other.to_bits())
                } else {
                    Self::from_bits($nan)
                }
            }
            #[inline(always)]
            fn fma(self, factor: Self, addend: Self) -> Self { self.mul_add(factor, addend).canonical() }
            #[inline(always)]
            fn canonical(self) -> Self {
                if self == self { self } else { Self::from_bits($nan) }
            }
        }
    )+};
}

integer!(i32, u32, i64);
float! {
    f32, u32, 0x7FC0_0000;
    f64, u64, 0x7FF8_0000_0000_0000;
}
