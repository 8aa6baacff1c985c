//! The rule of device-local memory: what a step reads there, earlier steps have written.

use core::hint::{black_box, select_unpredictable};

use hawser_abi::program::OperandIndex;
use hawser_abi::reason::Reason;

use super::pass::Reach;
use super::units::{UNIT, Units};
use crate::coverage::Coverage;
use crate::intervals::Interval;
use crate::refusal::Refusal;
use crate::trusted::{BLOCK, Row};

/// Units behind the first for which a run is remembered.
const MORE_UNITS: u32 = 7;
/// Those of them that are dealt with alike, whether an operand reaches so far or not, because how long operands are follows no pattern.
const NEAR_UNITS: u32 = 3;
/// Runs that are remembered.
const RUNS: usize = 512;
/// Operands of a block that do not lie in the run of their unit if the program uses all of device-local memory: more than one in each step.
const SCATTERED: usize = BLOCK;
/// Sources of a block for which it pays to look at the set for all at once.
const MANY_SOURCES: usize = BLOCK / 4;
/// Runs that say nothing.
static NOTHING_KNOWN: [Interval; RUNS] = [Interval::EMPTY; RUNS];
/// Operands of a block that lie in the walk or make it longer if the program walks: one for every fourth step.
const WALKED: u32 = BLOCK as u32 / 4;
/// Operands that the steps of a block can have.
const OPERANDS_OF_BLOCK: usize = BLOCK * OPERANDS;
/// Words for runs, and for writes that the set need not have been told of: one for each of so many steps.
pub(crate) const fn temporaries_words(steps: u32) -> usize {
    RUNS.saturating_add(steps as usize)
}

/// What has been written of device-local memory.
///
/// The set of all bytes answers in a few dozen instructions. Most operands lie in bytes that were written or asked for before, so a run of written bytes is
/// remembered for each unit in which an operand began, until another pushes it out. Many programs write one byte after the other, so the run that was written last, the walk, is remembered only
/// when something else is written. The set is told of what was written when something is read that neither the run of its unit has nor the walk nor the set.
///
/// A program that does not walk is looked at in two passes over the operands of a block: the first lists those that are not in the run of their unit, the second goes through these in the order of
/// the program. What is known before a block stays known in it, so that only what is new depends on the order. Where the list is long, it is shortened by what [`Units`] and the set know.
#[derive(Debug)]
pub(crate) struct Temporaries<'a> {
    written: Coverage<'a>,
    units: Units<'a>,
    runs: &'a mut [Interval],
    walk: Interval,
    /// What of the walk is remembered in its units.
    kept: Interval,
    /// What was written, beside the walk, that `written` was not told of.
    untold: &'a mut [Interval],
    /// How many.
    count: usize,
    /// Many operands of the last block lay in the walk, or made it longer. Then the next ones will, and asking the walk first saves half of the work.
    walking: bool,
}

/// The walk, while a block is gone through.
struct Walking {
    walk: Interval,
    /// Operands that lay in the walk, or made it longer.
    walked: u32,
}

impl<'a> Temporaries<'a> {
    /// A set with as much memory as [`temporaries_words`] says; what it holds is known when it has been cleared.
    pub(crate) fn new(written: Coverage<'a>, units: Units<'a>, memory: &'a mut [Interval]) -> Self {
        let (runs, untold) = memory.split_at_mut_checked(RUNS).unwrap_or_default();
        Self {
            written,
            units,
            runs,
            walk: Interval::EMPTY,
            kept: Interval::EMPTY,
            untold,
            count: 0,
            walking: false,
        }
    }

    /// Starts anew, for a program that uses `window` bytes.
    pub(crate) fn clear(&mut self, window: u64) {
        self.written.clear(window);
        self.units.clear(window);
        // Units of a window that has no more of them than there are runs have one each, in their order, so that no other is asked.
        let units = usize::try_from(window >> UNIT).unwrap_or(RUNS).saturating_add(1);
        self.runs.iter_mut().take(units).for_each(|run| *run = Interval::EMPTY);
        (self.walk, self.kept) = (Interval::EMPTY, Interval::EMPTY);
        self.count = 0;
        self.walking = true;
    }

    /// The steps of a block reach device-local memory.
    pub(super) fn reach(&mut self, rows: &[Row; BLOCK], reach: &Reach) -> Result<(), Unwritten> {
        if self.walking {
            return self.walk_on(rows, reach);
        }
        let mut unknown = [0; OPERANDS_OF_BLOCK];
        let count = self.list_unknown(rows, reach, &mut unknown);
        if count > SCATTERED {
            self.units.need(count);
            let mut count = count;
            if self.units.are_to_be_asked() {
                let asked = count;
                count = self.leave_out_units(rows, &mut unknown, asked);
                self.units.left_unknown(asked, count);
            }
            let listed = unknown.iter().take(count);
            if listed.filter(|bit| !writes((**bit).into())).count() > MANY_SOURCES {
                self.tell();
                count = self.leave_out_written(rows, &mut unknown, count);
            }
            self.go_all_over(rows, unknown.get(..count).unwrap_or_default())
        } else {
            self.go_through(rows, unknown.get(..count).unwrap_or_default())
        }
    }

    /// Lists the operands, by their bits, that do not lie in the run of their unit. Nothing is decided on the way: where a program works on temporaries here and there, no branch on where it does could be predicted.
    #[inline(never)]
    fn list_unknown(&self, rows: &[Row; BLOCK], reach: &Reach, unknown: &mut [u8; OPERANDS_OF_BLOCK]) -> usize {
        let runs = self.runs.first_chunk::<RUNS>().unwrap_or(&NOTHING_KNOWN);
        let mut count = 0_usize;
        for (word, first) in reach.words().iter().zip((0..).step_by(u64::BITS as usize)) {
            let mut left = *word;
            while left != 0 {
                let bit = left.trailing_zeros().wrapping_add(first);
                left &= left.wrapping_sub(1);
                let place = place(rows, bit);
                if let Some(next) = unknown.get_mut(count % OPERANDS_OF_BLOCK) {
                    *next = bit as u8;
                }
                let run = runs.get(unit(place.start())).copied().unwrap_or(Interval::EMPTY);
                let before = place.start().wrapping_sub(run.start()) | run.end().wrapping_sub(place.end());
                count = count.wrapping_add((before >> 31) as usize);
            }
        }
        count
    }

    /// Leaves out of the `count` listed operands those that the run of a unit is known to have; returns how many are left.
    #[inline(never)]
    fn leave_out_units(&self, rows: &[Row; BLOCK], listed: &mut [u8; OPERANDS_OF_BLOCK], count: usize) -> usize {
        leave_out(listed, count, |bit| {
            self.units.have(place(rows, bit.into()).in_scratch())
        })
    }

    /// Leaves out of the `count` listed operands those sources of which the set says at one look that they are written; returns how many operands are left.
    ///
    /// Each look waits for memory where all of device-local memory is used. So all of them wait together.
    #[inline(never)]
    fn leave_out_written(&self, rows: &[Row; BLOCK], listed: &mut [u8; OPERANDS_OF_BLOCK], count: usize) -> usize {
        // It does not matter where a destination is. The first byte is near.
        let bytes = |bit: u8| {
            let bytes = place(rows, bit.into()).in_scratch();
            select_unpredictable(writes(bit.into()), Interval::new(0, 1), bytes)
        };
        let looks = listed.iter().take(count).map(|bit| self.written.look_near(bytes(*bit)));
        black_box(looks.fold(0, |all, look| all | look));
        leave_out(listed, count, |bit| {
            self.written.has_near(bytes(bit)) & !writes(bit.into())
        })
    }

    /// The steps reach with all of their operands, in a program that walked so far.
    // Not part of anything else: the loop is short, and takes twice as long where registers are scarce.
    #[inline(never)]
    fn walk_on(&mut self, rows: &[Row; BLOCK], reach: &Reach) -> Result<(), Unwritten> {
        let mut going = Walking {
            walk: self.walk,
            walked: 0,
        };
        for (word, first) in reach.words().iter().zip((0..).step_by(u64::BITS as usize)) {
            let mut left = *word;
            while left != 0 {
                let bit = left.trailing_zeros().wrapping_add(first);
                left &= left.wrapping_sub(1);
                self.go_on(rows, bit, &mut going)?;
            }
        }
        (self.walk, self.walking) = (going.walk, going.walked >= WALKED);
        Ok(())
    }

    /// The steps reach with those of their operands that have these bits, in a program that did not walk so far.
    #[inline(never)]
    fn go_through(&mut self, rows: &[Row; BLOCK], bits: &[u8]) -> Result<(), Unwritten> {
        self.go_through_with(rows, bits, Self::walk_from)
    }

    /// The same, in a program whose operands are all over device-local memory.
    #[inline(never)]
    fn go_all_over(&mut self, rows: &[Row; BLOCK], bits: &[u8]) -> Result<(), Unwritten> {
        self.go_through_with(rows, bits, Self::write_anywhere)
    }

    /// The same. `write` deals with what is written and neither in the run of its unit nor in the walk, and says whether it made that run longer.
    #[inline(always)]
    fn go_through_with(
        &mut self,
        rows: &[Row; BLOCK],
        bits: &[u8],
        write: impl Fn(&mut Self, Interval, Interval) -> bool,
    ) -> Result<(), Unwritten> {
        self.keep_all();
        let mut walked = 0_u32;
        for bit in bits.iter().map(|bit| u32::from(*bit)) {
            let place = place(rows, bit);
            let run = self.run(place.start());
            if run.contains(place) | self.walk.contains(place) {
                continue;
            }
            if writes(bit) {
                walked = walked.wrapping_add(write(self, place, run).into());
            } else {
                self.read(place).map_err(|gap| unwritten(place, gap, bit))?;
            }
        }
        self.walking = walked >= WALKED;
        Ok(())
    }

    /// Begins a walk in a place, with the run of its unit where they touch.
    #[inline(always)]
    fn walk_from(&mut self, place: Interval, run: Interval) -> bool {
        let touches = run.touches(place);
        self.leave_untold(self.walk);
        self.walk = select_unpredictable(touches, run.union(place), place);
        self.keep_from(place.start());
        touches
    }

    /// The same, unless they are apart from that run: then nothing walks.
    #[inline(always)]
    fn write_anywhere(&mut self, place: Interval, run: Interval) -> bool {
        let touches = run.touches(place);
        let run = if touches {
            self.walk_from(place, run);
            self.walk
        } else {
            self.leave_untold(place);
            self.remember(place.start(), place);
            place
        };
        self.units.remember(run.in_scratch(), place.in_scratch().start());
        touches
    }

    /// A step reaches with the operand that has this bit: the walk is asked first.
    #[inline(always)]
    fn go_on(&mut self, rows: &[Row; BLOCK], bit: u32, going: &mut Walking) -> Result<(), Unwritten> {
        let place = place(rows, bit);
        if going.walk.contains(place) {
            going.walked = going.walked.wrapping_add(1);
            return Ok(());
        }
        if writes(bit) & going.walk.touches(place) {
            going.walk = going.walk.union(place);
            going.walked = going.walked.wrapping_add(1);
            return Ok(());
        }
        if self.run(place.start()).contains(place) {
            return Ok(());
        }
        self.walk = going.walk;
        if writes(bit) {
            self.write(place);
            going.walk = self.walk;
            return Ok(());
        }
        self.read(place).map_err(|gap| unwritten(place, gap, bit))
    }

    /// The run that is remembered for the unit of a byte.
    fn run(&self, byte: u32) -> Interval {
        self.runs.get(unit(byte)).copied().unwrap_or(Interval::EMPTY)
    }

    /// Begins a walk with bytes that neither the run of their unit has nor the walk, which they do not touch either.
    #[inline(never)]
    fn write(&mut self, place: Interval) {
        self.keep_all();
        self.walk_from(place, self.run(place.start()));
    }

    /// Remembers the walk in its last units, if it grew since that was done.
    #[inline(always)]
    fn keep_all(&mut self) {
        if self.walk != self.kept {
            let last = self.walk.end().saturating_sub(MORE_UNITS << UNIT);
            self.keep_from(last.max(self.walk.start()));
        }
    }

    /// Leaves it for later to tell the set of what was written.
    #[inline(always)]
    fn leave_untold(&mut self, run: Interval) {
        if self.count == self.untold.len() {
            self.tell();
        }
        if let Some(untold) = self.untold.get_mut(self.count) {
            *untold = run;
            self.count = self.count.wrapping_add(1);
        }
    }

    /// Remembers the walk in units from that of one of its bytes on: what reads a part of it may begin in any of them.
    #[inline(always)]
    fn keep_from(&mut self, byte: u32) {
        let more = (self.walk.end() >> UNIT).saturating_sub(byte >> UNIT).min(MORE_UNITS);
        for number in 0..=NEAR_UNITS {
            self.remember(byte.wrapping_add(number.min(more) << UNIT), self.walk);
        }
        for number in NEAR_UNITS.wrapping_add(1)..=more {
            self.remember(byte.wrapping_add(number << UNIT), self.walk);
        }
        self.kept = self.walk;
    }

    /// Remembers a run for the unit of a byte, instead of another.
    #[inline(always)]
    fn remember(&mut self, byte: u32, run: Interval) {
        if let Some(known) = self.runs.get_mut(unit(byte)) {
            *known = run;
        }
    }

    /// Reads bytes that do not all lie in the run of their unit, nor in the walk; returns the first one that is not written.
    #[inline(never)]
    fn read(&mut self, place: Interval) -> Result<(), u32> {
        let bytes = place.in_scratch();
        if self.written.first_gap(bytes).is_some() {
            self.tell();
            if let Some(gap) = self.written.first_gap(bytes) {
                return Err(gap);
            }
        }
        let run = self.written.around(bytes);
        self.units.remember(run, bytes.start());
        self.remember(place.start(), run.as_places());
        Ok(())
    }

    /// Tells the set of everything that it was not told of.
    #[inline(never)]
    fn tell(&mut self) {
        let untold = self.untold.get(..self.count).unwrap_or_default();
        for run in untold.iter().chain([&self.walk]).filter(|run| !run.is_empty()) {
            self.written.insert(run.in_scratch());
        }
        self.count = 0;
    }
}

/// Leaves out of the first `count` bits those for which something holds; returns how many are left. Here too, nothing is decided on the way.
#[inline(always)]
fn leave_out(bits: &mut [u8; OPERANDS_OF_BLOCK], count: usize, holds: impl Fn(u8) -> bool) -> usize {
    let mut left = 0_usize;
    for number in 0..count.min(OPERANDS_OF_BLOCK) {
        let bit = bits.get(number).copied().unwrap_or_default();
        if let Some(next) = bits.get_mut(left % OPERANDS_OF_BLOCK) {
            *next = bit;
        }
        left = left.wrapping_add(usize::from(!holds(bit)));
    }
    left
}

/// What is refused of an operand of which the byte `gap` is the first that was not written.
#[cold]
fn unwritten(place: Interval, gap: u32, bit: u32) -> Unwritten {
    let rest = place.in_scratch().end().saturating_sub(gap);
    let refusal = Refusal::new(Reason::ScratchNotWritten);
    let refusal = match SOURCES.get(bit as usize % OPERANDS) {
        Some(operand) => refusal.operand(*operand),
        None => refusal,
    };
    let refusal = refusal.offset(gap.into()).length(rest.into());
    Unwritten { step: bit / 4, refusal }
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

/// Whether the operand that has a bit is the destination.
#[inline(always)]
const fn writes(bit: u32) -> bool {
    bit as usize % OPERANDS == SOURCES.len()
}

/// The place of the operand that has a bit. In rows, the destination is the first.
#[inline(always)]
fn place(rows: &[Row; BLOCK], bit: u32) -> Interval {
    let row = rows.get((bit / 4) as usize % BLOCK);
    let lane = bit.wrapping_add(1) as usize % OPERANDS;
    row.map_or(Interval::EMPTY, |row| row.place(lane))
}

/// Where the run is remembered of the unit in which something begins. Units that are at most 64 MiB and a power of two apart do not push out each other, nor do neighbours, except at a multiple of that.
#[inline(always)]
fn unit(start: u32) -> usize {
    let number = start >> UNIT;
    (number ^ number >> RUNS.ilog2()) as usize % RUNS
}

#[cfg(test)]
mod tests;
