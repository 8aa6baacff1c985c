//! Programs that walk through memory in order, with a pattern of operations that repeats.

use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::Step;

use super::Draft;
use super::operand::{Operand, step};

/// Elements of a step.
const ELEMENTS: u64 = 64;
/// Bytes of an operand.
const BYTES: u64 = ELEMENTS * 4;
/// Arrays in the data buffer: three that are read, three that are written.
const ARRAYS: u64 = 6;
/// 2.5, as `f32`.
const FACTOR: u64 = 0x4020_0000;

pub fn draft(count: u32) -> Draft {
    let rounds = u64::from(count).div_ceil(4);
    let array = rounds * BYTES;
    let steps = (0..u64::from(count)).map(|index| pattern(index, array)).collect();
    Draft {
        steps,
        data: array * ARRAYS,
        scratch: array,
    }
}

/// `t = x * y`, `p = t + z`, `q = x`, `r = 2.5 * y + z`, each on the next elements of its arrays; `t` is in device-local memory.
fn pattern(index: u64, array: u64) -> Step {
    let at = index / 4 * BYTES;
    let [x, y, z, p, q, r] = [0, 1, 2, 3, 4, 5].map(|number| Operand::data(number * array + at));
    let t = Operand::scratch(at);
    let step = |opcode, operands: &[Operand]| step(opcode, ElementType::F32, ELEMENTS, operands);
    match index % 4 {
        0 => step(Opcode::Mul, &[t, x, y]),
        1 => step(Opcode::Add, &[p, t, z]),
        2 => step(Opcode::Copy, &[q, x]),
        _ => Step {
            immediate: FACTOR,
            ..step(Opcode::Fma, &[r, Operand::IMMEDIATE, y, z])
        },
    }
}
