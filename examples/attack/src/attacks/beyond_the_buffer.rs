//! Attacks that read or write memory next to the data buffer, or anywhere.

use hawser_abi::op::ElementType::{F32, F64, U8, U64};
use hawser_abi::op::Opcode;
use hawser_abi::program::OperandIndex::{A, B, Dst};
use hawser_abi::reason::Reason;

use crate::attack::{Attack, Given, refused};
use crate::draft::{DATA, IMMEDIATE, data, program, program_with, step};

/// The attacks.
pub fn attacks() -> Vec<Attack> {
    let out_of_bounds = refused(Reason::OutOfBounds);
    vec![
        Attack::new(
            "reads one element past the end",
            program(&[step(Opcode::Sum, F32, DATA / 4 + 1, [data(0), data(0)])]),
            // The sum would overlap what it is made of, too: where operands lie is looked at first.
            out_of_bounds.operand(0, A).numbers(0, DATA + 4, DATA),
        ),
        Attack::new(
            "writes one byte past the end",
            program(&[step(Opcode::Fill, U8, 256, [data(DATA - 255), IMMEDIATE])]),
            out_of_bounds.operand(0, Dst).numbers(DATA - 255, 256, DATA),
        ),
        Attack::new(
            "copies the page behind its buffer into it",
            program(&[step(Opcode::Copy, U8, DATA, [data(0), data(DATA)])]),
            out_of_bounds.operand(0, A).numbers(DATA, DATA, DATA),
        ),
        Attack::new(
            "writes a position of eight bytes behind the end",
            program(&[step(Opcode::ArgMax, U8, 16, [data(DATA), data(0)])]),
            out_of_bounds.operand(0, Dst).numbers(DATA, 8, DATA),
        ),
        Attack::new(
            "hides the access outside in its second step",
            program(&[
                step(Opcode::Copy, F32, 64, [data(0), data(1024)]),
                step(Opcode::Add, F32, 64, [data(0), data(1024), data(DATA - 252)]),
            ]),
            out_of_bounds.operand(1, B).numbers(DATA - 252, 256, DATA),
        ),
        Attack::new(
            "reads the eight bytes before its buffer, at offset -8",
            program(&[step(Opcode::Copy, U64, 1, [data(0), data(8_u64.wrapping_neg())])]),
            refused(Reason::OffsetOverflow)
                .operand(0, A)
                .numbers(u64::MAX - 7, 8, 0),
        ),
        Attack::new(
            "adds up all bytes from -4096 to 1, which is a short way with 64 bits",
            program(&[step(Opcode::Sum, U8, 4097, [data(0), data(4096_u64.wrapping_neg())])]),
            refused(Reason::OffsetOverflow)
                .operand(0, A)
                .numbers(4096_u64.wrapping_neg(), 4097, 0),
        ),
        Attack::new(
            "counts so many elements that their length is 8 with 64 bits",
            program(&[step(Opcode::Fill, F64, (1 << 61) + 1, [data(0), IMMEDIATE])]),
            refused(Reason::CountOverflow)
                .step(0)
                .numbers(0, (1 << 61) + 1, u64::MAX / 8),
        ),
        Attack::new(
            "has its last element stand out of the buffer by half",
            program(&[step(Opcode::Copy, F64, 8, [data(DATA - 60), data(0)])]),
            refused(Reason::Misaligned).operand(0, Dst).numbers(DATA - 60, 0, 8),
        ),
        Attack::new(
            "says in the header that its buffer is twice as long",
            program_with(&[step(Opcode::Copy, U8, DATA, [data(0), data(DATA)])], |header| {
                header.data_size = 2 * DATA;
            }),
            refused(Reason::DataSizeMismatch).numbers(0, 2 * DATA, DATA),
        ),
        Attack::new(
            "brings no buffer at all",
            program(&[step(Opcode::Fill, U8, 16, [data(0), IMMEDIATE])]),
            refused(Reason::NoDataBuffer).numbers(0, 0, 1),
        )
        .with(Given::Nothing),
    ]
}
