//! Operations that go through their sources from the first element to the last with an accumulator.

use std::cmp::Ordering;

use super::action::Action;
use super::memory::Memory;
use super::scalar::Scalar;

/// `dst[0] = a[0] + a[1] + ...`
pub(super) fn sum(action: &Action, memory: &mut Memory<'_>) {
    let total = running_sums(action, memory, |_, _, _| ());
    store(action, memory, 0, total);
}

/// `dst[i] = a[0] + ... + a[i]`
pub(super) fn prefix_sum(action: &Action, memory: &mut Memory<'_>) {
    let last = running_sums(action, memory, |memory, index, total| {
        store(action, memory, index, total)
    });
    store(action, memory, action.count - 1, last);
}

/// Calls `each` with every sum but the last, which it returns. The first is the first element itself: nothing is added to it.
fn running_sums<'a>(action: &Action, memory: &mut Memory<'a>, each: impl Fn(&mut Memory<'a>, u64, Scalar)) -> Scalar {
    let [a, ..] = &action.sources;
    let arithmetic = action.arithmetic();
    let element = |memory: &Memory<'_>, index| {
        let bits = memory.load(a, index);
        arithmetic.accumulator(Scalar::from_bits(action.element, bits))
    };
    let mut total = element(memory, 0);
    for index in 1..action.count {
        each(memory, index - 1, total);
        total = arithmetic.add(total, element(memory, index));
    }
    total
}

/// `dst[0] = a[0] * b[0] + a[1] * b[1] + ...`
pub(super) fn dot(action: &Action, memory: &mut Memory<'_>) {
    let total = sum_of_products(action, memory, action.count, |index| (index, index));
    store(action, memory, 0, total);
}

/// The sum of `count` products, each added to zero and those before it at once. `factors` tells their indices in the sources.
pub(super) fn sum_of_products(
    action: &Action,
    memory: &Memory<'_>,
    count: u64,
    factors: impl Fn(u64) -> (u64, u64),
) -> Scalar {
    let [a, b, _] = &action.sources;
    let arithmetic = action.arithmetic();
    let factor = |bits| arithmetic.accumulator(Scalar::from_bits(action.element, bits));
    let mut total = arithmetic.zero();
    for index in 0..count {
        let (in_a, in_b) = factors(index);
        total = arithmetic.fma(factor(memory.load(a, in_a)), factor(memory.load(b, in_b)), total);
    }
    total
}

/// Stores an accumulator as element `index` of the destination.
pub(super) fn store(action: &Action, memory: &mut Memory<'_>, index: u64, accumulator: Scalar) {
    let bits = action.arithmetic().result(accumulator).to_bits();
    memory.store(action.dst, index, bits);
}

/// `dst[0]` is the index of the first element to which no other is `wanted`, or of the first NaN.
pub(super) fn index_of_extreme(action: &Action, memory: &mut Memory<'_>, wanted: Ordering) {
    let [a, ..] = &action.sources;
    let element = |index| Scalar::from_bits(action.element, memory.load(a, index));
    let (mut found, mut best) = (0, element(0));
    for index in 1..action.count {
        if best.is_nan() {
            break;
        }
        let next = element(index);
        if next.is_nan() || next.order(best) == Some(wanted) {
            (found, best) = (index, next);
        }
    }
    memory.store(action.dst, 0, found);
}
