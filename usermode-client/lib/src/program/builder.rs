//! Builds programs from typed arrays.

use std::sync::atomic::{AtomicU64, Ordering};

use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::pci::MEMORY_BAR_SIZE;
use hawser_abi::program::{MAX_DATA, OperandIndex, Space, Step, step_flags};
use hawser_core::Limits;
use zerocopy::FromZeros;

use super::array::{BuilderId, Place, Source};
use super::region::Region;
use super::scratch::Blocks;
use super::{ARRAY_ALIGNMENT, Array, Element, Operand, Program, ProgramError, Sizes, assemble};

/// A program in the making.
///
/// Arrays follow each other in the order in which they are made, each at the next multiple of [`ARRAY_ALIGNMENT`]. Steps run in
/// the order in which they are added. An error names the step that it is about and leaves the program as it was.
///
/// ```
/// use hawser::ProgramBuilder;
///
/// let mut builder = ProgramBuilder::new();
/// let x = builder.array::<f32>(1024)?;
/// let y = builder.array::<f32>(1024)?;
/// builder.fma(y, 2.5, x, y)?;
/// let program = builder.build()?;
/// assert_eq!(program.data_size(), 8192);
/// # Ok::<(), hawser::ProgramError>(())
/// ```
#[derive(Debug)]
pub struct ProgramBuilder {
    id: BuilderId,
    /// Bytes of the data buffer that arrays take.
    data: u64,
    scratch: Blocks,
    steps: Vec<Step>,
}

impl Default for ProgramBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl ProgramBuilder {
    /// A program without arrays and steps.
    pub fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self {
            id: BuilderId(NEXT.fetch_add(1, Ordering::Relaxed)),
            data: 0,
            scratch: Blocks::of(MEMORY_BAR_SIZE),
            steps: Vec::new(),
        }
    }

    /// An array of `count` elements in the data buffer.
    pub fn array<T: Element>(&mut self, count: u64) -> Result<Array<T>, ProgramError> {
        self.region(Space::Data, T::TYPE, count).map(Array::from_region)
    }

    /// An array of `count` elements in device-local memory. A program must write it before reading it.
    pub fn scratch<T: Element>(&mut self, count: u64) -> Result<Array<T>, ProgramError> {
        self.region(Space::Scratch, T::TYPE, count).map(Array::from_region)
    }

    /// Gives an array back that [`scratch`](Self::scratch) made, so that its bytes are used for others. Steps that are added later must
    /// not use it: they would work on whatever lies there by then.
    pub fn release<T: Element>(&mut self, array: Array<T>) -> Result<(), ProgramError> {
        self.release_region(array.region())
    }

    /// The program, checked against revision 1 of the device.
    pub fn build(&self) -> Result<Program, ProgramError> {
        self.build_for(&Limits::default())
    }

    /// The program, checked as a driver with these limits does.
    pub fn build_for(&self, limits: &Limits) -> Result<Program, ProgramError> {
        let program = self.build_unchecked();
        program.check(limits)?;
        Ok(program)
    }

    /// The program, whether a driver accepts it or not.
    pub fn build_unchecked(&self) -> Program {
        let sizes = Sizes {
            data: self.data,
            scratch: self.scratch.used(),
        };
        assemble(&self.steps, sizes)
    }

    /// A place for `count` elements of this type.
    pub(crate) fn region(&mut self, space: Space, element: ElementType, count: u64) -> Result<Region, ProgramError> {
        let length = count.checked_mul(element.size());
        let offset = match space {
            Space::Scratch => self.scratch.take(length)?,
            _ => {
                let (offset, end) = extend(self.data, length, MAX_DATA)?;
                self.data = end;
                offset
            }
        };
        let place = Place {
            owner: self.id,
            space,
            offset,
        };
        Ok(Region { place, element, count })
    }

    /// Gives back a place in device-local memory.
    pub(crate) fn release_region(&mut self, region: Region) -> Result<(), ProgramError> {
        let Place { owner, space, offset } = region.place;
        let ours = owner == self.id && space == Space::Scratch;
        if ours && self.scratch.give_back(offset, region.length()) {
            return Ok(());
        }
        Err(ProgramError::NotScratch {
            offset,
            count: region.count,
        })
    }

    /// Adds a step whose sources have as many elements as its destination, all of them of one type.
    pub(super) fn element_wise<T: Element>(
        &mut self,
        step: Step,
        dst: Array<T>,
        sources: &[Operand<T>],
    ) -> Result<&mut Self, ProgramError> {
        for (source, operand) in sources.iter().zip(SOURCES) {
            if let Operand::Array(array) = source {
                self.length(operand, array.count, dst.count)?;
            }
        }
        let sources: Vec<Source> = sources.iter().map(|source| source.source()).collect();
        self.step(step, dst.place(), &sources)
    }

    /// Refuses an operand that has not as many elements as the step needs.
    pub(super) fn length(&self, operand: OperandIndex, found: u64, expected: u64) -> Result<(), ProgramError> {
        if found == expected {
            return Ok(());
        }
        Err(ProgramError::LengthMismatch {
            step: self.steps.len(),
            operand,
            found,
            expected,
        })
    }

    /// Index of the step that is added next.
    pub(crate) fn next_step(&self) -> usize {
        self.steps.len()
    }

    /// Adds a step with these operands.
    pub(crate) fn step(&mut self, step: Step, dst: Place, sources: &[Source]) -> Result<&mut Self, ProgramError> {
        let mut step = step;
        let mut constant = None;
        self.put(&mut step, OperandIndex::Dst, dst)?;
        for (source, operand) in sources.iter().zip(SOURCES) {
            match *source {
                Source::Array(place) => self.put(&mut step, operand, place)?,
                Source::Constant(bits) => {
                    step.spaces[operand as usize] = Space::Immediate as u8;
                    step.immediate = bits;
                    if constant.replace(bits).is_some_and(|other| other != bits) {
                        return Err(ProgramError::TwoConstants { step: self.steps.len() });
                    }
                }
            }
        }
        self.steps.push(step);
        Ok(self)
    }

    fn put(&self, step: &mut Step, operand: OperandIndex, place: Place) -> Result<(), ProgramError> {
        if place.owner != self.id {
            return Err(ProgramError::ForeignArray {
                step: self.steps.len(),
                operand,
            });
        }
        step.spaces[operand as usize] = place.space as u8;
        step.offsets[operand as usize] = place.offset;
        Ok(())
    }
}

/// A step on `count` elements of type `T`, without its operands.
pub(super) fn plain<T: Element>(opcode: Opcode, count: u64) -> Step {
    Step {
        opcode: opcode as u8,
        element_type: T::TYPE as u8,
        count,
        ..Step::new_zeroed()
    }
}

/// The same with integer results that saturate.
pub(super) fn saturating<T: Element>(opcode: Opcode, count: u64) -> Step {
    Step {
        flags: step_flags::SATURATE,
        ..plain::<T>(opcode, count)
    }
}

const SOURCES: [OperandIndex; 3] = [OperandIndex::A, OperandIndex::B, OperandIndex::C];

/// Offset and end of the next array, of `length` bytes if 64 bits can tell, in a space of which `used` bytes are taken.
fn extend(used: u64, length: Option<u64>, limit: u64) -> Result<(u64, u64), ProgramError> {
    let offset = used.next_multiple_of(ARRAY_ALIGNMENT);
    let end = length.and_then(|length| length.checked_add(offset));
    match end {
        Some(end) if end <= limit => Ok((offset, end)),
        _ => Err(ProgramError::TooLarge {
            length: end.unwrap_or(u64::MAX),
            limit,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hawser_abi::reason::Reason;

    #[test]
    fn errors_name_the_step_and_operand() {
        let mut builder = ProgramBuilder::new();
        let x = builder.array::<i64>(8).unwrap();
        let y = builder.array::<i64>(9).unwrap();
        builder.fill(x, 1).unwrap();
        let mismatch = ProgramError::LengthMismatch {
            step: 1,
            operand: OperandIndex::B,
            found: 9,
            expected: 8,
        };
        assert_eq!(builder.add(x, x, y).unwrap_err(), mismatch);
        assert_eq!(
            mismatch.to_string(),
            "step 1: the second source has 9 elements, and 8 are needed"
        );
        assert_eq!(
            builder.fma(x, 1, x, 2).unwrap_err(),
            ProgramError::TwoConstants { step: 1 }
        );
        assert_eq!(
            builder.sum(y, x).unwrap_err(),
            ProgramError::LengthMismatch {
                step: 1,
                operand: OperandIndex::Dst,
                found: 9,
                expected: 1
            }
        );
        let stranger = ProgramBuilder::new().array::<i64>(8).unwrap();
        assert_eq!(
            builder.copy(x, stranger).unwrap_err(),
            ProgramError::ForeignArray {
                step: 1,
                operand: OperandIndex::A
            }
        );
        assert_eq!(builder.build().unwrap().step_count(), 1);
    }

    #[test]
    fn the_same_constant_may_stand_twice() {
        let mut builder = ProgramBuilder::new();
        let x = builder.array::<f32>(8).unwrap();
        assert!(builder.fma(x, 2.0, x, 2.0).unwrap().build().is_ok());
        assert_eq!(
            builder.fma(x, 0.0, x, -0.0).unwrap_err(),
            ProgramError::TwoConstants { step: 1 }
        );
    }

    #[test]
    fn what_the_driver_refuses_is_refused_here_with_the_step() {
        let mut builder = ProgramBuilder::new();
        let x = builder.array::<f32>(8).unwrap();
        let t = builder.scratch::<f32>(8).unwrap();
        builder.fill(x, 1.0).unwrap().add(x, x, t).unwrap();
        let ProgramError::Refused(refusal) = builder.build().unwrap_err() else {
            panic!()
        };
        assert_eq!(
            (refusal.reason, refusal.step, refusal.operand),
            (Reason::ScratchNotWritten, Some(1), Some(OperandIndex::B))
        );
        assert_eq!(builder.build_unchecked().step_count(), 2);
    }

    #[test]
    fn arrays_stay_within_the_contract() {
        let mut builder = ProgramBuilder::new();
        builder.array::<u8>(MAX_DATA).unwrap();
        assert_eq!(
            builder.array::<u8>(1).unwrap_err(),
            ProgramError::TooLarge {
                length: MAX_DATA + 1,
                limit: MAX_DATA
            }
        );
        assert_eq!(
            builder.scratch::<u64>(u64::MAX).unwrap_err(),
            ProgramError::TooLarge {
                length: u64::MAX,
                limit: MEMORY_BAR_SIZE
            }
        );
    }

    #[test]
    fn device_local_memory_is_used_again() {
        let mut builder = ProgramBuilder::new();
        let first = builder.scratch::<f32>(100).unwrap();
        let second = builder.scratch::<u8>(1).unwrap();
        builder.release(first).unwrap();
        assert_eq!(builder.scratch::<u64>(8).unwrap().offset(), first.offset());
        let not_scratch = |array: Array<u8>| ProgramError::NotScratch {
            offset: array.offset(),
            count: array.count(),
        };
        let data = builder.array::<u8>(1).unwrap();
        let strange = ProgramBuilder::new().scratch::<u8>(1).unwrap();
        for array in [data, strange, second.part(0..0).unwrap()] {
            let outcome = builder.release(array);
            assert!(outcome == Err(not_scratch(array)) || array.count() == 0);
        }
        builder.release(second).unwrap();
        assert_eq!(
            builder.release(second),
            Err(not_scratch(second)),
            "it is given back twice"
        );
    }

    #[test]
    fn arrays_begin_at_cache_lines() {
        let mut builder = ProgramBuilder::new();
        let offsets = [
            builder.array::<u8>(1).unwrap(),
            builder.array::<u8>(64).unwrap(),
            builder.array::<u8>(1).unwrap(),
        ]
        .map(|array| array.offset());
        assert_eq!(offsets, [0, 64, 128]);
        assert_eq!(builder.build_unchecked().data_size(), 129);
    }
}
