//! Operations on tiles of matrices, each row by row.

use crate::number::{Number, Overflow};

/// Rows, inner dimension and columns of a piece of a matrix product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tile {
    pub(crate) rows: usize,
    pub(crate) inner: usize,
    pub(crate) columns: usize,
}

/// Adds the product of `left` and `right` to `totals`, for each total in the order of the inner dimension.
pub(crate) fn multiply<T: Number>(tile: Tile, overflow: Overflow, totals: &mut [T::Total], left: &[T], right: &[T]) {
    match overflow {
        Overflow::Wrap => multiply_with(tile, totals, (left, right), T::Total::fma),
        Overflow::Saturate => multiply_with(tile, totals, (left, right), T::Total::fma_saturating),
    }
}

#[inline(always)]
fn multiply_with<T: Number>(
    tile: Tile,
    totals: &mut [T::Total],
    (left, right): (&[T], &[T]),
    fused: impl Fn(T::Total, T::Total, T::Total) -> T::Total,
) {
    let rows = totals.chunks_exact_mut(tile.columns.max(1));
    for (totals, left) in rows.zip(left.chunks_exact(tile.inner.max(1))) {
        for (x, right) in left.iter().zip(right.chunks_exact(tile.columns.max(1))) {
            let x = x.widen();
            for (total, y) in totals.iter_mut().zip(right) {
                *total = fused(x, y.widen(), *total);
            }
        }
    }
}

/// The totals as elements.
pub(crate) fn narrow<T: Number>(dst: &mut [T], totals: &[T::Total]) {
    for (to, &total) in dst.iter_mut().zip(totals) {
        *to = T::narrow(total);
    }
}

/// `dst[j][i] = a[i][j]`, with `rows` the rows of `a`.
pub(crate) fn transpose<T: Copy>(rows: usize, dst: &mut [T], a: &[T]) {
    let columns = a.len() / rows.max(1);
    for (column, to) in dst.chunks_exact_mut(rows.max(1)).enumerate() {
        for (to, from) in to.iter_mut().zip(a.iter().skip(column).step_by(columns.max(1))) {
            *to = *from;
        }
    }
}
