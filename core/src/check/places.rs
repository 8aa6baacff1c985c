//! Where the operands of a step lie, side by side.

use hawser_abi::program::Space;
use wide::i32x4;

use super::rows::FIRST_REACH;
use crate::intervals::{Interval, SCRATCH_BASE};
use crate::trusted::Row;

/// The first place of device-local memory: a byte's place is its offset in the data buffer, or this much more than its offset in device-local memory.
pub(super) const SPACE: i32 = SCRATCH_BASE as i32;

/// Places of destination and sources; those that lie nowhere in memory are empty.
#[derive(Clone, Copy)]
pub(super) struct Places {
    /// The first byte.
    pub(super) start: i32x4,
    /// The first byte behind.
    pub(super) end: i32x4,
    /// Operands in device-local memory, as [`Combination::reach`](super::rows::Combination::reach) has them.
    pub(super) reach: u64,
}

impl Places {
    /// The places of operands that lie in these bytes of these spaces.
    pub(super) fn of(operands: [(Space, Interval); 4]) -> Self {
        let base = |space| if space == Space::Scratch { SCRATCH_BASE } else { 0 };
        let place = |offset: u32, space| offset.wrapping_add(base(space)) as i32;
        let [d, a, b, c] = operands.map(|(space, _)| u64::from(space == Space::Scratch));
        Self {
            start: i32x4::new(operands.map(|(space, bytes)| place(bytes.start(), space))),
            end: i32x4::new(operands.map(|(space, bytes)| place(bytes.end(), space))),
            reach: FIRST_REACH.wrapping_mul(a | b << 1 | c << 2 | d << 3),
        }
    }

    /// The same as a row.
    #[inline(always)]
    pub(super) fn row(&self) -> Row {
        Row {
            start: self.start.to_array(),
            end: self.end.to_array(),
        }
    }
}
