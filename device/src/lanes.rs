//! The buffers that hold one chunk of each operand while it is computed.

use hawser_abi::program::OperandIndex;
use zerocopy::{FromBytes, IntoBytes};

use crate::number::Number;

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

    /// The first `length` bytes as elements; `length` is a multiple of their size.
    pub(crate) fn elements<T: Number>(&self, length: usize) -> &[T] {
        <[T]>::ref_from_bytes(self.bytes(length)).unwrap_or_default()
    }

    /// The first `length` bytes as elements for writing.
    pub(crate) fn elements_mut<T: Number>(&mut self, length: usize) -> &mut [T] {
        <[T]>::mut_from_bytes(self.bytes_mut(length)).unwrap_or_default()
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
