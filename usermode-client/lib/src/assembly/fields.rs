//! The fields of a header and of a step, by the names of the contract: what directives are called, and where their numbers go.

use std::mem::offset_of;

use hawser_abi::program::{Step, SubmitHeader};

/// Bytes of a header, and of a step.
pub(super) const BLOCK: usize = 64;

/// A header or a step.
pub(super) type Block = [u8; BLOCK];

const _: () = assert!(size_of::<SubmitHeader>() == BLOCK && size_of::<Step>() == BLOCK);

/// How the numbers of a field are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    Decimal,
    Hexadecimal,
}

/// A field of one number, or of several of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) base: Base,
    /// Byte of the block where the first number begins.
    at: usize,
    /// Bytes of a number.
    size: usize,
    /// How many there are.
    pub(super) numbers: usize,
}

impl Field {
    const fn new(name: &'static str, at: usize, size: usize) -> Self {
        Self {
            name,
            base: Base::Decimal,
            at,
            size,
            numbers: 1,
        }
    }

    const fn several(self, numbers: usize) -> Self {
        Self { numbers, ..self }
    }

    const fn hexadecimal(self) -> Self {
        Self {
            base: Base::Hexadecimal,
            ..self
        }
    }

    /// The largest number that fits.
    pub(super) fn most(&self) -> u64 {
        u64::MAX >> (64 - 8 * self.size)
    }

    /// The numbers of the field in a block.
    pub(super) fn read(&self, block: &Block) -> Vec<u64> {
        let bytes = &block[self.at..self.at + self.size * self.numbers];
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .rev()
                .fold(0, |number, byte| number << 8 | u64::from(*byte))
        };
        bytes.chunks_exact(self.size).map(number).collect()
    }

    /// Puts numbers into the field. What does not fit is cut off, and what is missing stays as it was.
    pub(super) fn write(&self, block: &mut Block, numbers: &[u64]) {
        let bytes = &mut block[self.at..self.at + self.size * self.numbers];
        for (place, number) in bytes.chunks_exact_mut(self.size).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes()[..self.size]);
        }
    }
}

/// The fields of a header. A directive sets each; those that no directive sets follow from the steps.
pub(super) const HEADER: [Field; 13] = [
    Field::new("data_size", offset_of!(SubmitHeader, data_size), 8),
    Field::new("scratch_size", offset_of!(SubmitHeader, scratch_size), 8),
    Field::new("cookie", offset_of!(SubmitHeader, cookie), 8),
    Field::new("timeout_ms", offset_of!(SubmitHeader, timeout_ms), 4),
    Field::new("magic", offset_of!(SubmitHeader, magic), 4).hexadecimal(),
    Field::new("version", offset_of!(SubmitHeader, version), 2),
    Field::new("header_size", offset_of!(SubmitHeader, header_size), 2),
    Field::new("total_size", offset_of!(SubmitHeader, total_size), 4),
    Field::new("step_size", offset_of!(SubmitHeader, step_size), 2),
    Field::new("step_count", offset_of!(SubmitHeader, step_count), 4),
    Field::new("flags", offset_of!(SubmitHeader, flags), 4).hexadecimal(),
    Field::new("reserved0", offset_of!(SubmitHeader, reserved0), 2).hexadecimal(),
    Field::new("reserved1", offset_of!(SubmitHeader, reserved1), 1)
        .several(12)
        .hexadecimal(),
];

/// The fields of a step that is written field by field. Those that are not written are zero.
pub(super) const STEP: [Field; 9] = [
    Field::new("opcode", offset_of!(Step, opcode), 1),
    Field::new("element_type", offset_of!(Step, element_type), 1),
    Field::new("aux_type", offset_of!(Step, aux_type), 1),
    Field::new("flags", offset_of!(Step, flags), 1).hexadecimal(),
    Field::new("spaces", offset_of!(Step, spaces), 1).several(4),
    Field::new("count", offset_of!(Step, count), 8),
    Field::new("offsets", offset_of!(Step, offsets), 8).several(4),
    Field::new("immediate", offset_of!(Step, immediate), 8).hexadecimal(),
    Field::new("aux", offset_of!(Step, aux), 4).several(2),
];

/// The field of that name.
pub(super) fn find(fields: &'static [Field], name: &str) -> Option<&'static Field> {
    fields.iter().find(|field| field.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The bytes that the fields cover, once each.
    fn covered(fields: &[Field]) -> Vec<u8> {
        let mut times = vec![0; BLOCK];
        for field in fields {
            times[field.at..field.at + field.size * field.numbers]
                .iter_mut()
                .for_each(|times| *times += 1);
        }
        times
    }

    #[test]
    fn the_fields_are_the_whole_block() {
        assert_eq!(covered(&HEADER), [1; BLOCK]);
        assert_eq!(covered(&STEP), [1; BLOCK]);
    }

    #[test]
    fn the_largest_number_of_a_field_fits_into_it() {
        assert_eq!(find(&STEP, "opcode").unwrap().most(), 255);
        assert_eq!(find(&STEP, "count").unwrap().most(), u64::MAX);
        assert_eq!(find(&HEADER, "step_count").unwrap().most(), u64::from(u32::MAX));
        assert_eq!(find(&HEADER, "opcode"), None);
    }

    proptest! {
        #[test]
        fn what_is_read_can_be_written(bytes in prop::array::uniform32(any::<u8>()), more in prop::array::uniform32(any::<u8>())) {
            let block: Block = [bytes, more].concat().try_into().unwrap();
            for fields in [HEADER.as_slice(), &STEP] {
                let mut copy = [0; BLOCK];
                fields.iter().for_each(|field| field.write(&mut copy, &field.read(&block)));
                prop_assert_eq!(copy, block);
            }
        }
    }
}
