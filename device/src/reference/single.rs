//! The fused multiplication and addition of single precision, by way of double precision.

use std::cmp::Ordering;

/// `a * b + c`, rounded once.
///
/// The product is exact in double precision. Its sum with `c` is rounded to odd, which keeps what a second rounding needs to know.
pub(super) fn fma(a: f32, b: f32, c: f32) -> f32 {
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
            let (ours, fused) = (fma(a, b, c), a.mul_add(b, c));
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
        assert_eq!(fma(a, b, 1e-30), a.mul_add(b, 1e-30));
        assert_eq!(fma(a, b, -1e-30), a.mul_add(b, -1e-30));
    }
}
