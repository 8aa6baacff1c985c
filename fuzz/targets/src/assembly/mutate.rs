//! Changes a program by whole steps that keep to the table of operations, with immediates at the edges of their types: bytes changed one
//! by one hardly ever make a step that is not written field by field.

use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::{Space, Step, step_flags};
use hawser_abi::rules::{AuxUse, rule};
use zerocopy::{FromZeros, IntoBytes};

use super::BLOCK;
use crate::choice::Choice;

/// Numbers at which the text of an integer changes.
const EDGES: [u64; 8] = [0, 1, 7, 0x7F, 0x80, 0x7FFF_FFFF, 1 << 63, u64::MAX];

/// Bits of the fractions of the floats.
const FRACTIONS: [usize; 4] = [7, 10, 23, 52];

/// Replaces a step of the program in the first `size` bytes of `bytes`, or adds one; returns the number of bytes that there are then.
pub fn mutate(bytes: &mut [u8], size: usize, seed: u32) -> usize {
    let mut choice = Choice::of(seed);
    let steps = (size / BLOCK).saturating_sub(1);
    let number = 1 + choice.below(steps + 1);
    let Some(place) = bytes.get_mut(number * BLOCK..(number + 1) * BLOCK) else {
        return size;
    };
    place.copy_from_slice(step(&mut choice).as_bytes());
    let end = size.max((number + 1) * BLOCK);
    // What was there of a step that was cut off stays; what was not is zero.
    bytes[size..end]
        .iter_mut()
        .take((number * BLOCK).saturating_sub(size))
        .for_each(|byte| *byte = 0);
    end / BLOCK * BLOCK
}

/// A step that the table of operations allows, but for one field now and then.
fn step(choice: &mut Choice) -> Step {
    let mut step = Step::new_zeroed();
    let Some(operation) = choice.one(&Opcode::ALL) else {
        return step;
    };
    let rule = rule(operation);
    let types: Vec<_> = ElementType::ALL
        .into_iter()
        .filter(|element| rule.types & element.bit() != 0)
        .collect();
    let element = choice.one(&types).unwrap_or(ElementType::U8);
    (step.opcode, step.element_type) = (operation as u8, element as u8);
    step.count = edge(choice);
    for (operand, allowed) in rule.operands.iter().enumerate() {
        let spaces: Vec<u8> = (0..4).filter(|space| allowed.spaces & 1 << space != 0).collect();
        let space = choice.one(&spaces).unwrap_or_default();
        step.spaces[operand] = space;
        if space == Space::Immediate as u8 {
            step.immediate = immediate(choice, element);
        } else if space != Space::None as u8 {
            step.offsets[operand] = edge(choice);
        }
    }
    if choice.below(4) == 0 {
        step.flags = step_flags::SATURATE;
    }
    match rule.aux {
        AuxUse::SourceType => step.aux_type = choice.one(&types).unwrap_or(element) as u8,
        AuxUse::Predicate => step.aux[0] = choice.below(6) as u32,
        AuxUse::Rows => step.aux[0] = edge(choice) as u32,
        AuxUse::Product => step.aux = [edge(choice) as u32, edge(choice) as u32],
        AuxUse::Unused => {}
    }
    if choice.below(8) == 0 {
        let at = choice.below(BLOCK);
        step.as_mut_bytes()[at] ^= 1 << choice.below(8);
    }
    step
}

fn edge(choice: &mut Choice) -> u64 {
    EDGES[choice.below(EDGES.len())].wrapping_sub(choice.below(2) as u64)
}

/// An element whose upper bits are ones, but for a bit here and there: it has any sign, and often the exponent of infinity and of NaN.
fn immediate(choice: &mut Choice, element: ElementType) -> u64 {
    let width = 8 * element.size() as usize;
    let zeros = match choice.below(2) {
        0 => choice.below(width),
        _ => (FRACTIONS[choice.below(FRACTIONS.len())] - choice.below(2)).min(width - 1),
    };
    let upper = u64::MAX >> (64 - width) >> zeros << zeros;
    let sign = (choice.below(2) as u64) << (width - 1);
    let payload = (choice.below(2) as u64) << choice.below(width);
    upper ^ sign ^ payload
}

#[cfg(test)]
mod tests {
    use super::*;
    use hawser::assembly::disassemble;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn inputs_stay_within_their_room(bytes in prop::collection::vec(any::<u8>(), 0..600), seed: u32, part in 0_usize..600) {
            let mut changed = bytes.clone();
            let size = mutate(&mut changed, part.min(bytes.len()), seed);
            prop_assert!(size <= bytes.len());
            prop_assert_eq!(changed.len(), bytes.len());
        }
    }

    /// Steps are written by the table, and among them are the elements that are hardest to write.
    #[test]
    fn steps_are_written_by_the_table() {
        let texts: Vec<String> = (0..8000)
            .map(|seed| {
                let mut bytes = [0; 2 * BLOCK];
                assert_eq!(mutate(&mut bytes, 0, seed), bytes.len());
                disassemble(&bytes).expect("it is whole")
            })
            .collect();
        let with = |part: &str| texts.iter().filter(|text| text.contains(part)).count();
        assert!(
            with(".step opcode") < texts.len() / 2,
            "{} field by field",
            with(".step opcode")
        );
        for hard in [" -inf", " nan", "bits(0x", ".sat", "e-", " -1 "] {
            assert!(with(hard) > 0, "{hard}");
        }
    }
}
