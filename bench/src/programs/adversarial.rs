//! Programs that an adversary would write: as many intervals as steps can make, in the orders that are hardest to sort and to search.

use fastrand::Rng;
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::Step;

use super::Draft;
use super::operand::{Operand, step};

/// Which of `count` places is visited as the `index`-th: places far apart follow each other.
fn bit_reversed(index: u64, count: u64) -> u64 {
    let places = count.next_power_of_two().max(2);
    index.reverse_bits() >> (64 - places.ilog2())
}

/// Bytes that hold every place of [`bit_reversed`], `pitch` bytes each.
fn space(count: u64, pitch: u64) -> u64 {
    count.next_power_of_two().max(2) * pitch
}

fn draft(count: u32, data: u64, scratch: u64, of: impl FnMut(u64) -> Step) -> Draft {
    Draft {
        steps: (0..count.into()).map(of).collect(),
        data,
        scratch,
    }
}

/// Three intervals read and one written in each step, one byte each with a byte between, none of which touches another.
pub fn scattered(count: u32) -> Draft {
    let total = u64::from(count);
    let region = space(total, 2);
    draft(count, 4 * region, 0, |index| {
        let place = |region_number: u64| {
            let index = (index + region_number * 7919) % total;
            Operand::data(region_number * region + 2 * bit_reversed(index, total))
        };
        step(
            Opcode::Fma,
            ElementType::U8,
            1,
            &[place(0), place(1), place(2), place(3)],
        )
    })
}

/// Groups of 16 bytes, each with three intervals that are read and one that is written across the first two of them. A step writes in one
/// group and reads in another.
pub fn fragments(count: u32) -> Draft {
    const GROUP: u64 = 16;
    let total = u64::from(count);
    draft(count, space(total, GROUP) + GROUP, 0, |index| {
        let read = GROUP * bit_reversed(index, total);
        let written = GROUP * bit_reversed((index + 1) % total, total);
        let sources = [0, 5, 10].map(|at| Operand::data(read + at));
        let [a, b, c] = sources;
        step(Opcode::Fma, ElementType::U8, 4, &[Operand::data(written + 2), a, b, c])
    })
}

/// Regions that are read as a whole once and in small parts otherwise; steps that follow each other are in regions far apart.
pub fn nested(count: u32) -> Draft {
    /// Bytes of a region.
    const REGION: u64 = 256;
    let total = u64::from(count);
    let regions = total.div_ceil(64);
    let half = space(regions, 2 * REGION);
    draft(count, 2 * half, 0, |index| {
        let at = |shift: u64| 2 * REGION * bit_reversed((index + shift) % regions, regions);
        let within = index / regions;
        // The last visit of each region is to all of it.
        let (offset, length) = if within == 63 { (0, REGION) } else { (within * 4, 2) };
        let [a, b, c] = [0, 11, 23].map(|shift| Operand::data(half + at(shift) + offset));
        let destination = Operand::data(at(5) + offset);
        step(Opcode::Fma, ElementType::U8, length, &[destination, a, b, c])
    })
}

/// Each step adds an interval to what is written of device-local memory, and reads three earlier ones.
pub fn scratch(count: u32, dice: &mut Rng) -> Draft {
    let total = u64::from(count);
    draft(count, 64, space(total, 2), |index| {
        let place = |index: u64| Operand::scratch(2 * bit_reversed(index, total));
        if index == 0 {
            return step(Opcode::Fill, ElementType::U8, 1, &[place(0), Operand::IMMEDIATE]);
        }
        let [a, b, c] = [(); 3].map(|()| place(dice.u64(..index)));
        step(Opcode::Fma, ElementType::U8, 1, &[place(index), a, b, c])
    })
}
