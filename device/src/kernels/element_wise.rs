//! Operations that compute an element from the elements at its place.

use hawser_abi::op::Predicate;

use crate::number::{Float, Integer, Number, Overflow, Signed};

/// An operation on two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Min,
    Max,
}

/// An operation on the bits of two integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bitwise {
    And,
    Or,
    Xor,
    Shl,
    Shr,
}

/// An operation on the sign of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Neg,
    Abs,
}

/// Index of the element whose divisor is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ZeroDivisor(pub(crate) usize);

/// `dst[i] = a[i] <operation> b[i]`. After an error `dst` is as it was.
pub(crate) fn binary<T: Number>(
    (operation, overflow): (Binary, Overflow),
    dst: &mut [T],
    a: &[T],
    b: &[T],
) -> Result<(), ZeroDivisor> {
    let divides = matches!(operation, Binary::Div | Binary::Rem);
    if divides && let Some(index) = b.iter().position(|divisor| divisor.cannot_divide()) {
        return Err(ZeroDivisor(index));
    }
    match (operation, overflow) {
        (Binary::Add, Overflow::Wrap) => map(dst, a, b, T::add),
        (Binary::Add, Overflow::Saturate) => map(dst, a, b, T::add_saturating),
        (Binary::Sub, Overflow::Wrap) => map(dst, a, b, T::sub),
        (Binary::Sub, Overflow::Saturate) => map(dst, a, b, T::sub_saturating),
        (Binary::Mul, Overflow::Wrap) => map(dst, a, b, T::mul),
        (Binary::Mul, Overflow::Saturate) => map(dst, a, b, T::mul_saturating),
        (Binary::Div, Overflow::Wrap) => map(dst, a, b, T::div),
        (Binary::Div, Overflow::Saturate) => map(dst, a, b, T::div_saturating),
        (Binary::Rem, _) => map(dst, a, b, T::rem),
        (Binary::Min, _) => map(dst, a, b, T::minimum),
        (Binary::Max, _) => map(dst, a, b, T::maximum),
    }
    Ok(())
}

/// `dst[i] = a[i] <operation> b[i]`
pub(crate) fn bitwise<T: Integer>(operation: Bitwise, dst: &mut [T], a: &[T], b: &[T]) {
    match operation {
        Bitwise::And => map(dst, a, b, T::and),
        Bitwise::Or => map(dst, a, b, T::or),
        Bitwise::Xor => map(dst, a, b, T::xor),
        Bitwise::Shl => map(dst, a, b, T::shl),
        Bitwise::Shr => map(dst, a, b, T::shr),
    }
}

/// `dst[i] = a[i] * b[i] + c[i]`
pub(crate) fn fma<T: Number>(overflow: Overflow, dst: &mut [T], sources: [&[T]; 3]) {
    match overflow {
        Overflow::Wrap => map_three(dst, sources, T::fma),
        Overflow::Saturate => map_three(dst, sources, T::fma_saturating),
    }
}

/// `dst[i] = -a[i]` or `|a[i]|`
pub(crate) fn sign<T: Signed>((operation, overflow): (Sign, Overflow), dst: &mut [T], a: &[T]) {
    match (operation, overflow) {
        (Sign::Neg, Overflow::Wrap) => each(dst, a, T::neg),
        (Sign::Neg, Overflow::Saturate) => each(dst, a, T::neg_saturating),
        (Sign::Abs, Overflow::Wrap) => each(dst, a, T::abs),
        (Sign::Abs, Overflow::Saturate) => each(dst, a, T::abs_saturating),
    }
}

/// `dst[i]` = square root of `a[i]`
pub(crate) fn sqrt<T: Float>(dst: &mut [T], a: &[T]) {
    each(dst, a, T::sqrt);
}

/// `dst[i] = !a[i]`
pub(crate) fn not<T: Integer>(dst: &mut [T], a: &[T]) {
    each(dst, a, T::not);
}

/// `dst[i]` = 1 where the predicate holds for `a[i]` and `b[i]`, and 0 where it does not
pub(crate) fn compare<T: Number>(predicate: Predicate, dst: &mut [u8], a: &[T], b: &[T]) {
    match predicate {
        Predicate::Eq => map(dst, a, b, |x, y| u8::from(x == y)),
        Predicate::Ne => map(dst, a, b, |x, y| u8::from(x != y)),
        Predicate::Lt => map(dst, a, b, |x, y| u8::from(x < y)),
        Predicate::Le => map(dst, a, b, |x, y| u8::from(x <= y)),
        Predicate::Gt => map(dst, a, b, |x, y| u8::from(x > y)),
        Predicate::Ge => map(dst, a, b, |x, y| u8::from(x >= y)),
    }
}

/// `dst[i] = a[i]` in another type
pub(crate) fn convert<S: Number, T: Number>(overflow: Overflow, dst: &mut [T], a: &[S]) {
    match overflow {
        Overflow::Wrap => each(dst, a, |x: S| T::from_exact(x.exact(), Overflow::Wrap)),
        Overflow::Saturate => each(dst, a, |x: S| T::from_exact(x.exact(), Overflow::Saturate)),
    }
}

#[inline(always)]
fn map<T: Copy, R>(dst: &mut [R], a: &[T], b: &[T], operation: impl Fn(T, T) -> R) {
    for ((to, &x), &y) in dst.iter_mut().zip(a).zip(b) {
        *to = operation(x, y);
    }
}

#[inline(always)]
fn map_three<T: Copy>(dst: &mut [T], [a, b, c]: [&[T]; 3], operation: impl Fn(T, T, T) -> T) {
    for (((to, &x), &y), &z) in dst.iter_mut().zip(a).zip(b).zip(c) {
        *to = operation(x, y, z);
    }
}

#[inline(always)]
fn each<S: Copy, T>(dst: &mut [T], a: &[S], operation: impl Fn(S) -> T) {
    for (to, &x) in dst.iter_mut().zip(a) {
        *to = operation(x);
    }
}
