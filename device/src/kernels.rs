//! Operations on a chunk of elements: one tight loop for each operation and type.

use crate::number::Number;

/// An element-wise operation on two sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Min,
    Max,
}

/// Index of the element whose divisor is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ZeroDivisor(pub(crate) usize);

/// `dst[i] = a[i] <operation> b[i]`. After an error `dst` is as it was.
pub(crate) fn binary<T: Number>(operation: Binary, dst: &mut [T], a: &[T], b: &[T]) -> Result<(), ZeroDivisor> {
    match operation {
        Binary::Add => map(dst, a, b, T::add),
        Binary::Sub => map(dst, a, b, T::sub),
        Binary::Mul => map(dst, a, b, T::mul),
        Binary::Min => map(dst, a, b, T::min),
        Binary::Max => map(dst, a, b, T::max),
        Binary::Div => {
            if let Some(index) = b.iter().position(|divisor| divisor.cannot_divide()) {
                return Err(ZeroDivisor(index));
            }
            map(dst, a, b, T::div);
        }
    }
    Ok(())
}

/// `dst[i] = a[i] * b[i] + c[i]`
pub(crate) fn fma<T: Number>(dst: &mut [T], a: &[T], b: &[T], c: &[T]) {
    for (((to, &x), &y), &z) in dst.iter_mut().zip(a).zip(b).zip(c) {
        *to = x.fma(y, z);
    }
}

/// The sum of `before` and the elements of `a` in their order.
pub(crate) fn sum<T: Number>(before: Option<T>, a: &[T]) -> Option<T> {
    let (first, rest) = match before {
        Some(total) => (total, a),
        None => a.split_first().map(|(first, rest)| (*first, rest))?,
    };
    Some(
        rest.iter()
            .fold(first, |total, &element| total.add(element))
            .canonical(),
    )
}

#[inline(always)]
fn map<T: Number>(dst: &mut [T], a: &[T], b: &[T], operation: impl Fn(T, T) -> T) {
    for ((to, &x), &y) in dst.iter_mut().zip(a).zip(b) {
        *to = operation(x, y);
    }
}
