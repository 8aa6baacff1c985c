//! Runs a tile of an operation on matrices: a piece of work that is bounded whatever the shapes are.

use hawser_abi::program::OperandIndex;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::chunk::Current;
use crate::fault::StepFault;
use crate::kernels::{self, Tile};
use crate::number::Number;
use crate::program::Progress;
use crate::step::{CheckedStep, Matrix, right_of};
use crate::transfer::{Block, Machine};

/// Most elements of a tile; of 8 bytes, they are half a lane.
const TILE: u64 = 4096;
/// Rows and columns of a tile where a matrix has more than enough of both.
const EDGE: u64 = 64;

/// A place in a matrix and, for a product, how much of the inner dimension is done there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    row: u64,
    column: u64,
    inner: u64,
}

/// Rows and columns of the tiles of a matrix. What it has little of, it has all of in a tile, and more of the other.
fn tile_of(matrix: Matrix) -> Matrix {
    let few_columns = matrix.columns.clamp(1, EDGE);
    let rows = matrix.rows.clamp(1, TILE / few_columns);
    Matrix {
        rows,
        columns: matrix.columns.clamp(1, TILE / rows),
    }
}

impl Position {
    /// The part of `matrix` that is here, in tiles of the size `tile`.
    fn part(self, matrix: Matrix, tile: Matrix) -> Matrix {
        Matrix {
            rows: (matrix.rows - self.row).min(tile.rows),
            columns: (matrix.columns - self.column).min(tile.columns),
        }
    }

    /// Goes on to the tile after `part`.
    pub(crate) fn advance(&mut self, matrix: Matrix, part: Matrix) -> Progress {
        self.inner = 0;
        self.column += part.columns;
        if self.column >= matrix.columns {
            self.column = 0;
            self.row += part.rows;
        }
        if self.row < matrix.rows {
            Progress::More
        } else {
            Progress::Finished
        }
    }

    /// Goes on along the inner dimension, and to the next tile at its end.
    pub(crate) fn advance_product(&mut self, tile: &ProductTile, left: Matrix, product: Matrix) -> Progress {
        self.inner += tile.inner;
        if self.inner < left.columns {
            return Progress::More;
        }
        self.advance(product, tile.part)
    }
}

/// A piece of work on a product: what of the sources is multiplied, and where the totals go when they are complete.
#[derive(Clone, Copy)]
pub(crate) struct ProductTile {
    /// Rows and columns of the tile of the destination.
    pub(crate) part: Matrix,
    /// How much of the inner dimension is multiplied.
    pub(crate) inner: u64,
    pub(crate) left: Block,
    pub(crate) right: Block,
    pub(crate) to: Option<Block>,
}

impl ProductTile {
    /// The tile of `product` that is at `at`.
    pub(crate) fn at(at: Position, left: Matrix, product: Matrix) -> Self {
        let part = at.part(product, tile_of(product));
        let inner = (left.columns - at.inner).min(TILE / part.rows.max(part.columns).max(1));
        let block = |row: u64, column: u64, stride: u64, rows, columns| Block {
            first: row * stride + column,
            rows,
            columns,
            stride,
        };
        let is_complete = at.inner + inner >= left.columns;
        Self {
            part,
            inner,
            left: block(at.row, at.inner, left.columns, part.rows, inner),
            right: block(at.inner, at.column, product.columns, inner, part.columns),
            to: is_complete.then(|| block(at.row, at.column, product.columns, part.rows, part.columns)),
        }
    }
}

/// A piece of work on a transposition: a tile of the source, and its place in the destination.
#[derive(Clone, Copy)]
pub(crate) struct TransposedTile {
    /// Rows and columns of the tile of the source.
    pub(crate) part: Matrix,
    pub(crate) from: Block,
    pub(crate) to: Block,
}

impl TransposedTile {
    /// The tile of `source` that is at `at`.
    pub(crate) fn at(at: Position, source: Matrix) -> Self {
        let part = at.part(source, tile_of(source));
        Self {
            part,
            from: Block {
                first: at.row * source.columns + at.column,
                rows: part.rows,
                columns: part.columns,
                stride: source.columns,
            },
            to: Block {
                first: at.column * source.rows + at.row,
                rows: part.columns,
                columns: part.rows,
                stride: source.rows,
            },
        }
    }
}

/// The destination of a product of `count` elements.
pub(crate) fn product_of(left: Matrix, count: u64) -> Matrix {
    Matrix {
        rows: left.rows,
        columns: right_of(left, count).map_or(0, |right| right.columns),
    }
}

impl Machine<'_, '_, '_> {
    /// Adds the products along a part of the inner dimension to a tile of the destination, and writes it when it is complete.
    ///
    /// The totals of the tile stay in the lane of the destination until then.
    pub(crate) fn multiply_tile<T: Number>(
        &mut self,
        current: &mut Current,
        left: Matrix,
    ) -> Result<Progress, StepFault> {
        let CheckedStep {
            overflow,
            count,
            dst,
            a,
            b,
            ..
        } = current.step;
        let product = product_of(left, count);
        let at = current.position;
        let piece = ProductTile::at(at, left, product);
        let ProductTile { part, inner, .. } = piece;
        self.load_block(OperandIndex::A, a, piece.left)?;
        self.load_block(OperandIndex::B, b, piece.right)?;
        let tile = Tile {
            rows: part.rows as usize,
            inner: inner as usize,
            columns: part.columns as usize,
        };
        let lanes = &mut *self.resources.lanes;
        let totals = lanes.dst.elements_mut::<T::Total>(tile.rows * tile.columns);
        if at.inner == 0 {
            totals.fill(T::Total::from_immediate(0));
        }
        let left_elements = lanes.a.elements::<T>(tile.rows * tile.inner);
        kernels::multiply(
            tile,
            overflow,
            totals,
            left_elements,
            lanes.b.elements(tile.inner * tile.columns),
        );
        self.resources.cycles.multiplied(part.rows * part.columns * inner);
        let Some(to) = piece.to else {
            return Ok(current.position.advance_product(&piece, left, product));
        };
        let lanes = &mut *self.resources.lanes;
        let elements = tile.rows * tile.columns;
        kernels::narrow::<T>(lanes.c.elements_mut(elements), lanes.dst.elements(elements));
        self.store_block(dst, OperandIndex::C, to)?;
        Ok(current.position.advance_product(&piece, left, product))
    }

    /// Moves a tile of the source to its place in the destination.
    pub(crate) fn transpose_tile<T>(&mut self, current: &mut Current, source: Matrix) -> Result<Progress, StepFault>
    where
        T: Copy + FromBytes + IntoBytes + Immutable + KnownLayout,
    {
        let CheckedStep { dst, a, .. } = current.step;
        let TransposedTile { part, from, to } = TransposedTile::at(current.position, source);
        self.load_block(OperandIndex::A, a, from)?;
        let lanes = &mut *self.resources.lanes;
        let elements = (part.rows * part.columns) as usize;
        let transposed = lanes.dst.elements_mut::<T>(elements);
        kernels::transpose(part.rows as usize, transposed, lanes.a.elements(elements));
        self.store_block(dst, OperandIndex::Dst, to)?;
        Ok(current.position.advance(source, part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tile(rows: u64, columns: u64) -> (u64, u64) {
        let tile = tile_of(Matrix { rows, columns });
        (tile.rows, tile.columns)
    }

    #[test]
    fn tiles_fit_the_shape_and_the_lane() {
        assert_eq!(tile(1000, 1000), (64, 64));
        assert_eq!(tile(1, 10_000), (1, 4096));
        assert_eq!(tile(10_000, 1), (4096, 1));
        assert_eq!(tile(3, 10_000), (3, 1365));
        assert_eq!(tile(10_000, 3), (1365, 3));
        assert_eq!(tile(2, 2), (2, 2));
    }

    #[test]
    fn tiles_cover_a_matrix_once() {
        let matrix = Matrix {
            rows: 130,
            columns: 200,
        };
        let (mut at, mut covered) = (Position::default(), 0);
        loop {
            let part = at.part(matrix, tile_of(matrix));
            covered += part.rows * part.columns;
            if at.advance(matrix, part) == Progress::Finished {
                break;
            }
        }
        assert_eq!(covered, 130 * 200);
    }
}
