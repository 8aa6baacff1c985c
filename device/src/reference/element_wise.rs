//! Operations that compute each element of the destination from the elements of the sources with the same index.

use hawser_abi::op::Opcode;

use super::action::{Action, Detail, Operand};
use super::arithmetic::DividedByZero;
use super::memory::Memory;
use super::scalar::Scalar;

/// Index of an element whose divisor is zero.
pub(super) struct ZeroDivisor(pub(super) u64);

/// Computes and stores all elements, first to last.
pub(super) fn perform(action: &Action, memory: &mut Memory<'_>) -> Result<(), ZeroDivisor> {
    for index in 0..action.count {
        let bits = compute(action, memory, index).map_err(|DividedByZero| ZeroDivisor(index))?;
        memory.store(action.dst, index, bits);
    }
    Ok(())
}

fn compute(action: &Action, memory: &Memory<'_>, index: u64) -> Result<u64, DividedByZero> {
    let [a, b, c] = &action.sources;
    let bits = |operand: &Operand| memory.load(operand, index);
    let scalar = |operand: &Operand| Scalar::from_bits(action.from, bits(operand));
    let arithmetic = action.arithmetic();
    let result = match (action.opcode, action.detail) {
        (Opcode::Copy | Opcode::Fill, _) => return Ok(bits(a)),
        (Opcode::Select, _) => return Ok(if bits(a) == 0 { bits(c) } else { bits(b) }),
        (_, Detail::Compare(predicate)) => return Ok(predicate.holds(scalar(a).order(scalar(b))).into()),
        (Opcode::Fma, _) => arithmetic.fma(scalar(a), scalar(b), scalar(c)),
        (Opcode::Neg | Opcode::Abs | Opcode::Sqrt | Opcode::Not | Opcode::Convert, _) => {
            arithmetic.unary(action.opcode, scalar(a))
        }
        _ => arithmetic.binary(action.opcode, scalar(a), scalar(b))?,
    };
    Ok(result.to_bits())
}
