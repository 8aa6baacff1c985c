//! What no check can be faster than: copying the bytes, and reading them with the ranges of each step compared with limits.

use hawser_abi::op::ElementType;
use hawser_abi::program::{Space, Step, SubmitHeader};

/// Copies all bytes, if there is room for them.
pub fn copy(from: &[u8], to: &mut [u8]) {
    if let Some(to) = to.get_mut(..from.len()) {
        to.copy_from_slice(from);
    }
}

/// Values of the lower half of an element type's byte.
const TYPES: usize = 16;
/// Bytes of an element, by element type.
const SIZES: [u64; TYPES] = {
    let (mut sizes, mut next) = ([0; TYPES], 0);
    while next < ElementType::ALL.len() {
        let element = ElementType::ALL[next];
        sizes[element as usize] = element.size();
        next += 1;
    }
    sizes
};

/// Reads every step of a program completely, and compares destination and two sources with a limit; whether all of them lie below it.
///
/// This is no check: operands are not asked where they lie, how many elements each has, whether they are allowed, or what they overlap.
pub fn read_and_compare(program: &[u8], limit: u64) -> bool {
    read_all(program, |step, bytes| {
        let below = |offset: u64| offset.checked_add(bytes).is_some_and(|end| end <= limit);
        let [destination, a, b, _] = step.offsets;
        below(destination) && below(a) && below(b)
    })
}

/// Places behind which no operand may end, by the number of its space.
pub type Limits = [u64; SPACES];

/// Numbers of spaces.
const SPACES: usize = 4;

/// Reads every step of a program completely, and compares the range of each of its four operands with the limit of the space in which it lies; whether all of them lie below it.
///
/// This is no check either: it takes all operands for as many elements of the step's type as the step counts, allows every operation everything, and does not ask what overlaps, is aligned, or was written.
/// But no check can do with less.
pub fn read_and_check_ranges(program: &[u8], limits: &Limits) -> bool {
    read_all(program, |step, bytes| {
        let below = |(space, offset): (&u8, &u64)| {
            let space = usize::from(*space) % SPACES;
            let length = bytes & IN_MEMORY[space];
            offset.checked_add(length).is_some_and(|end| end <= limits[space])
        };
        step.spaces.iter().zip(&step.offsets).all(below)
    })
}

/// Reads every step of a program completely, up to the first that is not right, given how many bytes as many elements have as it counts.
#[inline(always)]
fn read_all(program: &[u8], is_right: impl Fn(&Step, u64) -> bool) -> bool {
    let steps = program.get(size_of::<SubmitHeader>()..).unwrap_or_default();
    let (steps, _) = steps.as_chunks::<{ size_of::<Step>() }>();
    let mut everything = 0;
    for step in steps {
        let step: Step = zerocopy::transmute!(*step);
        everything |= rest_of(&step);
        let size = SIZES[usize::from(step.element_type) % TYPES];
        if !step.count.checked_mul(size).is_some_and(|bytes| is_right(&step, bytes)) {
            return false;
        }
    }
    std::hint::black_box(everything);
    true
}

/// All bits for spaces in memory, by their number.
const IN_MEMORY: [u64; SPACES] = {
    let mut masks = [0; SPACES];
    masks[Space::Data as usize] = u64::MAX;
    masks[Space::Scratch as usize] = u64::MAX;
    masks
};

/// Everything of a step that is not compared.
fn rest_of(step: &Step) -> u64 {
    let head = [step.opcode, step.aux_type, step.flags, 0].map(u32::from);
    let [aux_a, aux_b] = step.aux;
    let [_, _, _, c] = step.offsets;
    let small = head.iter().fold(aux_a | aux_b, |sum, byte| sum | byte) | u32::from_le_bytes(step.spaces);
    c | step.immediate | u64::from(small)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::programs::Kind;

    #[test]
    fn ranges_are_compared_with_the_limit() {
        let draft = Kind::Ordered.draft(40, 0);
        let (data, scratch) = (draft.data, draft.scratch);
        let program = draft.program();
        let mut to = vec![0; program.bytes.len()];
        copy(&program.bytes, &mut to);
        assert_eq!(to, program.bytes);
        assert!(read_and_compare(&program.bytes, program.shape.length));
        assert!(!read_and_compare(&program.bytes, program.shape.length / 2));
        assert!(!read_and_compare(&program.bytes, 0));

        assert!(read_and_check_ranges(&program.bytes, &[0, data, scratch, 0]));
        assert!(!read_and_check_ranges(&program.bytes, &[0, data - 1, scratch, 0]));
        assert!(!read_and_check_ranges(&program.bytes, &[0, data, scratch - 1, 0]));
    }
}
