//! Typed arrays of a program, and operands made of them.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use hawser_abi::program::Space;

use super::region::Region;
use super::{Element, ProgramError};
use crate::transport::{Buffer, OutsideBuffer};

/// Bytes that are converted at a time.
const CHUNK: usize = 64 << 10;

/// Names the builder that an array belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BuilderId(pub u64);

/// An array of a program: in its data buffer, or in device-local memory.
pub struct Array<T> {
    pub(super) owner: BuilderId,
    pub(super) space: Space,
    pub(super) offset: u64,
    pub(super) count: u64,
    pub(super) element: PhantomData<fn() -> T>,
}

/// Where an array lies, whatever its elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub owner: BuilderId,
    pub space: Space,
    pub offset: u64,
}

/// A source of a step, whatever its elements are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// An array.
    Array(Place),
    /// Bits of a constant.
    Constant(u64),
}

impl<T> Clone for Array<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Array<T> {}

impl<T> fmt::Debug for Array<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Array({:?} {} + {} elements)", self.space, self.offset, self.count)
    }
}

impl<T: Element> Array<T> {
    /// Number of elements.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Byte offset in the data buffer or in device-local memory.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    pub(super) const fn place(&self) -> Place {
        Place {
            owner: self.owner,
            space: self.space,
            offset: self.offset,
        }
    }

    pub(super) const fn source(&self) -> Source {
        Source::Array(self.place())
    }

    pub(super) const fn region(&self) -> Region {
        Region {
            place: self.place(),
            element: T::TYPE,
            count: self.count,
        }
    }

    /// The array at a place for elements of this type.
    pub(super) fn from_region(region: Region) -> Self {
        Self {
            owner: region.place.owner,
            space: region.place.space,
            offset: region.place.offset,
            count: region.count,
            element: PhantomData,
        }
    }

    /// Some neighbouring elements of the array.
    pub fn part(self, elements: Range<u64>) -> Result<Self, ProgramError> {
        let Range { start, end } = elements;
        if start > end || end > self.count {
            return Err(ProgramError::OutsideArray {
                start,
                end,
                count: self.count,
            });
        }
        Ok(Self {
            offset: self.offset + start * T::TYPE.size(),
            count: end - start,
            ..self
        })
    }

    /// Puts values into the array's place in a data buffer, from its first element on.
    pub fn store(&self, buffer: &mut impl Buffer, values: &[T]) -> Result<(), OutsideBuffer> {
        let size = T::TYPE.size() as usize;
        let mut at = self.in_buffer(values.len() * size, buffer.len())?;
        for chunk in values.chunks(CHUNK / size) {
            let bytes: Vec<u8> = chunk
                .iter()
                .flat_map(|value| value.to_bits().to_le_bytes().into_iter().take(size))
                .collect();
            buffer.write(at, &bytes)?;
            at += bytes.len();
        }
        Ok(())
    }

    /// The values at the array's place in a data buffer.
    pub fn load(&self, buffer: &impl Buffer) -> Result<Vec<T>, OutsideBuffer> {
        let size = T::TYPE.size() as usize;
        let length = (self.count as usize).saturating_mul(size);
        let at = self.in_buffer(length, buffer.len())?;
        let mut values = Vec::with_capacity(self.count as usize);
        let mut bytes = [0; CHUNK];
        for done in (0..length).step_by(CHUNK) {
            let part = &mut bytes[..CHUNK.min(length - done)];
            buffer.read(at + done, part)?;
            values.extend(part.chunks_exact(size).map(|element| {
                let mut bits = [0; 8];
                bits[..size].copy_from_slice(element);
                T::from_bits(u64::from_le_bytes(bits))
            }));
        }
        Ok(values)
    }

    /// The offset of `length` bytes of this array in a data buffer of `size` bytes.
    fn in_buffer(&self, length: usize, size: usize) -> Result<usize, OutsideBuffer> {
        let offset = usize::try_from(self.offset).unwrap_or(usize::MAX);
        let in_array = length as u64 <= self.count.saturating_mul(T::TYPE.size());
        if self.space != Space::Data || !in_array {
            return Err(OutsideBuffer { offset, length, size });
        }
        OutsideBuffer::check(offset, length, size).map(|()| offset)
    }
}

/// A source of a step: an array, or a constant for every element.
#[derive(Clone, Copy, Debug)]
pub enum Operand<T> {
    /// The elements of an array.
    Array(Array<T>),
    /// A constant.
    Constant(T),
}

impl<T: Element> Operand<T> {
    pub(super) fn source(&self) -> Source {
        match self {
            Self::Array(array) => array.source(),
            Self::Constant(value) => Source::Constant(value.to_bits()),
        }
    }
}

impl<T> From<Array<T>> for Operand<T> {
    fn from(array: Array<T>) -> Self {
        Self::Array(array)
    }
}

impl<T: Element> From<T> for Operand<T> {
    fn from(constant: T) -> Self {
        Self::Constant(constant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::ProgramBuilder;
    use crate::testing::Memory;

    #[test]
    fn values_come_back_across_chunks() {
        let mut builder = ProgramBuilder::new();
        let _before = builder.array::<u8>(3).unwrap();
        let array = builder.array::<i16>(40_000).unwrap();
        assert_eq!(array.offset(), 64);
        let values: Vec<i16> = (0..40_000).map(|i: i32| (i * 7 - 30_000) as i16).collect();
        let mut memory = Memory::of(64 + 80_000);
        array.store(&mut memory, &values).unwrap();
        assert_eq!(array.load(&memory).unwrap(), values);
        assert_eq!(
            array.part(39_998..40_000).unwrap().load(&memory).unwrap(),
            values[39_998..]
        );
    }

    #[test]
    fn nothing_outside_the_array_is_reached() {
        let mut builder = ProgramBuilder::new();
        let array = builder.array::<u32>(4).unwrap();
        let scratch = builder.scratch::<u32>(4).unwrap();
        let mut memory = Memory::of(64);
        assert!(array.store(&mut memory, &[1; 5]).is_err());
        assert!(scratch.store(&mut memory, &[1; 4]).is_err());
        assert!(array.load(&Memory::of(15)).is_err());
        assert_eq!(
            array.part(2..5).unwrap_err(),
            ProgramError::OutsideArray {
                start: 2,
                end: 5,
                count: 4
            }
        );
    }
}
