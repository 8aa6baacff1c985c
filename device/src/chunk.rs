//! Runs a chunk of a step: reads up to 64 KiB of each source, computes, writes the destination.
//!
//! A chunk is read from all sources before anything of it is written, so a destination may be the same range as a source.

use hawser_abi::program::OperandIndex;

use crate::compute::{Carried, compute};
use crate::fault::StepFault;
use crate::lanes::CHUNK_BYTES;
use crate::number::{with_bits, with_number};
use crate::place::Place;
use crate::program::Progress;
use crate::step::{CheckedStep, Operation};
use crate::tiles::Position;
use crate::transfer::{Machine, Strip};

/// A step that is being run.
pub(crate) struct Current {
    pub(crate) step: CheckedStep,
    /// Elements done.
    done: u64,
    /// What the elements done leave to those that follow.
    carried: Option<Carried>,
    /// The tile of a matrix that comes next.
    pub(crate) position: Position,
}

impl Current {
    pub(crate) fn new(step: CheckedStep) -> Self {
        Self {
            step,
            done: 0,
            carried: None,
            position: Position::default(),
        }
    }

    /// The next chunk: as many elements as fit in a lane whatever operand they belong to.
    fn strip(&self) -> Strip {
        let most = most_elements(&self.step);
        Strip::new(self.done, (self.step.count - self.done).min(most))
    }

    /// Notes that a chunk is done.
    fn advance(&mut self, strip: Strip) -> Progress {
        self.done += strip.elements;
        if self.done < self.step.count {
            Progress::More
        } else {
            Progress::Finished
        }
    }
}

/// Most elements of a chunk.
pub(crate) fn most_elements(step: &CheckedStep) -> u64 {
    let CheckedStep { dst, a, b, c, .. } = step;
    let size = dst.size.max(a.size).max(b.size).max(c.size);
    (CHUNK_BYTES as u64).checked_div(size).unwrap_or_default()
}

impl Machine<'_, '_, '_> {
    /// Does one piece of work on a step.
    pub(crate) fn run_chunk(&mut self, current: &mut Current) -> Result<Progress, StepFault> {
        match current.step.operation {
            Operation::Move => self.move_elements(current),
            Operation::Product(left) => {
                with_number!(current.step.element, T => self.multiply_tile::<T>(current, left))
            }
            Operation::Transpose(source) => {
                with_bits!(current.step.element, T => self.transpose_tile::<T>(current, source))
            }
            Operation::Sum | Operation::Dot | Operation::Extreme(_) => self.reduce(current),
            _ => {
                let strip = self.compute(current)?;
                self.store(current.step.dst, OperandIndex::Dst, strip)?;
                Ok(current.advance(strip))
            }
        }
    }

    /// Moves elements of any type, which are bytes to a move.
    fn move_elements(&mut self, current: &mut Current) -> Result<Progress, StepFault> {
        let strip = current.strip();
        self.load_sources(current, strip)?;
        self.store(current.step.dst, OperandIndex::A, strip)?;
        Ok(current.advance(strip))
    }

    fn reduce(&mut self, current: &mut Current) -> Result<Progress, StepFault> {
        let strip = self.compute(current)?;
        let progress = current.advance(strip);
        if progress == Progress::Finished {
            self.store(current.step.dst, OperandIndex::Dst, Strip::new(0, 1))?;
        }
        Ok(progress)
    }

    /// Computes the next chunk into the lane of the destination.
    fn compute(&mut self, current: &mut Current) -> Result<Strip, StepFault> {
        let strip = current.strip();
        self.load_sources(current, strip)?;
        compute(&current.step, self.resources.lanes, strip, &mut current.carried)?;
        Ok(strip)
    }

    fn load_sources(&mut self, current: &Current, strip: Strip) -> Result<(), StepFault> {
        let CheckedStep { a, b, c, immediate, .. } = current.step;
        for (index, operand) in [(OperandIndex::A, a), (OperandIndex::B, b), (OperandIndex::C, c)] {
            if operand.place != Place::Immediate {
                self.load(index, operand, strip)?;
            } else if current.done == 0 {
                // The first chunk is the longest: its splat serves all that follow.
                let lane = self.resources.lanes.of(index);
                lane.splat(operand.size, strip.elements as usize, immediate);
            }
        }
        Ok(())
    }
}
