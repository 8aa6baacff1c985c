//! The arithmetic of instructions that read and write memory, with the condition codes.

use super::frame::mask;

const CARRY: u64 = 1 << 0;
const PARITY: u64 = 1 << 2;
const ADJUST: u64 = 1 << 4;
const ZERO: u64 = 1 << 6;
const SIGN: u64 = 1 << 7;
const OVERFLOW: u64 = 1 << 11;
const ALL: u64 = CARRY | PARITY | ADJUST | ZERO | SIGN | OVERFLOW;

/// What an instruction computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Sub,
    And,
    Or,
    Xor,
}

/// Computes on values of `bytes` bytes; returns the result and the new condition codes. The adjust flag after a logical operation is undefined; it is
/// cleared, as processors do.
pub(super) fn compute(what: Arithmetic, bytes: usize, (a, b): (u64, u64), old: u64) -> (u64, u64) {
    let (a, b) = (a & mask(bytes), b & mask(bytes));
    let sign = 1 << (8 * bytes - 1);
    let result = mask(bytes)
        & match what {
            Arithmetic::Add => a.wrapping_add(b),
            Arithmetic::Sub => a.wrapping_sub(b),
            Arithmetic::And => a & b,
            Arithmetic::Or => a | b,
            Arithmetic::Xor => a ^ b,
        };
    let (carry, overflow, adjust) = match what {
        Arithmetic::Add => (
            result < a,
            (a ^ result) & (b ^ result) & sign != 0,
            (a ^ b ^ result) & 0x10 != 0,
        ),
        Arithmetic::Sub => (a < b, (a ^ b) & (a ^ result) & sign != 0, (a ^ b ^ result) & 0x10 != 0),
        Arithmetic::And | Arithmetic::Or | Arithmetic::Xor => (false, false, false),
    };
    let bit = |set: bool, bit: u64| if set { bit } else { 0 };
    let new = bit(carry, CARRY)
        | bit((result as u8).count_ones().is_multiple_of(2), PARITY)
        | bit(adjust, ADJUST)
        | bit(result == 0, ZERO)
        | bit(result & sign != 0, SIGN)
        | bit(overflow, OVERFLOW);
    (result, old & !ALL | new)
}

/// The condition codes after `inc` and `dec`: those of the addition, with the old carry.
pub(super) fn keep_carry(new: u64, old: u64) -> u64 {
    new & !CARRY | old & CARRY
}

/// Sets the carry flag alone, as `bt` does.
pub(super) fn set_carry(old: u64, carry: bool) -> u64 {
    if carry { old | CARRY } else { old & !CARRY }
}
