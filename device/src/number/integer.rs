//! Integers.

use super::{Exact, Integer, Number, Overflow, Signed};

/// `$type` with an unsigned type of its width and a type that holds a product and a sum more.
macro_rules! integer {
    ($($type:ty, $unsigned:ty, $wide:ty);+ $(;)?) => {$(
        impl Number for $type {
            type Total = Self;

            #[inline(always)]
            fn from_immediate(bits: u64) -> Self { bits as $type }
            #[inline(always)]
            fn bits(self) -> u64 { u64::from(self as $unsigned) }
            #[inline(always)]
            fn add(self, other: Self) -> Self { self.wrapping_add(other) }
            #[inline(always)]
            fn add_saturating(self, other: Self) -> Self { self.saturating_add(other) }
            #[inline(always)]
            fn sub(self, other: Self) -> Self { self.wrapping_sub(other) }
            #[inline(always)]
            fn sub_saturating(self, other: Self) -> Self { self.saturating_sub(other) }
            #[inline(always)]
            fn mul(self, other: Self) -> Self { self.wrapping_mul(other) }
            #[inline(always)]
            fn mul_saturating(self, other: Self) -> Self { self.saturating_mul(other) }
            #[inline(always)]
            fn div(self, divisor: Self) -> Self {
                if divisor == 0 { 0 } else { self.wrapping_div(divisor) }
            }
            #[inline(always)]
            fn div_saturating(self, divisor: Self) -> Self {
                if divisor == 0 { 0 } else { self.saturating_div(divisor) }
            }
            #[inline(always)]
            fn rem(self, divisor: Self) -> Self {
                if divisor == 0 { 0 } else { self.wrapping_rem(divisor) }
            }
            #[inline(always)]
            fn cannot_divide(self) -> bool { self == 0 }
            #[inline(always)]
            fn minimum(self, other: Self) -> Self { Ord::min(self, other) }
            #[inline(always)]
            fn maximum(self, other: Self) -> Self { Ord::max(self, other) }
            #[inline(always)]
            fn fma(self, factor: Self, addend: Self) -> Self { self.wrapping_mul(factor).wrapping_add(addend) }
            #[inline(always)]
            fn fma_saturating(self, factor: Self, addend: Self) -> Self {
                let exact = <$wide>::from(self) * <$wide>::from(factor) + <$wide>::from(addend);
                exact.clamp(<$type>::MIN.into(), <$type>::MAX.into()) as $type
            }
            #[inline(always)]
            fn canonical(self) -> Self { self }
            #[inline(always)]
            fn is_nan(self) -> bool { false }
            #[inline(always)]
            fn widen(self) -> Self { self }
            #[inline(always)]
            fn narrow(total: Self) -> Self { total }
            #[inline(always)]
            fn exact(self) -> Exact { Exact::Integer(self.into()) }
            #[inline(always)]
            fn from_exact(value: Exact, overflow: Overflow) -> Self {
                match (value, overflow) {
                    (Exact::Integer(value), Overflow::Wrap) => value as $type,
                    (Exact::Integer(value), Overflow::Saturate) => {
                        value.clamp(<$type>::MIN.into(), <$type>::MAX.into()) as $type
                    }
                    // Towards zero, NaN to 0, and what is out of range to the nearest value.
                    (Exact::Float(value), _) => value as $type,
                }
            }
        }

        impl Integer for $type {
            #[inline(always)]
            fn and(self, other: Self) -> Self { self & other }
            #[inline(always)]
            fn or(self, other: Self) -> Self { self | other }
            #[inline(always)]
            fn xor(self, other: Self) -> Self { self ^ other }
            #[inline(always)]
            fn not(self) -> Self { !self }
            #[inline(always)]
            fn shl(self, count: Self) -> Self {
                let count = count as $unsigned;
                if u64::from(count) < u64::from(<$type>::BITS) { self << count } else { 0 }
            }
            #[inline(always)]
            fn shr(self, count: Self) -> Self {
                // One bit less than all, and one more: that leaves the sign, or nothing where there is none.
                let last = <$type>::BITS - 1;
                let count = count as $unsigned;
                if u64::from(count) <= u64::from(last) { self >> count } else { self >> last >> 1 }
            }
        }
    )+};
}

macro_rules! signed {
    ($($type:ty),+) => {$(
        impl Signed for $type {
            #[inline(always)]
            fn neg(self) -> Self { self.wrapping_neg() }
            #[inline(always)]
            fn neg_saturating(self) -> Self { self.saturating_neg() }
            #[inline(always)]
            fn abs(self) -> Self { self.wrapping_abs() }
            #[inline(always)]
            fn abs_saturating(self) -> Self { self.saturating_abs() }
        }
    )+};
}

integer! {
    i8, u8, i32;
    u8, u8, u32;
    i16, u16, i64;
    u16, u16, u64;
    i32, u32, i64;
    u32, u32, u64;
    i64, u64, i128;
    u64, u64, u128;
}
signed!(i8, i16, i32, i64);
