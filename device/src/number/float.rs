//! Floats that the processor computes with.

use super::{Exact, Float, Number, Overflow, Signed};

/// What all floats have in common, of 16 bits as well: the order, the sign, and the NaN.
macro_rules! common {
    ($bits:ty, $nan:literal) => {
        #[inline(always)]
        fn from_immediate(bits: u64) -> Self {
            Self::from_bits(bits as $bits)
        }
        #[inline(always)]
        fn bits(self) -> u64 {
            self.to_bits().into()
        }
        #[inline(always)]
        fn add_saturating(self, other: Self) -> Self {
            self.add(other)
        }
        #[inline(always)]
        fn sub_saturating(self, other: Self) -> Self {
            self.sub(other)
        }
        #[inline(always)]
        fn mul_saturating(self, other: Self) -> Self {
            self.mul(other)
        }
        #[inline(always)]
        fn div_saturating(self, divisor: Self) -> Self {
            self.div(divisor)
        }
        #[inline(always)]
        fn fma_saturating(self, factor: Self, addend: Self) -> Self {
            self.fma(factor, addend)
        }
        #[inline(always)]
        fn cannot_divide(self) -> bool {
            false
        }
        #[inline(always)]
        fn minimum(self, other: Self) -> Self {
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
        fn maximum(self, other: Self) -> Self {
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
        fn canonical(self) -> Self {
            // With integers: of a float that was just computed, optimizers take `x == x ? x : NAN` for `x`, since to them one NaN is as good as another.
            let bits = self.to_bits();
            let magnitude = bits & (<$bits>::MAX >> 1);
            Self::from_bits(if magnitude > Self::INFINITY.to_bits() {
                $nan
            } else {
                bits
            })
        }
        #[inline(always)]
        fn is_nan(self) -> bool {
            self != self
        }
    };
}

macro_rules! signed {
    ($($type:ty),+) => {$(
        impl Signed for $type {
            #[inline(always)]
            fn neg(self) -> Self { (-self).canonical() }
            #[inline(always)]
            fn neg_saturating(self) -> Self { Signed::neg(self) }
            #[inline(always)]
            fn abs(self) -> Self {
                // Every bit but the sign, which is the first.
                let sign = (-<$type>::default()).to_bits();
                Self::from_bits(self.to_bits() & !sign).canonical()
            }
            #[inline(always)]
            fn abs_saturating(self) -> Self { Signed::abs(self) }
        }
    )+};
}

macro_rules! float {
    ($($type:ty, $bits:ty, $nan:literal);+ $(;)?) => {$(
        impl Number for $type {
            type Total = Self;

            common!($bits, $nan);

            #[inline(always)]
            fn add(self, other: Self) -> Self { (self + other).canonical() }
            #[inline(always)]
            fn sub(self, other: Self) -> Self { (self - other).canonical() }
            #[inline(always)]
            fn mul(self, other: Self) -> Self { (self * other).canonical() }
            #[inline(always)]
            fn div(self, divisor: Self) -> Self { (self / divisor).canonical() }
            #[inline(always)]
            fn rem(self, divisor: Self) -> Self { (self % divisor).canonical() }
            #[inline(always)]
            fn fma(self, factor: Self, addend: Self) -> Self { self.mul_add(factor, addend).canonical() }
            #[inline(always)]
            fn widen(self) -> Self { self }
            #[inline(always)]
            fn narrow(total: Self) -> Self { total.canonical() }
            #[inline(always)]
            fn exact(self) -> Exact { Exact::Float(self.into()) }
            #[inline(always)]
            fn from_exact(value: Exact, _: Overflow) -> Self {
                match value {
                    Exact::Integer(value) => value as $type,
                    Exact::Float(value) => (value as $type).canonical(),
                }
            }
        }

        impl Float for $type {
            #[inline(always)]
            fn sqrt(self) -> Self { <$type>::sqrt(self).canonical() }
        }
    )+};
}

float! {
    f32, u32, 0x7FC0_0000;
    f64, u64, 0x7FF8_0000_0000_0000;
}
signed!(f32, f64);

pub(super) use {common, signed};
