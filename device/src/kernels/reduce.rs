//! Operations in which an element depends on all before it, from the first to the last.

use crate::number::{Number, Overflow};

/// The sum of `before` and the elements of `a` in their order. Where there is nothing before, the sum is that of `a` alone; none where `a`
/// is empty too.
pub(crate) fn sum<T: Number>(overflow: Overflow, before: Option<T::Total>, a: &[T]) -> Option<T::Total> {
    match overflow {
        Overflow::Wrap => sum_with(before, a, T::Total::add),
        Overflow::Saturate => sum_with(before, a, T::Total::add_saturating),
    }
}

#[inline(always)]
fn sum_with<T: Number>(
    before: Option<T::Total>,
    a: &[T],
    add: impl Fn(T::Total, T::Total) -> T::Total,
) -> Option<T::Total> {
    let (first, rest) = match before {
        Some(total) => (total, a),
        None => a.split_first().map(|(first, rest)| (first.widen(), rest))?,
    };
    Some(rest.iter().fold(first, |total, element| add(total, element.widen())))
}

/// `dst[i]` = sum of `before` and the elements of `a` up to the `i`-th. Returns the last sum, not rounded to the type of the elements.
pub(crate) fn prefix_sum<T: Number>(
    overflow: Overflow,
    before: Option<T::Total>,
    dst: &mut [T],
    a: &[T],
) -> Option<T::Total> {
    match overflow {
        Overflow::Wrap => prefix_sum_with(before, dst, a, T::Total::add),
        Overflow::Saturate => prefix_sum_with(before, dst, a, T::Total::add_saturating),
    }
}

#[inline(always)]
fn prefix_sum_with<T: Number>(
    before: Option<T::Total>,
    dst: &mut [T],
    a: &[T],
    add: impl Fn(T::Total, T::Total) -> T::Total,
) -> Option<T::Total> {
    dst.iter_mut().zip(a).fold(before, |total, (to, element)| {
        let next = match total {
            Some(total) => add(total, element.widen()),
            None => element.widen(),
        };
        *to = T::narrow(next);
        Some(next)
    })
}

/// `before` and the products of the elements of `a` and `b`, added in their order.
pub(crate) fn dot<T: Number>(overflow: Overflow, before: T::Total, a: &[T], b: &[T]) -> T::Total {
    let pairs = a.iter().zip(b).map(|(x, y)| (x.widen(), y.widen()));
    match overflow {
        Overflow::Wrap => pairs.fold(before, |total, (x, y)| x.fma(y, total)),
        Overflow::Saturate => pairs.fold(before, |total, (x, y)| x.fma_saturating(y, total)),
    }
}

/// Which element is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extreme {
    Smallest,
    Largest,
}

/// The best element so far, and its index.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Best<T> {
    pub(crate) element: T,
    pub(crate) index: u64,
}

/// The first best of `before` and the elements of `a`, of which the first has the index `start`. A NaN is better than any number.
pub(crate) fn extreme<T: Number>(wanted: Extreme, before: Option<Best<T>>, a: &[T], start: u64) -> Option<Best<T>> {
    match wanted {
        Extreme::Smallest => extreme_with(before, a, start, |x, y| x < y),
        Extreme::Largest => extreme_with(before, a, start, |x, y| x > y),
    }
}

#[inline(always)]
fn extreme_with<T: Number>(
    before: Option<Best<T>>,
    a: &[T],
    start: u64,
    better: impl Fn(T, T) -> bool,
) -> Option<Best<T>> {
    let candidates = (start..).zip(a).map(|(index, &element)| Best { element, index });
    before.into_iter().chain(candidates).reduce(|best, next| {
        let wins = better(next.element, best.element) || (next.element.is_nan() && !best.element.is_nan());
        if wins { next } else { best }
    })
}
