//! Programs that an adversary would write: as many intervals as steps can make, in the orders that are hardest to sort and to search.

use fastrand::Rng;
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{MAX_DATA, MAX_STEPS, Step};

use super::Draft;
use super::operand::{Operand, step};

/// Places at a distance from each other that are visited in bit-reversed order: neighbours in time are far apart in memory.
///
/// Each visit is to one byte somewhere in the first half of its place, so that the low bits of offsets differ and no two bytes touch.
#[derive(Clone, Copy)]
struct Places {
    count: u64,
    pitch: u64,
}

impl Places {
    fn new(count: u64, pitch: u64) -> Self {
        let count = count.next_power_of_two().max(2);
        Self { count, pitch }
    }

    /// As many places as `count`, as far apart as `bytes` allow.
    fn within(count: u64, bytes: u64) -> Self {
        let places = Self::new(count, 1);
        Self {
            pitch: bytes / places.count,
            ..places
        }
    }

    /// Bytes of all places.
    fn bytes(self) -> u64 {
        self.count * self.pitch
    }

    /// Start of the place that is visited as the `index`-th.
    fn start(self, index: u64) -> u64 {
        let reversed = index.reverse_bits() >> (64 - self.count.ilog2());
        reversed * self.pitch
    }

    /// A byte of that place.
    fn byte(self, index: u64) -> u64 {
        let spread = (self.pitch / 2).max(1);
        self.start(index) + index.wrapping_mul(2_654_435_761) % spread
    }
}

fn draft(count: u32, data: u64, scratch: u64, of: impl FnMut(u64) -> Step) -> Draft {
    Draft {
        steps: (0..count.into()).map(of).collect(),
        data,
        scratch,
    }
}

fn fma(count: u64, operands: [Operand; 4]) -> Step {
    step(Opcode::Fma, ElementType::U8, count, &operands)
}

/// Three intervals read and one written in each step, one byte each, all over the largest data buffer. No two touch.
pub fn scattered(count: u32) -> Draft {
    let total = u64::from(count);
    let quarter = Places::within(MAX_STEPS.into(), MAX_DATA / 4);
    draft(count, MAX_DATA, 0, |index| {
        fma(
            1,
            [0, 1, 2, 3].map(|number| {
                let visit = (index + number * 7919) % total;
                Operand::data(number * quarter.bytes() + quarter.byte(visit))
            }),
        )
    })
}

/// The first step reads and writes large ranges, whole; the others write bytes all over what it reads, and read bytes all over what it
/// writes. Both ends of every interval are then an edge in the plan, which is as many pieces as steps can make.
pub fn fragments(count: u32) -> Draft {
    let total = u64::from(count);
    let places = Places::new(3 * total, 4);
    let range = places.bytes();
    draft(count, 4 * range, 0, |index| {
        if index == 0 {
            return fma(range, [0, 1, 2, 3].map(|number| Operand::data(number * range)));
        }
        // The odd byte of a place, so that no edge falls together with one of a range.
        let written = range + places.start(index) + 1;
        let read = [0, 1, 2].map(|number| places.start(3 * index + number) + 1);
        let [a, b, c] = read.map(Operand::data);
        fma(1, [Operand::data(written), a, b, c])
    })
}

/// Small parts of regions, and last each region as a whole; no two regions touch, and steps that follow each other are in regions far apart.
pub fn nested(count: u32) -> Draft {
    /// Visits of each region.
    const VISITS: u64 = 64;
    let regions = u64::from(count).div_ceil(VISITS);
    let region = 8 * VISITS;
    let places = Places::new(regions, region);
    draft(count, 4 * places.bytes(), 0, |index| {
        let visit = index / regions;
        let (offset, length) = if visit == VISITS - 1 {
            (0, region - 8)
        } else {
            (visit * 8, 4)
        };
        fma(
            length,
            [0, 1, 2, 3].map(|number| {
                let start = places.start((index + number * 11) % regions);
                Operand::data(number * places.bytes() + start + offset)
            }),
        )
    })
}

/// Bytes of device-local memory that adversaries use: all that revision 1 has.
const SCRATCH: u64 = hawser_abi::pci::MEMORY_BAR_SIZE;

/// Ranges of every length up to half the device-local memory, one over the other; what one step writes, the next one reads.
pub fn overlapping(count: u32) -> Draft {
    /// Lengths: powers of two, up to half the device-local memory.
    const LENGTHS: u64 = SCRATCH.ilog2() as u64;
    in_pairs(count, |pair| 1 << (pair % LENGTHS))
}

/// Ranges of half the device-local memory, one over the other; what one step writes, the next one reads.
pub fn wide(count: u32) -> Draft {
    in_pairs(count, |_| SCRATCH / 2)
}

/// Pairs of steps on as many bytes as `length_of` says, of which the first writes a temporary that the second reads.
fn in_pairs(count: u32, length_of: impl Fn(u64) -> u64) -> Draft {
    let half = SCRATCH / 2;
    draft(count, 3 * SCRATCH, SCRATCH, |index| {
        let pair = index / 2;
        let length = length_of(pair);
        let scattered = pair.wrapping_mul(2_654_435_761);
        let temporary = Operand::scratch(scattered % (half + 1));
        let [a, b, destination] =
            [0, 1, 2].map(|number| Operand::data(number * SCRATCH + (scattered >> number) % (half + 1)));
        if index.is_multiple_of(2) {
            step(Opcode::Add, ElementType::U8, length, &[temporary, a, b])
        } else {
            fma(length, [destination, a, b, temporary])
        }
    })
}

/// Each step adds a byte to what is written of device-local memory, and reads three earlier ones. No two touch, and there are 32 in each unit of which the check remembers one run.
pub fn scratch(count: u32, dice: &mut Rng) -> Draft {
    /// Bytes for each of the bytes that are written.
    const PITCH: u64 = 16;
    let places = Places::new(MAX_STEPS.into(), PITCH);
    draft(count, 1, SCRATCH, |index| {
        let place = |index: u64| Operand::scratch(places.byte(index));
        if index == 0 {
            return step(Opcode::Fill, ElementType::U8, 1, &[place(0), Operand::IMMEDIATE]);
        }
        let [a, b, c] = [(); 3].map(|()| place(dice.u64(..index)));
        fma(1, [place(index), a, b, c])
    })
}
