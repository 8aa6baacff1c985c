//! Exact numbers, from which a result of a narrow format is rounded once.
//!
//! A number is a whole number of powers of two. Sums and products of a few narrow numbers are that; of a quotient or a square root, so many
//! digits are computed that what lies beyond them only matters for whether there is anything at all: a last binary digit of one says so.

/// Digits by which terms of a sum may lie apart before the smaller one can no longer be told from any other that is as small.
const FARTHEST: u32 = 96;

/// `magnitude * 2^exponent`, negated if `negative`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exact {
    pub(super) negative: bool,
    pub(super) magnitude: u128,
    pub(super) exponent: i32,
}

impl Exact {
    /// The number that a finite `value` is, with as few digits as can be.
    pub(super) fn from_double(value: f64) -> Self {
        let bits = value.to_bits();
        let (field, digits) = (bits >> 52 & 0x7FF, bits & ((1 << 52) - 1));
        let (magnitude, exponent) = match field {
            0 => (digits, -1074),
            field => (digits | 1 << 52, field as i32 - 1075),
        };
        Self {
            negative: value.is_sign_negative(),
            magnitude: u128::from(magnitude),
            exponent,
        }
        .shortest()
    }

    /// An integer.
    pub(super) fn from_integer(value: i128) -> Self {
        Self {
            negative: value < 0,
            magnitude: value.unsigned_abs(),
            exponent: 0,
        }
    }

    fn shortest(self) -> Self {
        if self.magnitude == 0 {
            return self;
        }
        let zeros = self.magnitude.trailing_zeros();
        Self {
            magnitude: self.magnitude >> zeros,
            exponent: self.exponent + zeros as i32,
            ..self
        }
    }

    /// The product of two numbers of at most 53 digits.
    pub(super) fn times(self, other: Self) -> Self {
        Self {
            negative: self.negative != other.negative,
            magnitude: self.magnitude * other.magnitude,
            exponent: self.exponent + other.exponent,
        }
    }

    /// The sum of two numbers of at most 22 digits, for rounding to at most 11.
    ///
    /// It is exact unless one is smaller than the last digit of the other by more than 2^74. Between the larger one and the sum there is then
    /// neither a number of 11 digits nor a middle between two, nor is there if the smaller one is replaced by one of [`FARTHEST`] places below.
    pub(super) fn plus(self, other: Self) -> Self {
        if self.magnitude == 0 {
            return other;
        }
        if other.magnitude == 0 {
            return self;
        }
        let (high, low) = if self.exponent >= other.exponent {
            (self, other)
        } else {
            (other, self)
        };
        let signed = |number: Self, magnitude: u128| {
            if number.negative {
                -(magnitude as i128)
            } else {
                magnitude as i128
            }
        };
        let distance = high.exponent.abs_diff(low.exponent);
        let (sum, exponent) = if distance <= FARTHEST {
            (
                signed(high, high.magnitude << distance) + signed(low, low.magnitude),
                low.exponent,
            )
        } else {
            let sum = signed(high, high.magnitude << FARTHEST) + signed(low, 1);
            (sum, high.exponent - FARTHEST as i32)
        };
        Self {
            exponent,
            ..Self::from_integer(sum)
        }
    }

    /// The quotient of two numbers of at most 22 digits, neither of which is zero, to at least 64 digits.
    pub(super) fn over(self, divisor: Self) -> Self {
        let dividend = self.magnitude << 88;
        let quotient = dividend / divisor.magnitude;
        let is_more = !dividend.is_multiple_of(divisor.magnitude);
        Self {
            negative: self.negative != divisor.negative,
            magnitude: quotient << 1 | u128::from(is_more),
            exponent: self.exponent - divisor.exponent - 89,
        }
    }

    /// The square root of a number of at most 22 digits that is above zero, to at least 50 digits.
    pub(super) fn square_root(self) -> Self {
        let shift = 100 + self.exponent.rem_euclid(2);
        let square = self.magnitude << shift;
        let root = square.isqrt();
        let is_more = root * root != square;
        Self {
            negative: false,
            magnitude: root << 1 | u128::from(is_more),
            exponent: (self.exponent - shift) / 2 - 1,
        }
    }

    /// The whole number of units of `2^unit` that is nearest to the magnitude; of two, the even one.
    pub(super) fn units(self, unit: i32) -> u128 {
        let dropped = match u32::try_from(unit - self.exponent) {
            Ok(0) | Err(_) => return self.magnitude << self.exponent.abs_diff(unit).min(127),
            Ok(dropped) => dropped,
        };
        if dropped > 127 {
            // Less than half a unit, as there are never 128 digits.
            return 0;
        }
        let whole = self.magnitude >> dropped;
        let rest = self.magnitude - (whole << dropped);
        let half = 1 << (dropped - 1);
        let is_up = rest > half || (rest == half && whole % 2 == 1);
        whole + u128::from(is_up)
    }

    /// The exponent of the highest digit of a number that is not zero.
    pub(super) fn highest(self) -> i32 {
        self.exponent + self.magnitude.checked_ilog2().unwrap_or(0) as i32
    }
}

/// `2^exponent`, for the exponents that double precision has.
pub(super) fn power_of_two(exponent: i32) -> f64 {
    match exponent {
        ..-1074 => 0.0,
        -1074..-1022 => f64::from_bits(1 << (exponent + 1074)),
        -1022..1024 => f64::from_bits(((exponent + 1023) as u64) << 52),
        1024.. => f64::INFINITY,
    }
}

/// What is left of `x` after as much of `y` as goes into it a whole number of times, with the sign of `x`: `fmod`, which is exact.
pub(super) fn remainder(x: f64, y: f64) -> f64 {
    if x.is_nan() || y.is_nan() || x.is_infinite() || y == 0.0 {
        return f64::NAN;
    }
    if x == 0.0 || y.is_infinite() {
        return x;
    }
    let (dividend, divisor) = (Exact::from_double(x), Exact::from_double(y));
    let rest = match u32::try_from(divisor.exponent - dividend.exponent) {
        // Too large a divisor to go into the dividend at all.
        Ok(54..) => return x,
        Ok(places) => dividend.magnitude % (divisor.magnitude << places),
        Err(_) => {
            let places = dividend.exponent.abs_diff(divisor.exponent);
            shifted_modulo(dividend.magnitude, places, divisor.magnitude)
        }
    };
    let unit = power_of_two(dividend.exponent.min(divisor.exponent));
    (rest as f64 * unit).copysign(x)
}

/// `number * 2^places` modulo a number below 2^53.
fn shifted_modulo(number: u128, places: u32, modulus: u128) -> u128 {
    let mut rest = number % modulus;
    let mut left = places;
    while left > 0 {
        let now = left.min(64);
        rest = (rest << now) % modulus;
        left -= now;
    }
    rest
}
