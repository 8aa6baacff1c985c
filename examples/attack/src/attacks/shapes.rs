//! Attacks by shapes: the destination is small, and what it is computed from is not.

use hawser_abi::op::ElementType::{F32, U8};
use hawser_abi::op::Opcode;
use hawser_abi::program::OperandIndex::{A, B};
use hawser_abi::program::Step;
use hawser_abi::reason::Reason;

use crate::attack::{Attack, refused};
use crate::draft::{data, program, step};

/// A product of `f32` with `count` elements, of a matrix with these rows and columns.
fn product(count: u64, rows: u32, columns: u32) -> Step {
    Step {
        aux: [rows, columns],
        ..step(Opcode::MatMul, F32, count, [data(0), data(1024), data(2048)])
    }
}

/// A transposed matrix of 16 bytes with these rows.
fn transpose(rows: u32) -> Step {
    Step {
        aux: [rows, 0],
        ..step(Opcode::Transpose, U8, 16, [data(0), data(1024)])
    }
}

/// The attacks.
pub fn attacks() -> Vec<Attack> {
    let aux = core::mem::offset_of!(Step, aux) as u64;
    let most = u64::MAX / 4;
    vec![
        Attack::new(
            "makes one number of two vectors of four billion",
            program(&[product(1, 1, u32::MAX)]),
            refused(Reason::OutOfBounds)
                .operand(0, A)
                .numbers(1024, 4 * u64::from(u32::MAX), 4096),
        ),
        Attack::new(
            "has a first matrix whose size is 0 with 64 bits",
            program(&[product(1 << 31, 1 << 31, 1 << 31)]),
            refused(Reason::MatrixOverflow)
                .operand(0, A)
                .numbers(1 << 31, 1 << 31, most),
        ),
        Attack::new(
            "has a second matrix too large for 64 bits",
            program(&[product(1 << 60, 1, 1 << 31)]),
            refused(Reason::MatrixOverflow)
                .operand(0, B)
                .numbers(1 << 31, 1 << 60, most),
        ),
        Attack::new(
            "reads a second matrix beyond the end of the buffer",
            program(&[product(16, 1, 33)]),
            refused(Reason::OutOfBounds)
                .operand(0, B)
                .numbers(2048, 16 * 33 * 4, 4096),
        ),
        Attack::new(
            "makes rows that are not complete",
            program(&[product(10, 3, 4)]),
            refused(Reason::RaggedMatrix).step(0).numbers(0, 10, 3),
        ),
        Attack::new(
            "divides by no rows",
            program(&[product(16, 0, 4)]),
            refused(Reason::ZeroDimension).step(0).numbers(aux, 0, 1),
        ),
        Attack::new(
            "adds up no products",
            program(&[product(16, 4, 0)]),
            refused(Reason::ZeroDimension).step(0).numbers(aux + 4, 0, 1),
        ),
        Attack::new(
            "transposes more rows than there are elements",
            program(&[transpose(17)]),
            refused(Reason::RaggedMatrix).step(0).numbers(0, 16, 17),
        ),
    ]
}
