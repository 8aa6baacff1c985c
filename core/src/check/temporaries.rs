//! The rule of device-local memory: what a step reads there, earlier steps have written.

use hawser_abi::program::OperandIndex;
use hawser_abi::reason::Reason;

use super::pass::BLOCK;
use crate::coverage::Coverage;
use crate::digest::Row;
use crate::intervals::Interval;
use crate::refusal::Refusal;

/// Binary logarithm of the bytes of a unit of device-local memory, of which one run of written bytes is remembered.
const UNIT: u32 = 9;
/// Units behind the first for which a run is remembered when bytes are written.
const MORE_UNITS: u32 = 7;
/// Runs that are remembered.
pub(crate) const RUNS: usize = 512;

/// What has been written of device-local memory.
///
/// The set of all bytes answers in a few dozen instructions. Most operands lie in bytes that were asked for before, so a run of written bytes is
/// remembered for each unit in which an operand began, until another pushes it out. Most programs write one byte after the other, so the set is told of a walk when it has ended.
#[derive(Debug)]
pub(crate) struct Temporaries<'a> {
    written: Coverage<'a>,
    /// Bytes that are written too, each where those before touch it.
    walk: Interval,
    runs: &'a mut [Interval],
}

impl<'a> Temporaries<'a> {
    /// Nothing is written. There are [`RUNS`] runs.
    pub(crate) fn new(written: Coverage<'a>, runs: &'a mut [Interval]) -> Self {
        Self {
            written,
            walk: Interval::EMPTY,
            runs,
        }
    }

    /// Starts anew, for a program that uses `window` bytes.
    pub(crate) fn clear(&mut self, window: u64) {
        self.written.clear(window);
        self.walk = Interval::EMPTY;
        self.runs.fill(Interval::EMPTY);
    }

    /// Steps reach device-local memory with the operands whose bits are set in `reach`: four for each step, first to third source, then the destination.
    #[inline(always)]
    pub(super) fn reach(&mut self, rows: &[Row; BLOCK], reach: u64) -> Result<(), Unwritten> {
        let mut left = reach;
        while left != 0 {
            let bit = left.trailing_zeros();
            left &= left.wrapping_sub(1);
            let place = place(rows, bit);
            let run = self.runs.get(unit(place.start())).copied().unwrap_or(Interval::EMPTY);
            if !run.contains(place) {
                self.look_up(place, bit)?;
            }
        }
        Ok(())
    }

    /// An operand that lies in no run that is remembered.
    #[inline(never)]
    fn look_up(&mut self, place: Interval, bit: u32) -> Result<(), Unwritten> {
        let bytes = place.in_scratch();
        let (run, units) = match SOURCES.get(bit as usize % OPERANDS) {
            // What reads a part of it may begin in any of its units.
            None => (self.write(bytes), (place.length() >> UNIT).min(MORE_UNITS)),
            Some(operand) => {
                let found = self.read(bytes).map_err(|gap| {
                    let rest = bytes.end().saturating_sub(gap);
                    let refusal = Refusal::new(Reason::ScratchNotWritten).operand(*operand);
                    let refusal = refusal.offset(gap.into()).length(rest.into());
                    Unwritten { step: bit / 4, refusal }
                })?;
                (found, 0)
            }
        };
        for number in 0..=units {
            let start = place.start().wrapping_add(number << UNIT);
            if let Some(known) = self.runs.get_mut(unit(start)) {
                *known = run.as_places();
            }
        }
        Ok(())
    }

    /// Writes bytes; returns a run of written ones around them.
    fn write(&mut self, bytes: Interval) -> Interval {
        if self.walk.touches(bytes) {
            self.walk = self.walk.union(bytes);
        } else {
            self.written.insert(self.walk);
            self.walk = bytes;
        }
        self.walk
    }

    /// Finds a run of written bytes around these, or the first one that is not written.
    fn read(&mut self, bytes: Interval) -> Result<Interval, u32> {
        if self.walk.contains(bytes) {
            return Ok(self.walk);
        }
        if self.written.first_gap(bytes).is_some() {
            self.written.insert(self.walk);
            if let Some(gap) = self.written.first_gap(bytes) {
                return Err(gap);
            }
        }
        Ok(self.written.around(bytes))
    }
}

/// A read of bytes that were not written.
pub(super) struct Unwritten {
    /// Number of the step among those that were looked at.
    pub(super) step: u32,
    pub(super) refusal: Refusal,
}

/// Operands of a step.
const OPERANDS: usize = 4;
/// Those that are read, in the order of their bits; the last bit is the destination's.
const SOURCES: [OperandIndex; 3] = [OperandIndex::A, OperandIndex::B, OperandIndex::C];

/// The place of the operand that has a bit. In rows, the destination is the first.
#[inline(always)]
fn place(rows: &[Row; BLOCK], bit: u32) -> Interval {
    let row = rows.get((bit / 4) as usize % BLOCK);
    let lane = bit.wrapping_add(1) as usize % OPERANDS;
    row.and_then(|row| row.get(lane)).copied().unwrap_or(Interval::EMPTY)
}

/// Where the run is remembered of the unit in which something begins. Units that are at most 64 MiB and a power of two apart do not push out each other, nor do neighbours, except at a multiple of that.
#[inline(always)]
fn unit(start: u32) -> usize {
    let number = start >> UNIT;
    (number ^ number >> RUNS.ilog2()) as usize % RUNS
}
