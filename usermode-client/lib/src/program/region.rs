//! Places of arrays whose element type is known only when the program is built, and steps on them.

use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::Step;
use zerocopy::FromZeros;

use super::array::{Place, Source};
use super::{Array, Element, Matrix, ProgramBuilder, ProgramError};

/// A place with the elements that lie there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    pub place: Place,
    pub element: ElementType,
    pub count: u64,
}

impl Region {
    /// Its bytes. No region is made of more elements than 64 bits can tell the bytes of.
    pub const fn length(&self) -> u64 {
        self.count * self.element.size()
    }

    /// `count` elements from element `start` on, which the caller knows to be there.
    pub const fn part(self, start: u64, count: u64) -> Self {
        let offset = self.place.offset + start * self.element.size();
        Self {
            place: Place { offset, ..self.place },
            count,
            ..self
        }
    }

    /// Whether the two have bytes in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        let (start, other_start) = (self.place.offset, other.place.offset);
        self.place.space == other.place.space
            && start < other_start + other.length()
            && other_start < start + self.length()
    }

    /// Whether the two are the same bytes.
    pub fn is_same_bytes(&self, other: &Self) -> bool {
        self.place == other.place && self.length() == other.length()
    }
}

impl ProgramBuilder {
    /// Adds the steps that fill `dst` with repetitions of `row`: one copy of it, then copies of all that is there already, so that the
    /// number of steps grows with the logarithm of the repetitions.
    ///
    /// `row` has to fit into `dst` a whole number of times, and must not overlap it.
    pub fn spread<T: Element>(&mut self, dst: Array<T>, row: Array<T>) -> Result<&mut Self, ProgramError> {
        self.spread_region(dst.region(), row.region())
    }

    /// The same for elements of any type.
    pub(crate) fn spread_region(&mut self, dst: Region, row: Region) -> Result<&mut Self, ProgramError> {
        if row.count == 0 || !dst.count.is_multiple_of(row.count) {
            return Err(ProgramError::LengthMismatch {
                step: self.next_step(),
                operand: hawser_abi::program::OperandIndex::A,
                found: row.count,
                expected: dst.count,
            });
        }
        let mut source = row;
        let mut done = 0;
        while done < dst.count {
            let count = source.count.min(dst.count - done);
            let step = Step {
                opcode: Opcode::Copy as u8,
                element_type: dst.element as u8,
                count,
                ..Step::new_zeroed()
            };
            self.step(step, dst.part(done, count).place, &[Source::Array(source.place)])?;
            done += count;
            source = dst.part(0, done);
        }
        Ok(self)
    }

    /// Adds steps row by row: `add` gets the builder, a row of `dst`, and the same row of `a`. So a row can be combined with every row of
    /// a matrix.
    ///
    /// ```
    /// # use hawser::ProgramBuilder;
    /// let mut builder = ProgramBuilder::new();
    /// let h = builder.array::<f32>(20)?.matrix(4, 5)?;
    /// let bias = builder.array::<f32>(5)?;
    /// builder.by_rows(h, h, |builder, dst, row| builder.add(dst, row, bias).map(drop))?;
    /// assert_eq!(builder.build()?.step_count(), 4);
    /// # Ok::<(), hawser::ProgramError>(())
    /// ```
    pub fn by_rows<S: Element, T: Element>(
        &mut self,
        dst: Matrix<T>,
        a: Matrix<S>,
        mut add: impl FnMut(&mut Self, Array<T>, Array<S>) -> Result<(), ProgramError>,
    ) -> Result<&mut Self, ProgramError> {
        let (rows, found) = (dst.shape().0, a.shape().0);
        if rows != found {
            return Err(ProgramError::LengthMismatch {
                step: self.next_step(),
                operand: hawser_abi::program::OperandIndex::A,
                found,
                expected: rows,
            });
        }
        for row in 0..rows {
            add(self, dst.row(row)?, a.row(row)?)?;
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Memory;
    use hawser_device::reference;
    use proptest::prelude::*;

    #[test]
    fn a_row_is_spread_in_few_steps() {
        let mut builder = ProgramBuilder::new();
        let row = builder.array::<i16>(3).unwrap();
        let dst = builder.array::<i16>(3 * 1797).unwrap();
        assert!(builder.spread(dst, dst.part(0..2).unwrap()).is_err());
        assert!(builder.spread(dst, row.part(0..0).unwrap()).is_err());
        builder.spread(dst, row).unwrap();
        let program = builder.build().unwrap();
        assert_eq!(program.step_count(), 12);
        let mut memory = Memory::of(program.data_size() as usize);
        row.store(&mut memory, &[1, -2, 3]).unwrap();
        reference::run(program.bytes(), &mut memory.0).unwrap();
        assert_eq!(dst.load(&memory).unwrap(), [1, -2, 3].repeat(1797));
    }

    #[test]
    fn rows_are_told_apart() {
        let mut builder = ProgramBuilder::new();
        let a = builder.array::<u8>(6).unwrap().matrix(2, 3).unwrap();
        let other = builder.array::<u8>(6).unwrap().matrix(3, 2).unwrap();
        assert_eq!(a.row(1).unwrap().offset(), 3);
        assert!(a.row(2).is_err() && a.row(u64::MAX).is_err());
        assert_eq!(a.rows(0..2).unwrap().shape(), (2, 3));
        assert_eq!(a.rows(1..2).unwrap().array().offset(), 3);
        assert!(a.rows(1..1).is_err() && a.rows(1..3).is_err());
        assert!(builder.by_rows(a, other, |_, _, _| Ok(())).is_err());
    }

    proptest! {
        #[test]
        fn a_spread_row_is_its_repetition(length in 1..20_usize, repetitions in 1..50_usize) {
            let mut builder = ProgramBuilder::new();
            let row = builder.array::<u8>(length as u64).unwrap();
            let dst = builder.array::<u8>((length * repetitions) as u64).unwrap();
            let program = builder.spread(dst, row).unwrap().build().unwrap();
            let values: Vec<u8> = (0..length as u8).collect();
            let mut memory = Memory::of(program.data_size() as usize);
            row.store(&mut memory, &values).unwrap();
            reference::run(program.bytes(), &mut memory.0).unwrap();
            prop_assert_eq!(dst.load(&memory).unwrap(), values.repeat(repetitions));
        }
    }
}
