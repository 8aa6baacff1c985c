//! Attacks by values that no step has: unknown numbers, operands that are missing or too many, bits where there should be none.

use hawser_abi::op::ElementType::{F32, I32, U8};
use hawser_abi::op::Opcode;
use hawser_abi::program::OperandIndex::{self, A, B, C, Dst};
use hawser_abi::program::{Space, Step};
use hawser_abi::reason::Reason;

use crate::attack::{Attack, Expected, refused};
use crate::draft::{IMMEDIATE, Place, data, program, step};

/// A step that adds 16 numbers, after a change.
fn changed(tries: &'static str, change: impl FnOnce(&mut Step), expected: Expected) -> Attack {
    let mut step = step(Opcode::Add, F32, 16, [data(0), data(1024), data(2048)]);
    change(&mut step);
    Attack::new(tries, program(&[step]), expected)
}

/// One step on 16 elements, after a change.
fn single<const N: usize>(opcode: Opcode, places: [Place; N], change: impl FnOnce(&mut Step)) -> Vec<u8> {
    let mut step = step(opcode, F32, 16, places);
    change(&mut step);
    program(&[step])
}

/// An operand in a space where it cannot be.
fn misplaced(reason: Reason, operand: OperandIndex, space: u8) -> Expected {
    refused(reason).operand(0, operand).numbers(0, space.into(), 0)
}

/// The attacks.
pub fn attacks() -> Vec<Attack> {
    [values(), operands(), spare_bits()].into_iter().flatten().collect()
}

/// Numbers without a meaning.
fn values() -> Vec<Attack> {
    let of_step = |reason, value| refused(reason).step(0).numbers(0, value, 0);
    let aux = core::mem::offset_of!(Step, aux) as u64;
    vec![
        changed(
            "asks for operation 0",
            |s| s.opcode = 0,
            of_step(Reason::UnknownOpcode, 0),
        ),
        changed(
            "asks for operation 255",
            |s| s.opcode = 255,
            of_step(Reason::UnknownOpcode, 255),
        ),
        changed(
            "has elements of type 13",
            |s| s.element_type = 13,
            of_step(Reason::UnknownType, 13),
        ),
        Attack::new(
            "takes the square root of integers",
            single(Opcode::Sqrt, [data(0), data(1024)], |s| s.element_type = I32 as u8),
            of_step(Reason::UnsupportedType, I32 as u64),
        ),
        Attack::new(
            "converts from type 99",
            single(Opcode::Convert, [data(0), data(1024)], |s| s.aux_type = 99),
            of_step(Reason::UnknownSourceType, 99),
        ),
        Attack::new(
            "compares by predicate 6",
            single(Opcode::Compare, [data(0), data(1024), data(2048)], |s| s.aux[0] = 6),
            refused(Reason::UnknownPredicate).step(0).numbers(aux, 6, 5),
        ),
        changed(
            "works on nothing",
            |s| s.count = 0,
            refused(Reason::ZeroCount).step(0).numbers(0, 0, 1),
        ),
    ]
}

/// Operands that are missing, too many, or of the wrong kind.
fn operands() -> Vec<Attack> {
    let [none, in_data, immediate] = [Space::None, Space::Data, Space::Immediate].map(|space| space as u8);
    vec![
        changed(
            "reads from space 4",
            |s| s.spaces[1] = 4,
            misplaced(Reason::UnknownSpace, A, 4),
        ),
        changed(
            "reads from space 255",
            |s| s.spaces[2] = 255,
            misplaced(Reason::UnknownSpace, B, 255),
        ),
        changed(
            "adds one number",
            |s| (s.spaces[2], s.offsets[2]) = (none, 0),
            misplaced(Reason::OperandMissing, B, none),
        ),
        changed(
            "has no destination",
            |s| (s.spaces[0], s.offsets[0]) = (none, 0),
            misplaced(Reason::OperandMissing, Dst, none),
        ),
        changed(
            "adds three numbers",
            |s| s.spaces[3] = in_data,
            misplaced(Reason::OperandUnexpected, C, in_data),
        ),
        changed(
            "writes to its own program",
            |s| (s.spaces[0], s.offsets[0]) = (immediate, 0),
            misplaced(Reason::ImmediateNotAllowed, Dst, immediate),
        ),
        Attack::new(
            "sums over an immediate of 16 elements",
            single(Opcode::Sum, [data(0), IMMEDIATE], |_| {}),
            misplaced(Reason::ImmediateNotAllowed, A, immediate),
        ),
    ]
}

/// Bits where there should be none.
fn spare_bits() -> Vec<Attack> {
    let spare = |position: usize, value| refused(Reason::StepReserved).step(0).numbers(position as u64, value, 0);
    let offsets = core::mem::offset_of!(Step, offsets);
    let immediate = core::mem::offset_of!(Step, immediate);
    let unused_source = spare(offsets + 24, 1 << 63).operand(0, C);
    vec![
        changed(
            "saturates floats",
            |s| s.flags = 1,
            refused(Reason::StepFlags).step(0).numbers(0, 1, 0),
        ),
        changed(
            "sets a flag that does not exist",
            |s| (s.element_type, s.flags) = (U8 as u8, 0x81),
            refused(Reason::StepFlags).step(0).numbers(0, 0x81, 1),
        ),
        changed("names a source type without need", |s| s.aux_type = 1, spare(2, 1)),
        changed("has a matrix where there is none", |s| s.aux = [0, 9], spare(60, 9)),
        changed(
            "gives an offset to an operand it does not have",
            |s| s.offsets[3] = 1 << 63,
            unused_source,
        ),
        changed(
            "carries an immediate that nothing takes",
            |s| s.immediate = 7,
            spare(immediate, 7),
        ),
        changed(
            "has an immediate wider than its elements",
            |s| (s.spaces[2], s.offsets[2], s.immediate) = (Space::Immediate as u8, 0, 1 << 32),
            refused(Reason::ImmediateTooWide)
                .operand(0, B)
                .numbers(0, 1 << 32, u32::MAX.into()),
        ),
    ]
}
