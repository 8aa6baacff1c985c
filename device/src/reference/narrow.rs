//! `f16` and `bf16`: every operation is exact and then rounded once, to nearest, ties to even.
//!
//! Numbers of either format are numbers of double precision, in which no result of theirs is too large or too small: there it is zero, infinite
//! or not a number only where it is so exactly, with the right sign. For other results only the digits are computed here.

use std::ops::{Add, Div, Mul, Rem, Sub};

use hawser_abi::op::ElementType;

use super::exact::{Exact, power_of_two, remainder};

/// One of the two formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Format {
    /// Binary digits of a normal number, with the first one, which is not stored.
    digits: u32,
    /// Exponent of the last digit of subnormal numbers.
    unit: i32,
    /// Bits of infinity.
    infinity: u16,
    /// Bits of the canonical NaN.
    nan: u16,
}

/// IEEE 754 binary16.
pub(super) const F16: Format = Format {
    digits: 11,
    unit: -24,
    infinity: 0x7C00,
    nan: 0x7E00,
};

/// bfloat16.
pub(super) const BF16: Format = Format {
    digits: 8,
    unit: -133,
    infinity: 0x7F80,
    nan: 0x7FC0,
};

const SIGN: u16 = 0x8000;

impl Format {
    /// The format of an element type, if it is a narrow one.
    pub(super) fn of(element: ElementType) -> Option<Self> {
        match element {
            ElementType::F16 => Some(F16),
            ElementType::BF16 => Some(BF16),
            _ => None,
        }
    }

    /// The number of this format that is nearest to `exact`.
    pub(super) fn nearest(self, exact: Exact) -> Narrow {
        if exact.magnitude == 0 {
            return Narrow { bits: 0, format: self };
        }
        let unit = (exact.highest() - (self.digits as i32 - 1)).max(self.unit);
        // Of a normal number the first digit adds one to the exponent field: it begins at one. A carry out of all digits does as well.
        let field = u128::from(unit.abs_diff(self.unit)) << (self.digits - 1);
        let bits = (field + exact.units(unit)).min(u128::from(self.infinity)) as u16;
        Narrow {
            bits: if exact.negative { bits | SIGN } else { bits },
            format: self,
        }
    }

    /// The number of this format that is nearest to `value`.
    pub(super) fn nearest_to_double(self, value: f64) -> Narrow {
        self.result(value, || Exact::from_double(value))
    }

    /// The result of an operation: `value` is it where it has no digits, else `exact` tells.
    fn result(self, value: f64, exact: impl FnOnce() -> Exact) -> Narrow {
        let sign = if value.is_sign_negative() { SIGN } else { 0 };
        let bits = if value.is_nan() {
            self.nan
        } else if value.is_infinite() {
            self.infinity | sign
        } else if value == 0.0 {
            sign
        } else {
            return self.nearest(exact());
        };
        Narrow { bits, format: self }
    }
}

/// A number of a narrow format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Narrow {
    pub(super) bits: u16,
    pub(super) format: Format,
}

impl Narrow {
    /// The same number in double precision.
    pub(super) fn value(self) -> f64 {
        let Format {
            digits, unit, infinity, ..
        } = self.format;
        let magnitude = self.bits & !SIGN;
        let value = if magnitude > infinity {
            f64::NAN
        } else if magnitude == infinity {
            f64::INFINITY
        } else {
            let hidden = 1 << (digits - 1);
            let fraction = magnitude & (hidden - 1);
            match i32::from(magnitude >> (digits - 1)) {
                0 => f64::from(fraction) * power_of_two(unit),
                field => f64::from(hidden | fraction) * power_of_two(unit + field - 1),
            }
        };
        if self.bits & SIGN == 0 { value } else { -value }
    }

    fn exact(self) -> Exact {
        Exact::from_double(self.value())
    }

    /// The number, or the canonical NaN for any NaN.
    pub(super) fn canonical(self) -> Self {
        let is_nan = self.bits & !SIGN > self.format.infinity;
        Self {
            bits: if is_nan { self.format.nan } else { self.bits },
            ..self
        }
    }

    /// The number with its sign flipped.
    pub(super) fn negated(self) -> Self {
        let bits = self.bits ^ SIGN;
        Self { bits, ..self }.canonical()
    }

    /// The number without its sign.
    pub(super) fn absolute(self) -> Self {
        let bits = self.bits & !SIGN;
        Self { bits, ..self }.canonical()
    }

    /// The square root.
    pub(super) fn square_root(self) -> Self {
        self.format.result(self.value().sqrt(), || self.exact().square_root())
    }

    /// `self * b + c`
    pub(super) fn fused(self, b: Self, c: Self) -> Self {
        let product = self.value() * b.value();
        let exact = || self.exact().times(b.exact()).plus(c.exact());
        self.format.result(product + c.value(), exact)
    }
}

impl Add for Narrow {
    type Output = Self;

    fn add(self, b: Self) -> Self {
        self.format
            .result(self.value() + b.value(), || self.exact().plus(b.exact()))
    }
}

impl Sub for Narrow {
    type Output = Self;

    fn sub(self, b: Self) -> Self {
        let exact = || self.exact().plus(b.negated().exact());
        self.format.result(self.value() - b.value(), exact)
    }
}

impl Mul for Narrow {
    type Output = Self;

    fn mul(self, b: Self) -> Self {
        self.format
            .result(self.value() * b.value(), || self.exact().times(b.exact()))
    }
}

impl Div for Narrow {
    type Output = Self;

    fn div(self, b: Self) -> Self {
        self.format
            .result(self.value() / b.value(), || self.exact().over(b.exact()))
    }
}

impl Rem for Narrow {
    type Output = Self;

    fn rem(self, b: Self) -> Self {
        self.format.nearest_to_double(remainder(self.value(), b.value()))
    }
}
