//! Moves operands between memory and the lanes.

use hawser_abi::program::OperandIndex;
use hawser_abi::queue::CompletionStatus;

use crate::fault::StepFault;
use crate::place::Place;
use crate::program::Resources;
use crate::step::Operand;
use crate::view::View;

/// The data paths of a command.
pub(crate) struct Machine<'a, 'b, 'bus> {
    pub(crate) views: &'a [View],
    pub(crate) resources: &'a mut Resources<'b, 'bus>,
}

/// Neighbouring elements of an operand, and where they are in its lane.
#[derive(Clone, Copy)]
pub(crate) struct Strip {
    /// First element of the operand.
    pub(crate) first: u64,
    pub(crate) elements: u64,
    /// Elements that precede them in the lane.
    pub(crate) in_lane: u64,
}

impl Strip {
    /// Elements that are at the start of the lane.
    pub(crate) fn new(first: u64, elements: u64) -> Self {
        Self {
            first,
            elements,
            in_lane: 0,
        }
    }
}

/// A part of a matrix: rows that do not follow each other in memory, but do in the lane.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Block {
    /// First element of the first row.
    pub(crate) first: u64,
    pub(crate) rows: u64,
    /// Elements of a row that are in the block.
    pub(crate) columns: u64,
    /// Elements of a row in memory.
    pub(crate) stride: u64,
}

impl Block {
    pub(crate) fn elements(self) -> u64 {
        self.rows * self.columns
    }

    /// The rows; one for all where they do follow each other.
    pub(crate) fn strips(self) -> impl Iterator<Item = Strip> {
        let (rows, columns) = if self.columns == self.stride {
            (1, self.rows * self.columns)
        } else {
            (self.rows, self.columns)
        };
        (0..rows).map(move |row| Strip {
            first: self.first + row * self.stride,
            elements: columns,
            in_lane: row * columns,
        })
    }
}

impl Machine<'_, '_, '_> {
    /// Reads elements into the lane of `index`. An operand that is nowhere in memory has none.
    pub(crate) fn load(&mut self, index: OperandIndex, operand: Operand, strip: Strip) -> Result<(), StepFault> {
        let Resources {
            host,
            local,
            lanes,
            cycles,
        } = &mut *self.resources;
        let (start, skipped, bytes) = in_bytes(operand, strip);
        let lane = lanes.of(index).bytes_mut(skipped + bytes);
        let into = lane.get_mut(skipped..).ok_or(unreachable_operand(index))?;
        let runs = match operand.place {
            Place::Nowhere | Place::Immediate => return Ok(()),
            Place::Binding { index: binding, offset } => {
                let view = self.views.get(usize::from(binding));
                view.ok_or(unreachable_operand(index))?
                    .read(host, offset + start, into)
                    .map_err(|refused| bus_error(index, start + refused.after))?
            }
            Place::Local { offset } => {
                let from = local.get(offset + start, into.len());
                into.copy_from_slice(from.ok_or(unreachable_operand(index))?);
                1
            }
        };
        cycles.moved(bytes as u64, runs);
        Ok(())
    }

    /// Writes elements in the lane of `result` to the destination.
    pub(crate) fn store(&mut self, operand: Operand, result: OperandIndex, strip: Strip) -> Result<(), StepFault> {
        let Resources {
            host,
            local,
            lanes,
            cycles,
        } = &mut *self.resources;
        let unreachable = unreachable_operand(OperandIndex::Dst);
        let (start, skipped, bytes) = in_bytes(operand, strip);
        let from = lanes.of(result).bytes(skipped + bytes);
        let from = from.get(skipped..).ok_or(unreachable)?;
        let runs = match operand.place {
            Place::Nowhere | Place::Immediate => return Err(unreachable),
            Place::Binding { index, offset } => {
                let view = self.views.get(usize::from(index));
                view.ok_or(unreachable)?
                    .write(host, offset + start, from)
                    .map_err(|refused| bus_error(OperandIndex::Dst, start + refused.after))?
            }
            Place::Local { offset } => {
                let into = local.get_mut(offset + start, from.len());
                into.ok_or(unreachable)?.copy_from_slice(from);
                1
            }
        };
        cycles.moved(bytes as u64, runs);
        Ok(())
    }

    /// Reads a part of a matrix into the lane of `index`.
    pub(crate) fn load_block(&mut self, index: OperandIndex, operand: Operand, block: Block) -> Result<(), StepFault> {
        block.strips().try_for_each(|strip| self.load(index, operand, strip))
    }

    /// Writes a part of a matrix in the lane of `result` to the destination.
    pub(crate) fn store_block(
        &mut self,
        operand: Operand,
        result: OperandIndex,
        block: Block,
    ) -> Result<(), StepFault> {
        block.strips().try_for_each(|strip| self.store(operand, result, strip))
    }
}

/// Bytes before a strip in the operand, bytes before it in the lane, and bytes of it.
fn in_bytes(operand: Operand, strip: Strip) -> (u64, usize, usize) {
    let size = operand.size;
    (
        strip.first * size,
        (strip.in_lane * size) as usize,
        (strip.elements * size) as usize,
    )
}

fn bus_error(operand: OperandIndex, offset: u64) -> StepFault {
    StepFault::operand(CompletionStatus::BusError, operand, offset)
}

/// An operand that passed the fence and yet is nowhere: refused all the same.
fn unreachable_operand(operand: OperandIndex) -> StepFault {
    StepFault::operand(CompletionStatus::OutOfBounds, operand, 0)
}
