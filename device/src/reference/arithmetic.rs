//! Arithmetic on elements of one type, by way of wider numbers.
//!
//! Integers are computed in 128 bits and then fitted to their type. A single-precision sum, difference, product, quotient or square root is the
//! double-precision one rounded again: double precision has more than twice the digits, so rounding twice gives what rounding once does.

use std::cmp::Ordering;

use hawser_abi::op::{ElementType, Opcode};

use super::action::Overflow;
use super::exact::{Exact, remainder};
use super::integer;
use super::narrow::Format;
use super::scalar::Scalar;
use super::single;

/// An integer was divided by zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DividedByZero;

/// The type of results, and what becomes of integers that it cannot hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arithmetic {
    pub(super) element: ElementType,
    pub(super) overflow: Overflow,
}

impl Arithmetic {
    fn fit(self, exact: i128) -> Scalar {
        Scalar::Integer(match self.overflow {
            Overflow::Wrap => integer::wrap(self.element, exact),
            Overflow::Saturate => integer::clamp(self.element, exact),
        })
    }

    /// `<opcode> a`, of an operation with one source that computes.
    pub(super) fn unary(self, opcode: Opcode, a: Scalar) -> Scalar {
        match (opcode, a) {
            (Opcode::Convert, _) => self.convert(a),
            (Opcode::Not, Scalar::Integer(a)) => self.fit(!a),
            (Opcode::Neg, Scalar::Integer(a)) => self.fit(-a),
            (Opcode::Neg, Scalar::Narrow(a)) => Scalar::Narrow(a.negated()),
            (Opcode::Neg, Scalar::Single(a)) => Scalar::Single(-a).canonical(),
            (Opcode::Neg, Scalar::Double(a)) => Scalar::Double(-a).canonical(),
            (Opcode::Abs, Scalar::Integer(a)) => self.fit(a.abs()),
            (Opcode::Abs, Scalar::Narrow(a)) => Scalar::Narrow(a.absolute()),
            (Opcode::Abs, Scalar::Single(a)) => Scalar::Single(a.abs()).canonical(),
            (Opcode::Abs, Scalar::Double(a)) => Scalar::Double(a.abs()).canonical(),
            (_, Scalar::Narrow(a)) => Scalar::Narrow(a.square_root()),
            (_, Scalar::Single(a)) => Scalar::Single(f64::from(a).sqrt() as f32).canonical(),
            (_, Scalar::Double(a)) => Scalar::Double(a.sqrt()).canonical(),
            (_, Scalar::Integer(_)) => a,
        }
    }

    /// `a <opcode> b`
    pub(super) fn binary(self, opcode: Opcode, a: Scalar, b: Scalar) -> Result<Scalar, DividedByZero> {
        Ok(match (opcode, a, b) {
            (Opcode::Add, ..) => self.add(a, b),
            (Opcode::Min, ..) => a.extreme(b, Ordering::Less),
            (Opcode::Max, ..) => a.extreme(b, Ordering::Greater),
            (_, Scalar::Integer(a), Scalar::Integer(b)) => self.integers(opcode, a, b)?,
            (Opcode::Sub, Scalar::Narrow(a), Scalar::Narrow(b)) => Scalar::Narrow(a - b),
            (Opcode::Mul, Scalar::Narrow(a), Scalar::Narrow(b)) => Scalar::Narrow(a * b),
            (Opcode::Div, Scalar::Narrow(a), Scalar::Narrow(b)) => Scalar::Narrow(a / b),
            (_, Scalar::Narrow(a), Scalar::Narrow(b)) => Scalar::Narrow(a % b),
            (Opcode::Sub, ..) => wide(a, b, |a, b| a - b),
            (Opcode::Mul, ..) => wide(a, b, |a, b| a * b),
            (Opcode::Div, ..) => wide(a, b, |a, b| a / b),
            _ => wide(a, b, remainder),
        })
    }

    /// `a + b`
    pub(super) fn add(self, a: Scalar, b: Scalar) -> Scalar {
        match (a, b) {
            (Scalar::Integer(a), Scalar::Integer(b)) => self.fit(a + b),
            (Scalar::Narrow(a), Scalar::Narrow(b)) => Scalar::Narrow(a + b),
            _ => wide(a, b, |a, b| a + b),
        }
    }

    fn integers(self, opcode: Opcode, a: i128, b: i128) -> Result<Scalar, DividedByZero> {
        Ok(self.fit(match opcode {
            Opcode::Sub => a - b,
            Opcode::Mul => self.multiply_add(a, b, 0),
            Opcode::Div => a.checked_div(b).ok_or(DividedByZero)?,
            Opcode::Rem => a.checked_rem(b).ok_or(DividedByZero)?,
            Opcode::And => a & b,
            Opcode::Or => a | b,
            Opcode::Xor => a ^ b,
            Opcode::Shl => integer::shift_left(self.element, a, integer::unsigned(self.element, b)),
            _ => integer::shift_right(a, integer::unsigned(self.element, b)),
        }))
    }

    /// Only products of two numbers of 64 bits without a sign do not fit in 128 bits with one. Cut there, the low bits are right; held there,
    /// it is still beyond any type's range, as what is added then is not negative.
    fn multiply_add(self, a: i128, b: i128, c: i128) -> i128 {
        match self.overflow {
            Overflow::Wrap => a.wrapping_mul(b).wrapping_add(c),
            Overflow::Saturate => a.saturating_mul(b).saturating_add(c),
        }
    }

    /// `a * b + c`
    pub(super) fn fma(self, a: Scalar, b: Scalar, c: Scalar) -> Scalar {
        match (a, b, c) {
            (Scalar::Integer(a), Scalar::Integer(b), Scalar::Integer(c)) => self.fit(self.multiply_add(a, b, c)),
            (Scalar::Narrow(a), Scalar::Narrow(b), Scalar::Narrow(c)) => Scalar::Narrow(a.fused(b, c)),
            (Scalar::Single(a), Scalar::Single(b), Scalar::Single(c)) => {
                Scalar::Single(single::fma(a, b, c)).canonical()
            }
            (Scalar::Double(a), Scalar::Double(b), Scalar::Double(c)) => Scalar::Double(a.mul_add(b, c)).canonical(),
            _ => a,
        }
    }

    /// `a`, which is of any type, as a number of the type of results.
    pub(super) fn convert(self, a: Scalar) -> Scalar {
        match a {
            Scalar::Integer(value) => self.integer(value),
            Scalar::Narrow(value) => self.double(value.value()),
            Scalar::Single(value) => self.double(value.into()),
            Scalar::Double(value) => self.double(value),
        }
    }

    fn integer(self, value: i128) -> Scalar {
        match self.element {
            ElementType::F32 => Scalar::Single(value as f32),
            ElementType::F64 => Scalar::Double(value as f64),
            element => match Format::of(element) {
                Some(format) => Scalar::Narrow(format.nearest(Exact::from_integer(value))),
                None => self.fit(value),
            },
        }
    }

    fn double(self, value: f64) -> Scalar {
        match self.element {
            ElementType::F32 => Scalar::Single(value as f32).canonical(),
            ElementType::F64 => Scalar::Double(value).canonical(),
            element => match Format::of(element) {
                Some(format) => Scalar::Narrow(format.nearest_to_double(value)),
                // The cast goes towards zero and clamps too, and makes zero of a NaN.
                None => Scalar::Integer(integer::clamp(element, value as i128)),
            },
        }
    }

    /// An element as the accumulator of a reduction holds it: narrow ones in single precision.
    pub(super) fn accumulator(self, element: Scalar) -> Scalar {
        match element {
            Scalar::Narrow(value) => Scalar::Single(value.value() as f32),
            other => other,
        }
    }

    /// The accumulator of a reduction before its first product.
    pub(super) fn zero(self) -> Scalar {
        self.accumulator(Scalar::from_bits(self.element, 0))
    }

    /// An accumulator as an element.
    pub(super) fn result(self, accumulator: Scalar) -> Scalar {
        match accumulator {
            Scalar::Single(value) if Format::of(self.element).is_some() => self.double(value.into()),
            other => other.canonical(),
        }
    }
}

fn wide(a: Scalar, b: Scalar, operation: impl Fn(f64, f64) -> f64) -> Scalar {
    match (a, b) {
        (Scalar::Single(a), Scalar::Single(b)) => Scalar::Single(operation(a.into(), b.into()) as f32).canonical(),
        (Scalar::Double(a), Scalar::Double(b)) => Scalar::Double(operation(a, b)).canonical(),
        _ => a,
    }
}
