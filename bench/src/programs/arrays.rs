//! Programs as the language makes them of a user's text: random operations on whole arrays, with temporaries in device-local memory.

use fastrand::Rng;
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::Step;

use super::Draft;
use super::operand::{Operand, step};

/// Arrays of each length that are read, and as many that are written.
const ARRAYS: u64 = 4;
/// Lengths, in elements: from a line to a MiB.
const LENGTHS: [u64; 6] = [16, 100, 1000, 4096, 50_000, 262_144];
/// Bytes of an element.
const ELEMENT: u64 = 4;
/// Operations that take arrays of one length, and how many sources they have.
const OPERATIONS: [(Opcode, usize); 10] = [
    (Opcode::Copy, 1),
    (Opcode::Add, 2),
    (Opcode::Sub, 2),
    (Opcode::Mul, 2),
    (Opcode::Div, 2),
    (Opcode::Max, 2),
    (Opcode::Fma, 3),
    (Opcode::Neg, 1),
    (Opcode::Abs, 1),
    (Opcode::Sqrt, 1),
];

/// The arrays of one length: `ARRAYS` inputs and as many outputs in the data buffer, and as many temporaries.
#[derive(Clone, Copy)]
struct Family {
    length: u64,
    data: u64,
    scratch: u64,
    /// Temporaries that were written, as bits.
    written: u64,
}

impl Family {
    /// Bytes from one array to the next: whole cache lines.
    fn pitch(self) -> u64 {
        (self.length * ELEMENT).next_multiple_of(64)
    }
}

pub fn draft(count: u32, dice: &mut Rng) -> Draft {
    let mut draft = Draft::default();
    let mut families = LENGTHS.map(|length| {
        let family = Family {
            length,
            data: draft.data,
            scratch: draft.scratch,
            written: 0,
        };
        draft.data += 2 * ARRAYS * family.pitch();
        draft.scratch += ARRAYS * family.pitch();
        family
    });
    let mut one = || {
        let family = dice.usize(..LENGTHS.len());
        random_step(dice, &mut families[family])
    };
    draft.steps = (0..count).map(|_| one()).collect();
    draft
}

fn random_step(dice: &mut Rng, family: &mut Family) -> Step {
    let (opcode, sources) = OPERATIONS[dice.usize(..OPERATIONS.len())];
    let mut operands = [Operand::NONE; 4];
    for source in &mut operands[1..=sources] {
        *source = random_source(dice, *family);
    }
    let number = dice.u64(..ARRAYS);
    operands[0] = if dice.bool() {
        family.written |= 1 << number;
        Operand::scratch(family.scratch + number * family.pitch())
    } else {
        Operand::data(family.data + (ARRAYS + number) * family.pitch())
    };
    step(opcode, ElementType::F32, family.length, &operands)
}

/// An input, or a temporary if the one chosen was written before.
fn random_source(dice: &mut Rng, family: Family) -> Operand {
    let number = dice.u64(..ARRAYS);
    if dice.bool() && family.written & (1 << number) != 0 {
        Operand::scratch(family.scratch + number * family.pitch())
    } else {
        Operand::data(family.data + number * family.pitch())
    }
}
