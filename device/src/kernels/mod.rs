//! Operations on a chunk of elements: one tight loop for each operation and type.

mod element_wise;
mod matrix;
mod move_bits;
mod reduce;

pub(crate) use element_wise::{
    Binary, Bitwise, Sign, ZeroDivisor, binary, bitwise, compare, convert, fma, not, sign, sqrt,
};
pub(crate) use matrix::{Tile, multiply, narrow, transpose};
pub(crate) use move_bits::select;
pub(crate) use reduce::{Best, Extreme, dot, extreme, prefix_sum, sum};
