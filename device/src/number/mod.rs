//! Arithmetic of the device on one element of each type. [`crate::semantics`] states the rules.

mod float;
mod integer;
mod narrow;
mod round;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// What becomes of an integer result that its type cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Overflow {
    /// Its low bits are the result.
    Wrap,
    /// The nearest value of the type is.
    Saturate,
}

/// The value of an element, whatever its type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Exact {
    Integer(i128),
    Float(f64),
}

/// An element type of the device. The `_saturating` operations of floats are the ordinary ones.
pub(crate) trait Number: Copy + PartialOrd + FromBytes + IntoBytes + Immutable + KnownLayout {
    /// In what elements are added up.
    type Total: Number;

    /// The element in the low bits of an immediate.
    fn from_immediate(bits: u64) -> Self;
    /// The bits of the element, as an immediate has them.
    fn bits(self) -> u64;
    fn add(self, other: Self) -> Self;
    fn add_saturating(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn sub_saturating(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn mul_saturating(self, other: Self) -> Self;
    /// The quotient. A divisor for which [`Number::cannot_divide`] holds gives an arbitrary value.
    fn div(self, divisor: Self) -> Self;
    fn div_saturating(self, divisor: Self) -> Self;
    /// The remainder of the truncated quotient, with the same exception.
    fn rem(self, divisor: Self) -> Self;
    /// Whether division by this element faults.
    fn cannot_divide(self) -> bool;
    fn minimum(self, other: Self) -> Self;
    fn maximum(self, other: Self) -> Self;
    /// `self * factor + addend`
    fn fma(self, factor: Self, addend: Self) -> Self;
    fn fma_saturating(self, factor: Self, addend: Self) -> Self;
    /// The element as the result of an operation: a NaN becomes the canonical one.
    fn canonical(self) -> Self;
    fn is_nan(self) -> bool;
    /// The element as the first of a total.
    fn widen(self) -> Self::Total;
    /// The total as an element.
    fn narrow(total: Self::Total) -> Self;
    fn exact(self) -> Exact;
    /// The element for a value of another type. Floats saturate in integers whatever `overflow` says.
    fn from_exact(value: Exact, overflow: Overflow) -> Self;
}

/// An integer.
pub(crate) trait Integer: Number {
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
    fn not(self) -> Self;
    /// Shifted by the bits of `count`, which has no sign.
    fn shl(self, count: Self) -> Self;
    /// Shifted by the bits of `count`, which has no sign.
    fn shr(self, count: Self) -> Self;
}

/// A number with a sign.
pub(crate) trait Signed: Number {
    fn neg(self) -> Self;
    fn neg_saturating(self) -> Self;
    fn abs(self) -> Self;
    fn abs_saturating(self) -> Self;
}

/// A floating-point number.
pub(crate) trait Float: Signed {
    fn sqrt(self) -> Self;
}

/// Runs an expression with `$type` the Rust type of the elements.
macro_rules! with_number {
    ($element:expr, $type:ident => $run:expr) => {{
        use hawser_abi::op::ElementType;
        match $element {
            ElementType::I8 => {
                type $type = i8;
                $run
            }
            ElementType::U8 => {
                type $type = u8;
                $run
            }
            ElementType::I16 => {
                type $type = i16;
                $run
            }
            ElementType::U16 => {
                type $type = u16;
                $run
            }
            ElementType::I32 => {
                type $type = i32;
                $run
            }
            ElementType::U32 => {
                type $type = u32;
                $run
            }
            ElementType::I64 => {
                type $type = i64;
                $run
            }
            ElementType::U64 => {
                type $type = u64;
                $run
            }
            ElementType::F16 => {
                type $type = half::f16;
                $run
            }
            ElementType::BF16 => {
                type $type = half::bf16;
                $run
            }
            ElementType::F32 => {
                type $type = f32;
                $run
            }
            ElementType::F64 => {
                type $type = f64;
                $run
            }
        }
    }};
}

/// The same for types of integers; `$other` for floats.
macro_rules! with_integer {
    ($element:expr, $type:ident => $run:expr, _ => $other:expr) => {{
        use hawser_abi::op::ElementType;
        match $element {
            ElementType::I8 => {
                type $type = i8;
                $run
            }
            ElementType::U8 => {
                type $type = u8;
                $run
            }
            ElementType::I16 => {
                type $type = i16;
                $run
            }
            ElementType::U16 => {
                type $type = u16;
                $run
            }
            ElementType::I32 => {
                type $type = i32;
                $run
            }
            ElementType::U32 => {
                type $type = u32;
                $run
            }
            ElementType::I64 => {
                type $type = i64;
                $run
            }
            ElementType::U64 => {
                type $type = u64;
                $run
            }
            _ => $other,
        }
    }};
}

/// The same for types of numbers with a sign; `$other` for those without.
macro_rules! with_signed {
    ($element:expr, $type:ident => $run:expr, _ => $other:expr) => {{
        use hawser_abi::op::ElementType;
        match $element {
            ElementType::I8 => { type $type = i8; $run }
            ElementType::I16 => { type $type = i16; $run }
            ElementType::I32 => { type $type = i32; $run }
            ElementType::I64 => { type $type = i64; $run }
            other => $crate::number::with_float!(other, $type => $run, _ => $other),
        }
    }};
}

/// The same for types of floats; `$other` for integers.
macro_rules! with_float {
    ($element:expr, $type:ident => $run:expr, _ => $other:expr) => {{
        use hawser_abi::op::ElementType;
        match $element {
            ElementType::F16 => {
                type $type = half::f16;
                $run
            }
            ElementType::BF16 => {
                type $type = half::bf16;
                $run
            }
            ElementType::F32 => {
                type $type = f32;
                $run
            }
            ElementType::F64 => {
                type $type = f64;
                $run
            }
            _ => $other,
        }
    }};
}

/// Runs an expression with `$type` a type of bits as wide as the elements.
macro_rules! with_bits {
    ($element:expr, $type:ident => $run:expr) => {
        match $element.size() {
            1 => {
                type $type = u8;
                $run
            }
            2 => {
                type $type = u16;
                $run
            }
            4 => {
                type $type = u32;
                $run
            }
            _ => {
                type $type = u64;
                $run
            }
        }
    };
}

pub(crate) use {with_bits, with_float, with_integer, with_number, with_signed};
