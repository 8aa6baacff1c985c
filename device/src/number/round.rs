//! Rounding to odd, which makes a second rounding harmless.
//!
//! A value that cannot be represented is rounded to odd by taking, of its two neighbours, the one whose last bit is 1. Rounding that to a
//! format with at least two bits less, to nearest, gives what rounding the exact value at once would: the last bit tells that there was
//! more, and a value that is not half-way never looks as if it were. Here values go from exact to `f64` (53 bits) to `f32` (24 bits) to
//! `f16` or `bf16` (11 or 8 bits; subnormals of `bf16` end 16 bits above those of `f32`).
//!
//! Quotients and square roots of 16-bit floats are rounded to nearest in `f64`. That is harmless too: such a result is either exact or
//! differs from every half-way point of the narrow format by more than `f64` resolves, because 53 is at least twice 11 and two more.

/// The sum of two numbers, rounded to odd. Neither it nor the difference to the exact sum may be out of range, as those of 16-bit floats
/// and their products never are.
#[inline(always)]
pub(super) fn sum_to_odd(x: f64, y: f64) -> f64 {
    let sum = x + y;
    // What the sum lacks is a number itself (Knuth).
    let y_in_sum = sum - x;
    let lacking = (x - (sum - y_in_sum)) + (y - y_in_sum);
    let even = sum.to_bits() & 1 == 0;
    if sum.is_finite() && even && lacking != 0.0 {
        // The neighbour towards the exact sum, whose last bit is 1.
        let away_from_zero = (lacking > 0.0) == (sum > 0.0);
        let bits = sum.to_bits();
        f64::from_bits(if away_from_zero { bits + 1 } else { bits - 1 })
    } else {
        sum
    }
}

/// The number as `f32`, rounded to odd.
#[inline(always)]
pub(super) fn to_odd(value: f64) -> f32 {
    let near = value as f32;
    let even = near.to_bits() & 1 == 0;
    let near_value = f64::from(near);
    if even && near_value != value && !value.is_nan() {
        // An infinity is even as well: what is too large becomes the largest number, which is odd and rounds up again.
        let away_from_zero = near_value.abs() < value.abs();
        let bits = near.to_bits();
        f32::from_bits(if away_from_zero { bits + 1 } else { bits - 1 })
    } else {
        near
    }
}

/// An integer of at most 65 bits as `f64`, rounded to odd.
#[inline(always)]
pub(super) fn integer_to_odd(value: i128) -> f64 {
    let high = (value >> 32) as f64 * 4_294_967_296.0;
    let low = (value & 0xFFFF_FFFF) as f64;
    sum_to_odd(high, low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_keep_a_trace_of_what_is_lost() {
        let tiny = f64::from_bits(1);
        assert_eq!(sum_to_odd(1.0, 2.0), 3.0);
        assert_eq!(sum_to_odd(1.0, tiny), 1.0 + f64::EPSILON);
        assert_eq!(sum_to_odd(1.0, -tiny), 1.0 - f64::EPSILON / 2.0);
        assert_eq!(sum_to_odd(-1.0, -tiny), -1.0 - f64::EPSILON);
        assert_eq!(sum_to_odd(tiny, 1.0), 1.0 + f64::EPSILON);
        assert_eq!(sum_to_odd(0.0, -0.0).to_bits(), 0);
        assert_eq!(sum_to_odd(f64::INFINITY, 1.0), f64::INFINITY);
        assert!(sum_to_odd(f64::INFINITY, f64::NEG_INFINITY).is_nan());
    }

    #[test]
    fn singles_keep_a_trace_of_what_is_lost() {
        assert_eq!(to_odd(1.5), 1.5);
        assert_eq!(to_odd(1.0 + 1e-12), 1.0 + f32::EPSILON);
        assert_eq!(to_odd(1.0 - 1e-12), 1.0 - f32::EPSILON / 2.0);
        assert_eq!(to_odd(1e300), f32::MAX);
        assert_eq!(to_odd(-1e300), -f32::MAX);
        assert_eq!(to_odd(1e-300), f32::from_bits(1));
        assert_eq!(to_odd(f64::INFINITY), f32::INFINITY);
        assert_eq!(to_odd(-0.0).to_bits(), 0x8000_0000);
        assert!(to_odd(f64::NAN).is_nan());
    }

    #[test]
    fn integers_keep_a_trace_of_what_is_lost() {
        assert_eq!(
            integer_to_odd(i128::from(u64::MAX)),
            f64::from_bits(0x43EF_FFFF_FFFF_FFFF)
        );
        assert_eq!(integer_to_odd(i128::from(i64::MIN)), -9_223_372_036_854_775_808.0);
        let odd = f64::from_bits(((1_u64 << 60) as f64).to_bits() + 1);
        assert_eq!(integer_to_odd((1 << 60) + 1), odd);
        assert_eq!(integer_to_odd(-3), -3.0);
        assert_eq!(integer_to_odd(0).to_bits(), 0);
    }
}
