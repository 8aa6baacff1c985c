//! What a program costs on the device, without running it: the cycles that its completion will report, and the bytes that it moves.
//!
//! Steps are cut into the same chunks and tiles as when they run, and counted by the same model (`cost`). What a run adds is only what no
//! table tells: a fault that ends it early.

use std::collections::HashMap;

use hawser_abi::descriptor::{DeviceStep, Segment, binding_flags};

use crate::chunk::most_elements;
use crate::cost::Cycles;
use crate::place::{Place, Reach};
use crate::program::{Progress, Window};
use crate::step::{CheckedStep, Matrix, Operand, Operation, check};
use crate::tiles::{Position, ProductTile, TransposedTile, product_of};
use crate::transfer::Block;
use crate::view::View;

/// What the steps of a program reach: the segment tables of its two bindings, and its window of device-local memory.
#[derive(Clone, Copy, Debug)]
pub struct Tables<'a> {
    /// Segments of what is read.
    pub read: &'a [Segment],
    /// Segments of what is written.
    pub write: &'a [Segment],
    /// Bytes of the window.
    pub scratch_length: u64,
}

/// What a step costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepCost {
    /// Device cycles.
    pub cycles: u64,
    /// Bytes that it reads from host memory.
    pub host_read: u64,
    /// Bytes that it writes to host memory.
    pub host_written: u64,
    /// Bytes that it reads from and writes to device-local memory.
    pub local: u64,
    /// Elements that it computes or moves; multiplications of a matrix product.
    pub operations: u64,
}

/// What a program costs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    /// Device cycles before the first step: the command itself, and its segment tables.
    pub loading: u64,
    /// Each step.
    pub steps: Vec<StepCost>,
}

impl Forecast {
    /// The cycles that a run without fault reports.
    pub fn cycles(&self) -> u64 {
        let steps = self.steps.iter().map(|step| step.cycles);
        steps.fold(self.loading, u64::saturating_add)
    }
}

/// The device would not run the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotForecast {
    /// A segment is empty or wraps around.
    #[error("a segment table is malformed")]
    Tables,
    /// A step does not pass the device's own checks.
    #[error("step {0} does not pass the device's checks")]
    Step(usize),
}

/// What these steps cost. Takes time in proportion to chunks and rows of tiles, never to elements.
pub fn forecast(tables: &Tables<'_>, steps: &[DeviceStep]) -> Result<Forecast, NotForecast> {
    let views = [
        view(tables.read, binding_flags::DEVICE_READ)?,
        view(tables.write, binding_flags::DEVICE_WRITE)?,
    ];
    let reach = Reach {
        views: &views,
        window: Window {
            base: 0,
            length: tables.scratch_length,
        },
    };
    let mut loading = Cycles::of_command();
    loading.segments(tables.read.len() as u64);
    loading.segments(tables.write.len() as u64);
    let step_cost = |(index, step): (usize, &DeviceStep)| {
        let step = check(step, &reach).map_err(|_| NotForecast::Step(index))?;
        Ok(Meter::new(&views).step(&step))
    };
    Ok(Forecast {
        loading: loading.total(),
        steps: steps.iter().enumerate().map(step_cost).collect::<Result<_, _>>()?,
    })
}

fn view(segments: &[Segment], flags: u32) -> Result<View, NotForecast> {
    let mut view = View::new(flags);
    for segment in segments {
        view.push(*segment).map_err(|_| NotForecast::Tables)?;
    }
    Ok(view)
}

/// Which way an operand goes.
#[derive(Clone, Copy)]
enum Way {
    In,
    Out,
}

/// What blocks of a matrix cost.
type Known = HashMap<Block, Cycles>;

/// Counts what a step does.
struct Meter<'v> {
    views: &'v [View],
    cycles: Cycles,
    cost: StepCost,
}

impl<'v> Meter<'v> {
    fn new(views: &'v [View]) -> Self {
        Self {
            views,
            cycles: Cycles::default(),
            cost: StepCost::default(),
        }
    }

    fn step(mut self, step: &CheckedStep) -> StepCost {
        self.cycles.step();
        self.cost.operations = step.count;
        match step.operation {
            Operation::Product(left) => self.product(step, left),
            Operation::Transpose(source) => self.transposition(step, source),
            Operation::Sum | Operation::Dot | Operation::Extreme(_) => {
                self.sources(step);
                self.move_chunks(step.dst, Way::Out, 1, 1);
            }
            _ => {
                self.sources(step);
                self.move_chunks(step.dst, Way::Out, step.count, most_elements(step));
            }
        }
        StepCost {
            cycles: self.cycles.total(),
            ..self.cost
        }
    }

    fn sources(&mut self, step: &CheckedStep) {
        for operand in [step.a, step.b, step.c] {
            self.move_chunks(operand, Way::In, step.count, most_elements(step));
        }
    }

    fn product(&mut self, step: &CheckedStep, left: Matrix) {
        let (product, mut position) = (product_of(left, step.count), Position::default());
        // A block of the left source is read for each column of tiles, and one of the right source for each row.
        let [mut left_blocks, mut right_blocks] = [Known::new(), Known::new()];
        self.cost.operations = step.count.saturating_mul(left.columns);
        loop {
            let tile = ProductTile::at(position, left, product);
            self.move_block_again(&mut left_blocks, step.a, Way::In, tile.left);
            self.move_block_again(&mut right_blocks, step.b, Way::In, tile.right);
            self.cycles.multiplied(tile.part.rows * tile.part.columns * tile.inner);
            if let Some(to) = tile.to {
                self.move_block(step.dst, Way::Out, to);
            }
            if position.advance_product(&tile, left, product) == Progress::Finished {
                return;
            }
        }
    }

    fn transposition(&mut self, step: &CheckedStep, source: Matrix) {
        let mut position = Position::default();
        loop {
            let tile = TransposedTile::at(position, source);
            self.move_block(step.a, Way::In, tile.from);
            self.move_block(step.dst, Way::Out, tile.to);
            if position.advance(source, tile.part) == Progress::Finished {
                return;
            }
        }
    }

    /// Moves `count` elements of an operand, `chunk` at a time.
    fn move_chunks(&mut self, operand: Operand, way: Way, count: u64, chunk: u64) {
        let (bytes, chunk) = (count.saturating_mul(operand.size), chunk.saturating_mul(operand.size));
        let Some(runs) = self.runs(operand, 0, bytes) else {
            return;
        };
        let (whole, rest) = (
            bytes.checked_div(chunk).unwrap_or_default(),
            bytes.checked_rem(chunk).unwrap_or_default(),
        );
        self.tally(operand, way, bytes);
        if runs == 1 {
            self.cycles.moved_often(whole, chunk, 1);
        } else {
            for index in 0..whole {
                self.strip(operand, index * chunk, chunk);
            }
        }
        if rest != 0 {
            self.strip(operand, whole * chunk, rest);
        }
    }

    /// Moves a part of a matrix.
    fn move_block(&mut self, operand: Operand, way: Way, block: Block) {
        self.tally(operand, way, block.elements() * operand.size);
        self.cycles.include(self.block_cycles(operand, block));
    }

    /// Moves a part of a matrix that is moved often.
    fn move_block_again(&mut self, known: &mut Known, operand: Operand, way: Way, block: Block) {
        self.tally(operand, way, block.elements() * operand.size);
        let cycles = known.entry(block).or_insert_with(|| self.block_cycles(operand, block));
        self.cycles.include(*cycles);
    }

    fn block_cycles(&self, operand: Operand, block: Block) -> Cycles {
        let (size, mut cycles) = (operand.size, Cycles::default());
        let extent = ((block.rows - 1) * block.stride + block.columns) * size;
        let strips = || block.strips().map(|strip| (strip.first * size, strip.elements * size));
        match (self.runs(operand, block.first * size, extent), strips().next()) {
            (Some(1), Some((_, bytes))) => cycles.moved_often(strips().count() as u64, bytes, 1),
            _ => strips().for_each(|(start, bytes)| {
                if let Some(runs) = self.runs(operand, start, bytes) {
                    cycles.moved(bytes, runs);
                }
            }),
        }
        cycles
    }

    fn strip(&mut self, operand: Operand, start: u64, bytes: u64) {
        if let Some(runs) = self.runs(operand, start, bytes) {
            self.cycles.moved(bytes, runs);
        }
    }

    /// Runs of addresses that bytes of an operand lie in; none for one that is not in memory.
    fn runs(&self, operand: Operand, start: u64, bytes: u64) -> Option<u64> {
        match operand.place {
            Place::Nowhere | Place::Immediate => None,
            Place::Local { .. } => Some(1),
            Place::Binding { index, offset } => {
                let view = self.views.get(usize::from(index))?;
                Some(view.runs(offset + start, bytes))
            }
        }
    }

    fn tally(&mut self, operand: Operand, way: Way, bytes: u64) {
        let total = match (operand.place, way) {
            (Place::Binding { .. }, Way::In) => &mut self.cost.host_read,
            (Place::Binding { .. }, Way::Out) => &mut self.cost.host_written,
            _ => &mut self.cost.local,
        };
        *total = total.saturating_add(bytes);
    }
}
