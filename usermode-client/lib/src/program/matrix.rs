//! Arrays as matrices, and steps on them.

use std::ops::Range;

use hawser_abi::op::Opcode;
use hawser_abi::program::{OperandIndex, Step};

use super::builder::{plain, saturating};
use super::{Array, Element, Integer, ProgramBuilder, ProgramError};

/// An array as a matrix, row by row.
#[derive(Debug)]
pub struct Matrix<T> {
    array: Array<T>,
    rows: u32,
    columns: u32,
}

impl<T> Clone for Matrix<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Matrix<T> {}

impl<T: Element> Array<T> {
    /// The array as a matrix of `rows` rows, which has all of its elements and at least one.
    pub fn matrix(self, rows: u64, columns: u64) -> Result<Matrix<T>, ProgramError> {
        let not_a_matrix = ProgramError::NotAMatrix {
            rows,
            columns,
            count: self.count,
        };
        let complete = rows.checked_mul(columns) == Some(self.count) && self.count > 0;
        match (u32::try_from(rows), u32::try_from(columns)) {
            (Ok(rows), Ok(columns)) if complete => Ok(Matrix {
                array: self,
                rows,
                columns,
            }),
            _ => Err(not_a_matrix),
        }
    }
}

impl<T: Element> Matrix<T> {
    /// Number of rows and columns.
    pub const fn shape(&self) -> (u64, u64) {
        (self.rows as u64, self.columns as u64)
    }

    /// The elements, row by row.
    pub const fn array(&self) -> Array<T> {
        self.array
    }

    /// The elements of a row.
    pub fn row(&self, index: u64) -> Result<Array<T>, ProgramError> {
        let columns = u64::from(self.columns);
        self.array
            .part(index.saturating_mul(columns)..index.saturating_add(1).saturating_mul(columns))
    }

    /// Some neighbouring rows, at least one.
    pub fn rows(&self, rows: Range<u64>) -> Result<Self, ProgramError> {
        let columns = u64::from(self.columns);
        let part = rows.start.saturating_mul(columns)..rows.end.saturating_mul(columns);
        self.array.part(part)?.matrix(rows.end - rows.start, columns)
    }
}

impl ProgramBuilder {
    /// Adds `dst = a · b`.
    pub fn matmul<T: Element>(
        &mut self,
        dst: Matrix<T>,
        a: Matrix<T>,
        b: Matrix<T>,
    ) -> Result<&mut Self, ProgramError> {
        self.product(plain::<T>(Opcode::MatMul, dst.array.count), dst, a, b)
    }

    /// Adds `dst = a · b`, clamped to the range of the type at each addition.
    pub fn saturating_matmul<T: Integer>(
        &mut self,
        dst: Matrix<T>,
        a: Matrix<T>,
        b: Matrix<T>,
    ) -> Result<&mut Self, ProgramError> {
        self.product(saturating::<T>(Opcode::MatMul, dst.array.count), dst, a, b)
    }

    /// Adds `dst[j][i] = a[i][j]`.
    pub fn transpose<T: Element>(&mut self, dst: Matrix<T>, a: Matrix<T>) -> Result<&mut Self, ProgramError> {
        let (rows, columns) = a.shape();
        self.shape(OperandIndex::Dst, dst, (columns, rows))?;
        let step = Step {
            aux: [a.rows, 0],
            ..plain::<T>(Opcode::Transpose, dst.array.count)
        };
        self.step(step, dst.array.place(), &[a.array.source()])
    }

    fn product<T: Element>(
        &mut self,
        step: Step,
        dst: Matrix<T>,
        a: Matrix<T>,
        b: Matrix<T>,
    ) -> Result<&mut Self, ProgramError> {
        let (rows, columns) = dst.shape();
        let (_, inner) = a.shape();
        self.shape(OperandIndex::A, a, (rows, inner))?;
        self.shape(OperandIndex::B, b, (inner, columns))?;
        let step = Step {
            aux: [a.rows, a.columns],
            ..step
        };
        self.step(step, dst.array.place(), &[a.array.source(), b.array.source()])
    }

    fn shape<T: Element>(
        &self,
        operand: OperandIndex,
        matrix: Matrix<T>,
        expected: (u64, u64),
    ) -> Result<(), ProgramError> {
        if matrix.shape() == expected {
            return Ok(());
        }
        Err(ProgramError::ShapeMismatch {
            step: self.next_step(),
            operand,
            found: matrix.shape(),
            expected,
        })
    }
}
