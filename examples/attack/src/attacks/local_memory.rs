//! Attacks on device-local memory, where earlier programs left their bytes and others keep theirs.

use hawser_abi::info::DeviceInfo;
use hawser_abi::op::ElementType::{F32, U8};
use hawser_abi::op::Opcode;
use hawser_abi::program::OperandIndex::{A, Dst};
use hawser_abi::reason::Reason;

use crate::attack::{Attack, refused};
use crate::draft::{IMMEDIATE, WINDOW, data, local, program, program_with, step};

/// The attacks.
pub fn attacks(info: &DeviceInfo) -> Vec<Attack> {
    let not_written = refused(Reason::ScratchNotWritten);
    vec![
        Attack::new(
            "copies out what the program before it left",
            program(&[step(Opcode::Copy, U8, WINDOW, [data(0), local(0)])]),
            not_written.operand(0, A).numbers(0, WINDOW, 0),
        ),
        Attack::new(
            "writes all but the last byte, and reads them all",
            program(&[
                step(Opcode::Fill, U8, 255, [local(0), IMMEDIATE]),
                step(Opcode::Copy, U8, 256, [data(0), local(0)]),
            ]),
            not_written.operand(1, A).numbers(255, 1, 0),
        ),
        Attack::new(
            "leaves one byte between two writes, and sums over it",
            program(&[
                step(Opcode::Fill, U8, 100, [local(0), IMMEDIATE]),
                step(Opcode::Fill, U8, 100, [local(101), IMMEDIATE]),
                step(Opcode::Sum, U8, 201, [data(0), local(0)]),
            ]),
            not_written.operand(2, A).numbers(100, 101, 0),
        ),
        Attack::new(
            "writes bytes only after it has read them",
            program(&[
                step(Opcode::Copy, U8, 64, [data(0), local(0)]),
                step(Opcode::Fill, U8, 64, [local(0), IMMEDIATE]),
            ]),
            not_written.operand(0, A).numbers(0, 64, 0),
        ),
        Attack::new(
            "negates unwritten bytes in place",
            program(&[step(Opcode::Neg, F32, 16, [local(0), local(0)])]),
            not_written.operand(0, A).numbers(0, 64, 0),
        ),
        Attack::new(
            "reads behind its window, in that of a program beside it",
            program(&[step(Opcode::Copy, U8, 64, [data(0), local(WINDOW)])]),
            refused(Reason::OutOfBounds).operand(0, A).numbers(WINDOW, 64, WINDOW),
        ),
        Attack::new(
            "writes behind its window",
            program(&[step(Opcode::Fill, U8, 2, [local(WINDOW - 1), IMMEDIATE])]),
            refused(Reason::OutOfBounds)
                .operand(0, Dst)
                .numbers(WINDOW - 1, 2, WINDOW),
        ),
        Attack::new(
            "asks for one byte more than the device has",
            program_with(&[step(Opcode::Fill, U8, 1, [local(0), IMMEDIATE])], |header| {
                header.scratch_size = info.scratch_size + 1;
            }),
            refused(Reason::ScratchTooLarge).numbers(0, info.scratch_size + 1, info.scratch_size),
        ),
        Attack::new(
            "asks for all memory that 64 bits can count",
            program_with(&[step(Opcode::Fill, U8, 1, [local(1 << 40), IMMEDIATE])], |header| {
                header.scratch_size = u64::MAX;
            }),
            refused(Reason::ScratchTooLarge).numbers(0, u64::MAX, info.scratch_size),
        ),
    ]
}
