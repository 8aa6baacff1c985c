//! Programs that use everything the contract has, in random order, at random places.

use fastrand::Rng;
use hawser_abi::op::{ElementType, Opcode, Predicate};
use hawser_abi::program::{Space, Step};
use hawser_abi::rules::{ABSENT, AuxUse, ElementOf, Extent, IMMEDIATE, InPlace, MEMORY, OperandRule, Rule, rule};

use super::Draft;
use super::operand::{Operand, step};

/// Bytes of the data buffer.
const DATA: u64 = 64 << 20;
/// Temporaries in device-local memory.
const SLOTS: u64 = 64;
/// Bytes of the place of each temporary: larger than any operand.
const SLOT: u64 = 4096;
/// Most elements of an operand that is no matrix.
const MOST_ELEMENTS: u64 = 256;
/// Most rows and columns of a matrix.
const MOST_ROWS: u32 = 16;

/// Bytes written at the start of each temporary.
type Written = [u64; SLOTS as usize];

/// A program of operations that are among `operations`, as bits.
pub fn draft(count: u32, operations: u64, dice: &mut Rng) -> Draft {
    let mut written: Written = [0; SLOTS as usize];
    let steps = (0..count)
        .map(|_| {
            let outline = outline(dice, operations);
            random_step(dice, outline, &mut written)
        })
        .collect();
    Draft {
        steps,
        data: DATA,
        scratch: SLOTS * SLOT,
    }
}

/// A step without operands, and the sizes that these must have.
struct Outline {
    rule: &'static Rule,
    step: Step,
    /// Bytes of an element, by [`ElementOf`].
    sizes: [u64; 4],
}

impl Outline {
    fn size(&self, operand: OperandRule) -> u64 {
        self.sizes[operand.element as usize]
    }

    fn bytes(&self, operand: OperandRule) -> u64 {
        let elements = operand.extent.elements(&self.step).expect("the shape is a small one");
        elements * self.size(operand)
    }
}

/// Gives a step its operands.
fn random_step(dice: &mut Rng, mut outline: Outline, written: &mut Written) -> Step {
    let [destination, sources @ ..] = outline.rule.operands;
    let (to, length) = (
        random_destination(dice, &outline, destination),
        outline.bytes(destination),
    );
    let mut operands = [to, Operand::NONE, Operand::NONE, Operand::NONE];
    for (operand, rule) in operands.iter_mut().skip(1).zip(sources) {
        *operand = random_source(dice, &outline, rule, (to, length), written);
    }
    if to.space == Space::Scratch {
        let slot = &mut written[(to.offset / SLOT) as usize];
        *slot = (*slot).max(length);
    }
    for (at, operand) in operands.iter().enumerate() {
        outline.step.spaces[at] = operand.space as u8;
        outline.step.offsets[at] = operand.offset;
    }
    if operands.contains(&Operand::IMMEDIATE) {
        let bits = 8 * outline.sizes[ElementOf::Step as usize];
        outline.step.immediate = dice.u64(..) >> (64 - bits);
    }
    outline.step
}

fn outline(dice: &mut Rng, operations: u64) -> Outline {
    let opcode = random_operation(dice, operations);
    let rule = rule(opcode);
    let element = random_type(dice, rule.types);
    let source = if rule.aux == AuxUse::SourceType {
        random_type(dice, rule.types)
    } else {
        element
    };
    let [rows, inner, columns] = [(); 3].map(|()| dice.u32(1..=MOST_ROWS));
    let (count, aux) = match rule.aux {
        AuxUse::Unused | AuxUse::SourceType => (dice.u64(1..=MOST_ELEMENTS), [0; 2]),
        AuxUse::Predicate => (
            dice.u64(1..=MOST_ELEMENTS),
            [dice.u32(..Predicate::ALL.len() as u32), 0],
        ),
        AuxUse::Product => (u64::from(rows * columns), [rows, inner]),
        AuxUse::Rows => (u64::from(rows * columns), [rows, 0]),
    };
    let step = Step {
        aux_type: if rule.aux == AuxUse::SourceType {
            source as u8
        } else {
            0
        },
        flags: dice.u8(..) & rule.flags(element) & rule.flags(source),
        aux,
        ..step(opcode, element, count, &[])
    };
    Outline {
        rule,
        step,
        sizes: [element.size(), 1, 8, source.size()],
    }
}

fn random_operation(dice: &mut Rng, operations: u64) -> Opcode {
    loop {
        let opcode = Opcode::ALL[dice.usize(..Opcode::ALL.len())];
        if operations & opcode.bit() != 0 {
            return opcode;
        }
    }
}

fn random_type(dice: &mut Rng, types: u32) -> ElementType {
    loop {
        let element = ElementType::ALL[dice.usize(..ElementType::ALL.len())];
        if types & element.bit() != 0 {
            return element;
        }
    }
}

/// A quarter of the results are temporaries.
fn random_destination(dice: &mut Rng, outline: &Outline, rule: OperandRule) -> Operand {
    if dice.u8(..4) == 0 {
        return Operand::scratch(dice.u64(..SLOTS) * SLOT);
    }
    random_data(dice, outline, rule)
}

fn random_data(dice: &mut Rng, outline: &Outline, rule: OperandRule) -> Operand {
    let size = outline.size(rule);
    let last = (DATA - outline.bytes(rule)) / size;
    Operand::data(dice.u64(..=last) * size)
}

/// An eighth of the sources are immediates where they can be, an eighth of the rest is worked on in place, a third are temporaries where
/// one is large enough.
fn random_source(
    dice: &mut Rng,
    outline: &Outline,
    rule: OperandRule,
    (to, length): (Operand, u64),
    written: &Written,
) -> Operand {
    if rule.spaces == ABSENT {
        return Operand::NONE;
    }
    if rule.spaces == IMMEDIATE || (rule.spaces & IMMEDIATE != 0 && dice.u8(..8) == 0) {
        return Operand::IMMEDIATE;
    }
    debug_assert_ne!(rule.spaces & MEMORY, 0);
    let bytes = outline.bytes(rule);
    let same = rule.extent == Extent::Count && bytes == length;
    if outline.rule.in_place == InPlace::Allowed && same && to.space == Space::Data && dice.u8(..8) == 0 {
        return to;
    }
    if dice.u8(..3) == 0 {
        let slot = dice.u64(..SLOTS);
        let room = written[slot as usize];
        if room >= bytes && Operand::scratch(slot * SLOT) != to {
            let shift = dice.u64(..=(room - bytes) / outline.size(rule)) * outline.size(rule);
            return Operand::scratch(slot * SLOT + shift);
        }
    }
    loop {
        let found = random_data(dice, outline, rule);
        let apart = found.offset + bytes <= to.offset || to.offset + length <= found.offset;
        if to.space != Space::Data || apart {
            return found;
        }
    }
}
