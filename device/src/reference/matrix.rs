//! Operations on matrices, which lie row by row.

use super::action::Action;
use super::memory::Memory;
use super::reduction::{store, sum_of_products};

/// Rows of the first factor, its columns, and columns of the second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Product {
    pub(super) rows: u64,
    pub(super) inner: u64,
    pub(super) columns: u64,
}

/// `dst[row][column] = a[row][0] * b[0][column] + a[row][1] * b[1][column] + ...`
pub(super) fn multiply(action: &Action, product: Product, memory: &mut Memory<'_>) {
    let Product { rows, inner, columns } = product;
    for row in 0..rows {
        for column in 0..columns {
            let factors = |index| (row * inner + index, index * columns + column);
            let element = sum_of_products(action, memory, inner, factors);
            store(action, memory, row * columns + column, element);
        }
    }
}

/// `dst[column][row] = a[row][column]`
pub(super) fn transpose(action: &Action, rows: u64, columns: u64, memory: &mut Memory<'_>) {
    let [a, ..] = &action.sources;
    for row in 0..rows {
        for column in 0..columns {
            let bits = memory.load(a, row * columns + column);
            memory.store(action.dst, column * rows + row, bits);
        }
    }
}
