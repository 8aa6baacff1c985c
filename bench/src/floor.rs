//! What no check can be faster than: copying the bytes, and reading them with the ranges of each step compared with a limit.

use hawser_abi::op::ElementType;
use hawser_abi::program::{Step, SubmitHeader};

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
    let steps = program.get(size_of::<SubmitHeader>()..).unwrap_or_default();
    let (steps, _) = steps.as_chunks::<{ size_of::<Step>() }>();
    let mut everything = 0;
    for step in steps {
        let step: Step = zerocopy::transmute!(*step);
        everything |= rest_of(&step);
        let size = SIZES[usize::from(step.element_type) % TYPES];
        let [destination, a, b, _] = step.offsets;
        let Some(bytes) = step.count.checked_mul(size) else {
            return false;
        };
        let below = |offset: u64| offset.checked_add(bytes).is_some_and(|end| end <= limit);
        if !(below(destination) && below(a) && below(b)) {
            return false;
        }
    }
    std::hint::black_box(everything);
    true
}

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
        let program = Kind::Ordered.draft(40, 0).program();
        let mut to = vec![0; program.bytes.len()];
        copy(&program.bytes, &mut to);
        assert_eq!(to, program.bytes);
        assert!(read_and_compare(&program.bytes, program.shape.length));
        assert!(!read_and_compare(&program.bytes, program.shape.length / 2));
        assert!(!read_and_compare(&program.bytes, 0));
    }
}
