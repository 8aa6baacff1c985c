//! Floats of 16 bits.
//!
//! Their values, and the products of two of them, are exact in `f64`; what is not is rounded to odd there, or is so much more precise than
//! 16 bits that a second rounding changes nothing (see [`super::round`]). Each result is therefore rounded once.

use half::{bf16, f16};

use super::float::{common, signed};
use super::round::{integer_to_odd, sum_to_odd, to_odd};
use super::{Exact, Float, Number, Overflow, Signed};

macro_rules! narrow {
    ($($type:ty, $nan:literal);+ $(;)?) => {$(
        impl Rounded for $type {
            #[inline(always)]
            fn rounded(value: f64) -> Self { <$type>::from_f32(to_odd(value)).canonical() }
        }

        impl Number for $type {
            type Total = f32;

            common!(u16, $nan);

            #[inline(always)]
            fn add(self, other: Self) -> Self { Self::rounded(sum_to_odd(self.to_f64(), other.to_f64())) }
            #[inline(always)]
            fn sub(self, other: Self) -> Self { Self::rounded(sum_to_odd(self.to_f64(), -other.to_f64())) }
            #[inline(always)]
            fn mul(self, other: Self) -> Self { Self::rounded(self.to_f64() * other.to_f64()) }
            #[inline(always)]
            fn div(self, divisor: Self) -> Self { Self::rounded(self.to_f64() / divisor.to_f64()) }
            #[inline(always)]
            fn rem(self, divisor: Self) -> Self { Self::rounded(self.to_f64() % divisor.to_f64()) }
            #[inline(always)]
            fn fma(self, factor: Self, addend: Self) -> Self {
                Self::rounded(sum_to_odd(self.to_f64() * factor.to_f64(), addend.to_f64()))
            }
            #[inline(always)]
            fn widen(self) -> f32 { self.to_f32() }
            #[inline(always)]
            fn narrow(total: f32) -> Self { <$type>::from_f32(total).canonical() }
            #[inline(always)]
            fn exact(self) -> Exact { Exact::Float(self.to_f64()) }
            #[inline(always)]
            fn from_exact(value: Exact, _: Overflow) -> Self {
                match value {
                    Exact::Integer(value) => Self::rounded(integer_to_odd(value)),
                    Exact::Float(value) => Self::rounded(value),
                }
            }
        }

        impl Float for $type {
            #[inline(always)]
            fn sqrt(self) -> Self { Self::rounded(self.to_f64().sqrt()) }
        }
    )+};
}

/// A type to which `f64` is rounded.
trait Rounded {
    /// The nearest element, ties to even.
    fn rounded(value: f64) -> Self;
}

narrow! {
    f16, 0x7E00;
    bf16, 0x7FC0;
}
signed!(f16, bf16);
