//! The buffers that hold one chunk of each operand while it is computed.

use hawser_abi::program::OperandIndex;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Bytes of a chunk of one operand.
pub(crate) const CHUNK_BYTES: usize = 64 * 1024;

/// A buffer for one chunk, aligned for every element type. It takes no memory until it is used.
#[derive(Default)]
pub(crate) struct Lane(Vec<u64>);

impl Lane {
    /// The first `length` bytes, at most a chunk.
    pub(crate) fn bytes(&self, length: usize) -> &[u8] {
        self.0.as_slice().as_bytes().get(..length).unwrap_or_default()
    }

    /// The first `length` bytes for writing, at most a chunk.
    pub(crate) fn bytes_mut(&mut self, length: usize) -> &mut [u8] {
        self.0.resize(CHUNK_BYTES / 8, 0);
        self.0
            .as_mut_slice()
            .as_mut_bytes()
            .get_mut(..length)
            .unwrap_or_default()
    }

    /// The first `count` elements.
    pub(crate) fn elements<T: FromBytes + Immutable + KnownLayout>(&self, count: usize) -> &[T] {
        <[T]>::ref_from_bytes(self.bytes(count * size_of::<T>())).unwrap_or_default()
    }

    /// The first `count` elements for writing.
    pub(crate) fn elements_mut<T: FromBytes + IntoBytes + KnownLayout>(&mut self, count: usize) -> &mut [T] {
        <[T]>::mut_from_bytes(self.bytes_mut(count * size_of::<T>())).unwrap_or_default()
    }

    /// Writes one element of bits to the first `count` places.
    pub(crate) fn splat(&mut self, size: u64, count: usize, bits: u64) {
        match size {
            1 => self.elements_mut(count).fill(bits as u8),
            2 => self.elements_mut(count).fill(bits as u16),
            4 => self.elements_mut(count).fill(bits as u32),
            _ => self.elements_mut(count).fill(bits),
        }
    }
}

/// The buffers of a queue: destination and three sources.
#[derive(Default)]
pub(crate) struct Lanes {
    pub(crate) dst: Lane,
    pub(crate) a: Lane,
    pub(crate) b: Lane,
    pub(crate) c: Lane,
}

impl Lanes {
    /// The buffer of an operand.
    pub(crate) fn of(&mut self, operand: OperandIndex) -> &mut Lane {
        match operand {
            OperandIndex::Dst => &mut self.dst,
            OperandIndex::A => &mut self.a,
            OperandIndex::B => &mut self.b,
            OperandIndex::C => &mut self.c,
        }
    }
}
