//! Arithmetic on one element, by way of wider numbers.
//!
//! Integers are computed exactly in 128 bits and then cut to their type. A single-precision sum, difference, product or quotient is the
//! double-precision one rounded again: double precision has more than twice the digits, so rounding twice gives what rounding once does.

use std::cmp::Ordering;

use hawser_abi::op::{ElementType, Opcode};

/// An element.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scalar {
    Integer(i128),
    Single(f32),
    Double(f64),
}

impl Scalar {
    /// The element with these bits.
    pub(super) fn from_bits(element: ElementType, bits: u64) -> Self {
        match element {
            ElementType::F32 => Self::Single(f32::from_bits(bits as u32)),
            ElementType::F64 => Self::Double(f64::from_bits(bits)),
            ElementType::I32 => Self::Integer(i128::from(bits as u32 as i32)),
            ElementType::U32 => Self::Integer(i128::from(bits as u32)),
            _ => Self::Integer(i128::from(bits as i64)),
        }
    }

    /// The bits of the element, cut to its type.
    pub(super) fn to_bits(self, element: ElementType) -> u64 {
        match self {
            Self::Integer(value) if element.size() == 4 => u64::from(value as u32),
            Self::Integer(value) => value as u64,
            Self::Single(value) => u64::from(value.to_bits()),
            Self::Double(value) => value.to_bits(),
        }
    }

    /// The element, or the canonical NaN for any NaN.
    pub(super) fn canonical(self) -> Self {
        match self {
            Self::Single(value) if value.is_nan() => Self::Single(f32::from_bits(0x7FC0_0000)),
            Self::Double(value) if value.is_nan() => Self::Double(f64::from_bits(0x7FF8_0000_0000_0000)),
            other => other,
        }
    }
}

/// `a + b`
pub(super) fn add(a: Scalar, b: Scalar) -> Scalar {
    match (a, b) {
        // Cut to 64 bits, so that no number of additions leaves 128.
        (Scalar::Integer(a), Scalar::Integer(b)) => Scalar::Integer(i128::from((a + b) as i64)),
        _ => floating(a, b, |a, b| a + b),
    }
}

/// `a <opcode> b`, or `None` for an integer division by zero.
pub(super) fn binary(opcode: Opcode, a: Scalar, b: Scalar) -> Option<Scalar> {
    Some(match (opcode, a, b) {
        (Opcode::Add, ..) => add(a, b),
        (Opcode::Sub, Scalar::Integer(a), Scalar::Integer(b)) => Scalar::Integer(a - b),
        (Opcode::Mul, Scalar::Integer(a), Scalar::Integer(b)) => Scalar::Integer(a * b),
        (Opcode::Div, Scalar::Integer(a), Scalar::Integer(b)) => Scalar::Integer(a.checked_div(b)?),
        (Opcode::Sub, ..) => floating(a, b, |a, b| a - b),
        (Opcode::Mul, ..) => floating(a, b, |a, b| a * b),
        (Opcode::Div, ..) => floating(a, b, |a, b| a / b),
        (Opcode::Min, ..) => extreme(a, b, Ordering::Less),
        _ => extreme(a, b, Ordering::Greater),
    })
}

/// `a * b + c`
pub(super) fn fma(a: Scalar, b: Scalar, c: Scalar) -> Scalar {
    match (a, b, c) {
        (Scalar::Integer(a), Scalar::Integer(b), Scalar::Integer(c)) => Scalar::Integer(a * b + c),
        (Scalar::Single(a), Scalar::Single(b), Scalar::Single(c)) => Scalar::Single(single_fma(a, b, c)).canonical(),
        (Scalar::Double(a), Scalar::Double(b), Scalar::Double(c)) => Scalar::Double(a.mul_add(b, c)).canonical(),
        _ => a,
    }
}

/// The product is exact in double precision. Its sum with `c` is rounded to odd, which keeps what a second rounding needs to know.
fn single_fma(a: f32, b: f32, c: f32) -> f32 {
    let product = f64::from(a) * f64::from(b);
    let addend = f64::from(c);
    let sum = product + addend;
    if !sum.is_finite() {
        return sum as f32;
    }
    let other = sum - product;
    let error = (product - (sum - other)) + (addend - other);
    let is_even = sum.to_bits() & 1 == 0;
    let odd = match error.partial_cmp(&0.0) {
        Some(Ordering::Greater) if is_even => towards(sum, f64::INFINITY),
        Some(Ordering::Less) if is_even => towards(sum, f64::NEG_INFINITY),
        _ => sum,
    };
    odd as f32
}

fn towards(value: f64, limit: f64) -> f64 {
    if limit > value {
        value.next_up()
    } else {
        value.next_down()
    }
}

fn floating(a: Scalar, b: Scalar, operation: impl Fn(f64, f64) -> f64) -> Scalar {
    match (a, b) {
        (Scalar::Single(a), Scalar::Single(b)) => Scalar::Single(operation(a.into(), b.into()) as f32).canonical(),
        (Scalar::Double(a), Scalar::Double(b)) => Scalar::Double(operation(a, b)).canonical(),
        _ => a,
    }
}

/// The one of `a` and `b` that is `wanted` to the other; a NaN if either is one. The total order puts -0 below +0.
fn extreme(a: Scalar, b: Scalar, wanted: Ordering) -> Scalar {
    let (order, has_nan) = match (a, b) {
        (Scalar::Integer(a), Scalar::Integer(b)) => (a.cmp(&b), false),
        (Scalar::Single(a), Scalar::Single(b)) => (a.total_cmp(&b), a.is_nan() || b.is_nan()),
        (Scalar::Double(a), Scalar::Double(b)) => (a.total_cmp(&b), a.is_nan() || b.is_nan()),
        _ => return a,
    };
    match (has_nan, a) {
        (true, Scalar::Single(_)) => Scalar::Single(f32::NAN).canonical(),
        (true, _) => Scalar::Double(f64::NAN).canonical(),
        (false, _) if order == wanted => a,
        (false, _) => b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fused_single_precision_agrees_with_the_fused_instruction() {
        // A stride through bit patterns that reaches signs, zeros, subnormals, infinities and NaNs.
        let mut state = 1u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let bits = (state >> 32) as u32;
            match state >> 29 & 3 {
                0 => f32::from_bits(bits),
                1 => f32::from_bits(bits & 0x807F_FFFF),
                _ => f32::from_bits(bits & 0x80FF_FFFF | 0x3F00_0000),
            }
        };
        for _ in 0..200_000 {
            let (a, b, c) = (next(), next(), next());
            let (ours, fused) = (single_fma(a, b, c), a.mul_add(b, c));
            assert!(
                ours.to_bits() == fused.to_bits() || (ours.is_nan() && fused.is_nan()),
                "{a:e} * {b:e} + {c:e}: {ours:e}, {fused:e}"
            );
        }
    }

    #[test]
    fn fused_single_precision_is_rounded_once() {
        // The product is half a unit in the last place above 1: the tiny addend decides which way it goes.
        let a = 1.0 + f32::EPSILON / 2.0 * 4096.0;
        let b = 1.0 - f32::EPSILON / 2.0 * 4096.0 + f32::EPSILON;
        assert_eq!(single_fma(a, b, 1e-30), a.mul_add(b, 1e-30));
        assert_eq!(single_fma(a, b, -1e-30), a.mul_add(b, -1e-30));
    }
}
