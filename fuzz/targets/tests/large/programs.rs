//! Large programs: hundreds of steps, whose operands lie all over some MiB of both spaces. Only such reach what is there for many intervals, and for more of
//! device-local memory than is remembered at once.

use std::ops::Range;

use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{Space, Step};
use hawser_programs::RandomProgram;
use hawser_programs::steps::{IMMEDIATE, Where, data, scratch, step};
use proptest::prelude::*;
use proptest::sample::Index;

/// Bytes of the data buffer.
pub const DATA: u64 = 8 << 20;
/// Bytes of the window of device-local memory.
pub const SCRATCH: u64 = 6 << 20;
/// Most steps.
pub const MOST_STEPS: u32 = 2000;
/// Bytes at the start of a space where every fourth operand lies, so that many overlap, touch, and are read as well as written.
const BUSY: u64 = 256 << 10;

/// Numbers from which a step is made: its shape, then the place of each operand.
type Numbers = [u32; 5];

/// A step that is made wrong: which, and how.
type Wrong = Option<(Index, u32)>;

/// Programs that break no rule, and as many that may break one.
pub fn programs() -> impl Strategy<Value = RandomProgram> {
    let wrong = proptest::option::of((any::<Index>(), any::<u32>()));
    (numbers(), wrong).prop_map(|(numbers, wrong)| program(steps(&numbers, wrong)))
}

/// Programs that break no rule.
pub fn right_programs() -> impl Strategy<Value = RandomProgram> {
    numbers().prop_map(|numbers| program(steps(&numbers, None)))
}

fn numbers() -> impl Strategy<Value = Vec<Numbers>> {
    proptest::collection::vec(any::<Numbers>(), 600..MOST_STEPS as usize)
}

fn program(steps: Vec<Step>) -> RandomProgram {
    RandomProgram {
        steps,
        data_size: DATA,
        scratch_size: SCRATCH,
    }
}

fn steps(numbers: &[Numbers], wrong: Wrong) -> Vec<Step> {
    let wrong = wrong.map(|(index, how)| (index.index(numbers.len()), how));
    let mut written = Written::default();
    let made = numbers.iter().enumerate().map(|(at, numbers)| {
        let right = written.next_step(numbers);
        match wrong {
            Some((index, how)) if index == at => written.spoiled(right, how),
            _ => right,
        }
    });
    made.collect()
}

/// What a program has written of device-local memory so far, an entry for each step that did.
#[derive(Default)]
struct Written(Vec<Range<u64>>);

/// Elements of a step.
#[derive(Clone, Copy)]
struct Shape {
    element: ElementType,
    count: u64,
}

impl Shape {
    fn of(number: u32) -> Self {
        let element = [ElementType::U8, ElementType::U16, ElementType::F32, ElementType::U64][number as usize % 4];
        let few = u64::from(number >> 8) % 64 + 1;
        let count = if number >> 16 & 15 == 0 { few * 64 } else { few };
        Self { element, count }
    }

    fn bytes(self) -> u64 {
        self.count * self.element.size()
    }

    /// The rows of a matrix of so many elements.
    fn rows(self) -> u32 {
        1 << self.count.trailing_zeros().min(2)
    }

    /// An offset in a space of `room` bytes.
    fn offset(self, number: u32, room: u64) -> u64 {
        let room = if number & 3 != 0 { room } else { BUSY };
        let last = (room - self.bytes()) / self.element.size();
        u64::from(number >> 2) % (last + 1) * self.element.size()
    }
}

/// Where a step writes.
#[derive(Clone, Copy)]
struct Target {
    place: Where,
    bytes: u64,
}

impl Target {
    fn overlaps(self, (space, at): Where, bytes: u64) -> bool {
        let (of, start) = self.place;
        space == of && at < start + self.bytes && start < at + bytes
    }
}

impl Written {
    fn next_step(&mut self, numbers: &Numbers) -> Step {
        let [head, to, sources @ ..] = numbers;
        let shape = Shape::of(*head);
        let destination = if (head >> 20 & 0xFF) % 3 == 0 {
            data(shape.offset(*to, DATA))
        } else {
            scratch(shape.offset(*to, SCRATCH) / 8 * 8)
        };
        let target = Target {
            place: destination,
            bytes: shape.bytes(),
        };
        let [a, b, c] = sources.map(|number| self.source(number, shape, target));
        let made = |opcode, operands: &[Where]| step(opcode, shape.element, shape.count, operands);
        let made = match head >> 28 & 15 {
            0 | 1 => made(Opcode::Fill, &[destination, IMMEDIATE]),
            2..=4 => made(Opcode::Copy, &[destination, a]),
            5..=7 => made(Opcode::Add, &[destination, a, b]),
            8..=12 => made(Opcode::Fma, &[destination, a, b, c]),
            13 => self.convert(sources[0], shape, target),
            14 => self.transpose(sources[0], shape, target),
            _ => self.multiply([sources[0], sources[1]], shape, target),
        };
        if let (Space::Scratch, start) = destination {
            self.0.push(start..start + shape.bytes());
        }
        made
    }

    /// From numbers of eight bytes, or in place.
    fn convert(&self, number: u32, shape: Shape, target: Target) -> Step {
        let wide = Shape {
            element: ElementType::F64,
            ..shape
        };
        let source = self.source(number, wide, target);
        let from = if source == target.place {
            shape.element
        } else {
            wide.element
        };
        Step {
            aux_type: from as u8,
            ..step(Opcode::Convert, shape.element, shape.count, &[target.place, source])
        }
    }

    /// Of up to four rows; a copy where it would be in place.
    fn transpose(&self, number: u32, shape: Shape, target: Target) -> Step {
        let source = self.source(number, shape, target);
        if source == target.place {
            return step(Opcode::Copy, shape.element, shape.count, &[target.place, source]);
        }
        Step {
            aux: [shape.rows(), 0],
            ..step(Opcode::Transpose, shape.element, shape.count, &[target.place, source])
        }
    }

    /// Of up to four rows and columns of three elements; a copy where it would be in place.
    fn multiply(&self, numbers: [u32; 2], shape: Shape, target: Target) -> Step {
        let (rows, inner) = (shape.rows(), 3);
        let counts = [u64::from(rows), shape.count / u64::from(rows)].map(|count| count * u64::from(inner));
        let [left, right] = [0, 1].map(|side| {
            let count = counts[side];
            self.source(numbers[side], Shape { count, ..shape }, target)
        });
        if [left, right].contains(&target.place) {
            return step(Opcode::Copy, shape.element, shape.count, &[target.place, target.place]);
        }
        Step {
            aux: [rows, inner],
            ..step(Opcode::MatMul, shape.element, shape.count, &[target.place, left, right])
        }
    }

    /// What was written to device-local memory, where that is long enough, or else data; in place, where it would overlap the destination.
    fn source(&self, number: u32, shape: Shape, target: Target) -> Where {
        let bytes = shape.bytes();
        let found = if number >> 30 == 0 {
            self.temporary(number, shape)
        } else {
            None
        };
        let found = found.filter(|found| !target.overlaps(*found, bytes));
        let place = found.unwrap_or_else(|| data(shape.offset(number, DATA)));
        if target.overlaps(place, bytes) {
            target.place
        } else {
            place
        }
    }

    fn temporary(&self, number: u32, shape: Shape) -> Option<Where> {
        let (number, count) = (u64::from(number), self.0.len() as u64);
        let range = self.0.get(number.checked_rem(count)? as usize)?;
        let spare = (range.end - range.start).checked_sub(shape.bytes())? / shape.element.size();
        Some(scratch(
            range.start + number / count % (spare + 1) * shape.element.size(),
        ))
    }

    /// A step that may break a rule in place of one that does not.
    fn spoiled(&self, right: Step, how: u32) -> Step {
        let number = u64::from(how / 10);
        let reads = |from: u64, count| step(Opcode::Copy, ElementType::U8, count, &[data(0), scratch(from)]);
        let any = number % self.0.len().max(1) as u64;
        let range = self.0.get(any as usize).cloned().unwrap_or(0..1);
        let mut wrong = right;
        match how % 10 {
            // Others may have written what is beside the range.
            0 | 1 => return reads(range.start, range.end - range.start + 1),
            2 | 3 => return reads(range.start.saturating_sub(1), range.end - range.start),
            4 => return reads(number % (SCRATCH - 600), number % 600 + 1),
            5 => wrong.offsets[number as usize % 2] += DATA,
            6 => wrong.count += DATA,
            7 => wrong.aux[0] += 1,
            8 => wrong.aux_type ^= 3,
            _ => wrong.flags |= 2,
        }
        wrong
    }
}
