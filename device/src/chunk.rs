//! Runs a chunk of a step: reads up to 64 KiB of each source, computes, writes the destination.
//!
//! A chunk is read from all sources before anything of it is written, so a destination may be the same range as a source.

use hawser_abi::op::ElementType;
use hawser_abi::program::OperandIndex;
use hawser_abi::queue::CompletionStatus;

use crate::fault::StepFault;
use crate::kernels::{self, ZeroDivisor};
use crate::lanes::CHUNK_BYTES;
use crate::number::Number;
use crate::program::{Progress, Resources};
use crate::step::{CheckedStep, Operation, Place};
use crate::view::View;

/// A step that is being run.
pub(crate) struct Current {
    step: CheckedStep,
    /// Elements done.
    done: u64,
    /// Bits of the sum of the elements done.
    total: Option<u64>,
}

impl Current {
    pub(crate) fn new(step: CheckedStep) -> Self {
        Self {
            step,
            done: 0,
            total: None,
        }
    }

    /// The part of each operand that the next chunk is: bytes from its first byte, and their number.
    fn span(&self) -> Span {
        let size = self.step.element.size();
        let elements = (self.step.count - self.done).min(CHUNK_BYTES as u64 / size);
        Span {
            start: self.done * size,
            bytes: (elements * size) as usize,
        }
    }

    /// Notes that a chunk is done.
    fn advance(&mut self, span: Span) -> Progress {
        self.done += span.bytes as u64 / self.step.element.size();
        if self.done < self.step.count {
            Progress::More
        } else {
            Progress::Finished
        }
    }
}

#[derive(Clone, Copy)]
struct Span {
    start: u64,
    bytes: usize,
}

/// The data paths of a command.
pub(crate) struct Machine<'a, 'b, 'bus> {
    pub(crate) views: &'a [View],
    pub(crate) resources: &'a mut Resources<'b, 'bus>,
}

impl Machine<'_, '_, '_> {
    pub(crate) fn run_chunk(&mut self, current: &mut Current) -> Result<Progress, StepFault> {
        if current.step.operation == Operation::Move {
            return self.move_bytes(current);
        }
        match current.step.element {
            ElementType::I32 => self.run::<i32>(current),
            ElementType::U32 => self.run::<u32>(current),
            ElementType::I64 => self.run::<i64>(current),
            ElementType::F32 => self.run::<f32>(current),
            ElementType::F64 => self.run::<f64>(current),
            _ => Err(StepFault::step(CompletionStatus::Unsupported)),
        }
    }

    fn run<T: Number>(&mut self, current: &mut Current) -> Result<Progress, StepFault> {
        let span = current.span();
        self.load_sources::<T>(current, span)?;
        match current.step.operation {
            Operation::Sum => self.sum::<T>(current, span)?,
            operation => self.compute::<T>(operation, span)?,
        }
        let progress = current.advance(span);
        match (current.step.operation, progress) {
            (Operation::Sum, Progress::More) => {}
            (Operation::Sum, Progress::Finished) => self.store(current.step.dst, OperandIndex::Dst, one::<T>())?,
            _ => self.store(current.step.dst, OperandIndex::Dst, span)?,
        }
        Ok(progress)
    }

    /// Moves elements of any type, which are bytes to a move.
    fn move_bytes(&mut self, current: &mut Current) -> Result<Progress, StepFault> {
        let span = current.span();
        if current.step.a != Place::Immediate {
            self.load(OperandIndex::A, current.step.a, span)?;
        } else if current.done == 0 {
            let bits = current.step.immediate.to_le_bytes();
            let element = bits.iter().take(current.step.element.size() as usize).cycle();
            let lane = self.resources.lanes.a.bytes_mut(span.bytes);
            lane.iter_mut().zip(element).for_each(|(to, from)| *to = *from);
        }
        self.store(current.step.dst, OperandIndex::A, span)?;
        Ok(current.advance(span))
    }

    fn compute<T: Number>(&mut self, operation: Operation, span: Span) -> Result<(), StepFault> {
        let lanes = &mut *self.resources.lanes;
        let dst = lanes.dst.elements_mut::<T>(span.bytes);
        let (a, b) = (lanes.a.elements(span.bytes), lanes.b.elements(span.bytes));
        if let Operation::Binary(binary) = operation {
            return kernels::binary(binary, dst, a, b).map_err(|ZeroDivisor(index)| {
                let offset = span.start + (index * size_of::<T>()) as u64;
                StepFault::operand(CompletionStatus::DivideByZero, OperandIndex::B, offset)
            });
        }
        kernels::fma(dst, a, b, lanes.c.elements(span.bytes));
        Ok(())
    }

    /// Adds the chunk to the total, and leaves it as the first element of the destination.
    fn sum<T: Number>(&mut self, current: &mut Current, span: Span) -> Result<(), StepFault> {
        let lanes = &mut *self.resources.lanes;
        let total = kernels::sum(current.total.map(T::from_immediate), lanes.a.elements::<T>(span.bytes))
            .ok_or(StepFault::step(CompletionStatus::BadDescriptor))?;
        if let Some(first) = lanes.dst.elements_mut::<T>(size_of::<T>()).first_mut() {
            *first = total;
        }
        let mut bits = [0; 8];
        if let Some(low) = bits.get_mut(..size_of::<T>()) {
            low.copy_from_slice(total.as_bytes());
        }
        current.total = Some(u64::from_le_bytes(bits));
        Ok(())
    }

    fn load_sources<T: Number>(&mut self, current: &Current, span: Span) -> Result<(), StepFault> {
        let CheckedStep { a, b, c, immediate, .. } = current.step;
        for (operand, place) in [(OperandIndex::A, a), (OperandIndex::B, b), (OperandIndex::C, c)] {
            if place == Place::Immediate {
                // The first chunk is the longest: its splat serves all that follow.
                if current.done == 0 {
                    self.resources
                        .lanes
                        .of(operand)
                        .elements_mut::<T>(span.bytes)
                        .fill(T::from_immediate(immediate));
                }
            } else {
                self.load(operand, place, span)?;
            }
        }
        Ok(())
    }

    fn load(&mut self, operand: OperandIndex, place: Place, span: Span) -> Result<(), StepFault> {
        let views = self.views;
        let Resources {
            host,
            local,
            lanes,
            cycles,
        } = &mut *self.resources;
        let into = lanes.of(operand).bytes_mut(span.bytes);
        let runs = match place {
            Place::Nowhere | Place::Immediate => return Ok(()),
            Place::Binding { index, offset } => {
                let view = views.get(usize::from(index)).ok_or(unreachable_operand(operand))?;
                view.read(host, offset + span.start, into)
                    .map_err(|refused| bus_error(operand, span.start + refused.after))?
            }
            Place::Local { offset } => {
                let from = local.get(offset + span.start, into.len());
                into.copy_from_slice(from.ok_or(unreachable_operand(operand))?);
                1
            }
        };
        cycles.moved(span.bytes as u64, runs);
        Ok(())
    }

    /// Writes the chunk in the buffer of operand `result` to the destination.
    fn store(&mut self, place: Place, result: OperandIndex, span: Span) -> Result<(), StepFault> {
        let Resources {
            host,
            local,
            lanes,
            cycles,
        } = &mut *self.resources;
        let from = lanes.of(result).bytes(span.bytes);
        let runs = match place {
            Place::Nowhere | Place::Immediate => return Err(unreachable_operand(OperandIndex::Dst)),
            Place::Binding { index, offset } => {
                let view = self.views.get(usize::from(index));
                view.ok_or(unreachable_operand(OperandIndex::Dst))?
                    .write(host, offset + span.start, from)
                    .map_err(|refused| bus_error(OperandIndex::Dst, span.start + refused.after))?
            }
            Place::Local { offset } => {
                let into = local.get_mut(offset + span.start, from.len());
                into.ok_or(unreachable_operand(OperandIndex::Dst))?
                    .copy_from_slice(from);
                1
            }
        };
        cycles.moved(span.bytes as u64, runs);
        Ok(())
    }
}

/// The destination of a reduction.
fn one<T>() -> Span {
    Span {
        start: 0,
        bytes: size_of::<T>(),
    }
}

fn bus_error(operand: OperandIndex, offset: u64) -> StepFault {
    StepFault::operand(CompletionStatus::BusError, operand, offset)
}

/// An operand that passed the fence and yet is nowhere: refused all the same.
fn unreachable_operand(operand: OperandIndex) -> StepFault {
    StepFault::operand(CompletionStatus::OutOfBounds, operand, 0)
}
