//! Changes an input by whole steps and fields, so that a fuzzer gets past the first rules: bytes changed one by one hardly ever make two operands that overlap.

use hawser_abi::program::SubmitHeader;

use super::case::{CONTROL, flags};
use crate::choice::Choice;

const STEP: usize = 64;
const STEPS: usize = CONTROL + size_of::<SubmitHeader>();
/// Positions in a step.
const OPCODE: usize = 0;
const ELEMENT: usize = 1;
const SPACES: usize = 4;
const COUNT: usize = 8;
const OFFSETS: usize = 16;
const AUX: usize = 56;
/// Numbers at which something changes.
const NUMBERS: [u64; 12] = [0, 1, 2, 3, 63, 64, 65, 4095, 4096, 1 << 30, 1 << 61, u64::MAX];

/// Changes the first `size` bytes of `bytes`, and may add or remove a step; returns the number of bytes that there are then.
pub fn mutate(bytes: &mut [u8], size: usize, seed: u32) -> usize {
    let mut choice = Choice::of(seed);
    if bytes.len() < STEPS + STEP {
        return size;
    }
    let count = size.saturating_sub(STEPS) / STEP;
    if count == 0 {
        bytes[size..STEPS + STEP].fill(0);
        bytes[0] |= flags::RIGHT_HEADER;
        return STEPS + STEP;
    }
    let step = |number: usize| STEPS + number * STEP;
    let chosen = step(choice.below(count));
    let other = step(choice.below(count));
    let end = step(count);
    match choice.below(8) {
        0 if end + STEP <= bytes.len() => {
            bytes.copy_within(chosen..chosen + STEP, end);
            bytes[0] |= flags::RIGHT_HEADER;
            return end + STEP;
        }
        1 if count > 1 => {
            bytes.copy_within(chosen + STEP..end, chosen);
            bytes[0] |= flags::RIGHT_HEADER;
            return end - STEP;
        }
        0..=2 => swap(bytes, chosen, other),
        3 | 4 => follow(bytes, (chosen, other), &mut choice),
        5 => {
            let field = [COUNT, OFFSETS, OFFSETS + 8, OFFSETS + 16, OFFSETS + 24][choice.below(5)];
            put(bytes, chosen + field, NUMBERS[choice.below(NUMBERS.len())]);
        }
        6 => {
            bytes[chosen + OPCODE] = 1 + choice.below(29) as u8;
            bytes[chosen + ELEMENT] = 1 + choice.below(12) as u8;
            bytes[chosen + SPACES + choice.below(4)] = choice.below(4) as u8;
            bytes[chosen + AUX] = choice.below(7) as u8;
        }
        _ => bytes[choice.below(CONTROL)] = choice.below(256) as u8,
    }
    end
}

fn swap(bytes: &mut [u8], one: usize, other: usize) {
    for at in 0..STEP {
        bytes.swap(one + at, other + at);
    }
}

/// Lets an operand of one step begin where an operand of another does, or a little before or behind it.
fn follow(bytes: &mut [u8], (to, from): (usize, usize), choice: &mut Choice) {
    let (operand, source) = (choice.below(4), choice.below(4));
    let place = from + OFFSETS + 8 * source;
    let offset = u64::from_le_bytes(bytes[place..place + 8].try_into().expect("8 bytes"));
    let distance = [0, 0, 0, 1, 8, 16, 64, 4096][choice.below(8)];
    let offset = match choice.below(2) {
        0 => offset.wrapping_add(distance),
        _ => offset.wrapping_sub(distance),
    };
    put(bytes, to + OFFSETS + 8 * operand, offset);
    bytes[to + SPACES + operand] = bytes[from + SPACES + source];
}

fn put(bytes: &mut [u8], at: usize, number: u64) {
    bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn inputs_stay_within_their_room(bytes in prop::collection::vec(any::<u8>(), 0..600), seed in any::<u32>(), part in 0_usize..600) {
            let mut changed = bytes.clone();
            let size = mutate(&mut changed, part.min(bytes.len()), seed);
            prop_assert!(size <= bytes.len());
            prop_assert_eq!(changed.len(), bytes.len());
        }
    }

    #[test]
    fn an_empty_input_becomes_a_program() {
        let mut bytes = [0; STEPS + STEP];
        assert_eq!(mutate(&mut bytes, 0, 7), STEPS + STEP);
        assert_eq!(bytes[0], flags::RIGHT_HEADER);
    }
}
