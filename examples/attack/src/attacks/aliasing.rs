//! Attacks by overlap: what a step has written would be read by the same step, and what comes out would depend on the order of the device.

use hawser_abi::op::ElementType::{F32, U8, U16};
use hawser_abi::op::Opcode;
use hawser_abi::program::OperandIndex::{A, B};
use hawser_abi::program::Step;
use hawser_abi::reason::Reason;

use crate::attack::{Attack, refused};
use crate::draft::{IMMEDIATE, data, local, program, step};

/// The attacks.
pub fn attacks() -> Vec<Attack> {
    let overlap = refused(Reason::Overlap);
    let widen = Step {
        aux_type: U8 as u8,
        ..step(Opcode::Convert, U16, 64, [data(0), data(0)])
    };
    let square = Step {
        aux: [4, 4],
        ..step(Opcode::MatMul, F32, 16, [data(0), data(64), data(0)])
    };
    let turn = Step {
        aux: [4, 0],
        ..step(Opcode::Transpose, F32, 16, [data(0), data(0)])
    };
    vec![
        Attack::new(
            "moves its array by one element, in place",
            program(&[step(Opcode::Copy, F32, 64, [data(4), data(0)])]),
            overlap.operand(0, A).numbers(4, 252, 0),
        ),
        Attack::new(
            "shares one byte between what is read and written",
            program(&[step(Opcode::Add, U8, 64, [data(63), data(512), data(0)])]),
            overlap.operand(0, B).numbers(63, 1, 0),
        ),
        Attack::new(
            "does the same in device-local memory",
            program(&[
                step(Opcode::Fill, U8, 128, [local(0), IMMEDIATE]),
                step(Opcode::Copy, U8, 64, [local(32), local(0)]),
            ]),
            overlap.operand(1, A).numbers(32, 32, 0),
        ),
        Attack::new(
            "widens bytes in place",
            program(&[widen]),
            overlap.operand(0, A).numbers(0, 64, 0),
        ),
        Attack::new(
            "multiplies a matrix into itself",
            program(&[square]),
            overlap.operand(0, B).numbers(0, 64, 0),
        ),
        Attack::new(
            "transposes in place",
            program(&[turn]),
            overlap.operand(0, A).numbers(0, 64, 0),
        ),
        Attack::new(
            "writes the sum over its own first term",
            program(&[step(Opcode::Sum, F32, 16, [data(0), data(0)])]),
            overlap.operand(0, A).numbers(0, 4, 0),
        ),
    ]
}
