//! The two spaces of a program: the caller's data and scratch memory, of which it is known which bytes have been written.

use hawser_abi::program::OperandIndex;

use super::ReferenceFault;
use super::action::{Action, Destination, Operand, Place, Source};
use super::rules;

/// The memory of one run.
pub(super) struct Memory<'a> {
    data: &'a mut [u8],
    scratch: Vec<u8>,
    /// For each byte of scratch memory, whether it has been written.
    written: Vec<bool>,
}

impl<'a> Memory<'a> {
    pub(super) fn new(data: &'a mut [u8], scratch_size: usize) -> Self {
        Self {
            data,
            scratch: vec![0; scratch_size],
            written: vec![false; scratch_size],
        }
    }

    /// Checks that a step stays inside its spaces, reads nothing that was not written, and overlaps nothing but exactly.
    pub(super) fn check(&self, action: &Action, step: usize) -> Result<(), ReferenceFault> {
        if !self.contains(action.dst.place, action.dst.extent.bytes()) {
            let operand = OperandIndex::Dst;
            return Err(ReferenceFault::OutOfBounds { step, operand });
        }
        let named = [OperandIndex::A, OperandIndex::B, OperandIndex::C];
        for (operand, source) in named.into_iter().zip(&action.sources) {
            let Source::At(place) = source.source else {
                continue;
            };
            let length = source.extent.bytes();
            if !self.contains(place, length) {
                return Err(ReferenceFault::OutOfBounds { step, operand });
            }
            if overlaps_badly(action, place, length) {
                return Err(ReferenceFault::Overlap { step, operand });
            }
            if !self.is_written(place, length) {
                return Err(ReferenceFault::NotWritten { step, operand });
            }
        }
        Ok(())
    }

    /// Notes that the destination of a step has been written.
    pub(super) fn mark_written(&mut self, action: &Action) {
        if let Place::Scratch(offset) = action.dst.place
            && let Some(bytes) = self.written.get_mut(range(offset, action.dst.extent.bytes()))
        {
            bytes.fill(true);
        }
    }

    /// The bits of element `index` of a source.
    pub(super) fn load(&self, operand: &Operand, index: u64) -> u64 {
        let (bytes, offset) = match operand.source {
            Source::Immediate(bits) => return bits,
            Source::At(Place::Data(offset)) => (&*self.data, offset),
            Source::At(Place::Scratch(offset)) => (self.scratch.as_slice(), offset),
        };
        let size = operand.extent.size();
        let element = bytes.get(range(offset + index * size, size)).unwrap_or_default();
        match element {
            [b0] => u64::from(*b0),
            [b0, b1] => u64::from(u16::from_le_bytes([*b0, *b1])),
            [b0, b1, b2, b3] => u64::from(u32::from_le_bytes([*b0, *b1, *b2, *b3])),
            [b0, b1, b2, b3, b4, b5, b6, b7] => u64::from_le_bytes([*b0, *b1, *b2, *b3, *b4, *b5, *b6, *b7]),
            _ => 0,
        }
    }

    /// Stores the low bits of `bits` as element `index` of the destination.
    pub(super) fn store(&mut self, dst: Destination, index: u64, bits: u64) {
        let (bytes, offset) = match dst.place {
            Place::Data(offset) => (&mut *self.data, offset),
            Place::Scratch(offset) => (self.scratch.as_mut_slice(), offset),
        };
        let size = dst.extent.size();
        if let Some(element) = bytes.get_mut(range(offset + index * size, size)) {
            for (to, from) in element.iter_mut().zip(bits.to_le_bytes()) {
                *to = from;
            }
        }
    }

    fn contains(&self, place: Place, length: u64) -> bool {
        let (offset, size) = match place {
            Place::Data(offset) => (offset, self.data.len()),
            Place::Scratch(offset) => (offset, self.scratch.len()),
        };
        offset.checked_add(length).is_some_and(|end| end <= size as u64)
    }

    fn is_written(&self, place: Place, length: u64) -> bool {
        match place {
            Place::Data(_) => true,
            Place::Scratch(offset) => self
                .written
                .get(range(offset, length))
                .is_some_and(|bytes| bytes.iter().all(|written| *written)),
        }
    }
}

fn range(offset: u64, length: u64) -> std::ops::Range<usize> {
    offset as usize..offset.saturating_add(length) as usize
}

/// The source of `length` bytes at `place` shares bytes with the destination, without being what the operation may overwrite.
fn overlaps_badly(action: &Action, place: Place, length: u64) -> bool {
    let (dst, source) = match (action.dst.place, place) {
        (Place::Data(dst), Place::Data(source)) | (Place::Scratch(dst), Place::Scratch(source)) => (dst, source),
        _ => return false,
    };
    let dst_length = action.dst.extent.bytes();
    let same = dst == source && dst_length == length && rules::works_in_place(action.opcode);
    !same && dst < source + length && source < dst + dst_length
}
