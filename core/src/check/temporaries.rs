//! The rule of device-local memory: what a step reads there, earlier steps have written.

use core::hint::{black_box, select_unpredictable};

use hawser_abi::program::OperandIndex;
use hawser_abi::reason::Reason;

use super::pass::{BLOCK, Reach};
use super::units::{UNIT, Units};
use crate::coverage::Coverage;
use crate::digest::Row;
use crate::intervals::Interval;
use crate::refusal::Refusal;

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
        self.go_through_with(rows, bits, Self::write_apart)
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
    fn write_apart(&mut self, place: Interval, run: Interval) -> bool {
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
mod tests {
    use super::*;
    use crate::check::pass::GroupReach;
    use crate::check::rows::FIRST_REACH;
    use crate::check::units::unit_words;
    use crate::coverage::coverage_words;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    /// Writes that can be left untold: fewer than there are.
    const UNTOLD: u32 = 20;
    /// Bytes of all units that do not push out each other.
    const TURN: u32 = (RUNS as u32) << UNIT;
    const WINDOW: u32 = 3 * TURN;

    #[derive(Clone, Copy, Debug)]
    enum Access {
        Write(Interval),
        Read(Interval),
    }

    /// Intervals that share a few places, so that they meet: at borders of units, and a turn apart.
    fn interval() -> impl Strategy<Value = Interval> {
        let near = (0_u32..6, 0_u32..40, 1_u32..40).prop_map(|(unit, start, length)| (unit << UNIT | start, length));
        let turned = (0_u32..4, 0_u32..3, 1_u32..700)
            .prop_map(|(unit, turn, length)| ((unit << UNIT) + turn * (TURN - 8), length));
        let long = (0_u32..WINDOW, 1..WINDOW);
        let start_and_length = prop_oneof![4 => near, 2 => turned, 1 => long];
        start_and_length.prop_map(|(start, length)| Interval::new(start, (start + length).min(WINDOW)).as_places())
    }

    fn access() -> impl Strategy<Value = Access> {
        prop_oneof![interval().prop_map(Access::Write), interval().prop_map(Access::Read)]
    }

    /// The first byte that was not written, if there is one that is read.
    fn first_gap(temporaries: &mut Temporaries<'_>, access: Access) -> Option<u64> {
        let mut rows = [Row::EMPTY; BLOCK];
        // The destination comes first in a row, and last among the bits; the second step is the one.
        let (lane, bit, place) = match access {
            Access::Write(place) => (0, 3, place),
            Access::Read(place) => (2, 1, place),
        };
        rows[1].start[lane] = place.start() as i32;
        rows[1].end[lane] = place.end() as i32;
        let mut group = GroupReach::default();
        group.add(0);
        group.add(FIRST_REACH << bit);
        let mut reach = Reach::default();
        reach.add(group, 2);
        let unwritten = temporaries.reach(&rows, &reach).err()?;
        assert_eq!((unwritten.step, unwritten.refusal.operand), (1, Some(OperandIndex::B)));
        assert_eq!(
            unwritten.refusal.offset + unwritten.refusal.length,
            u64::from(place.in_scratch().end())
        );
        Some(unwritten.refusal.offset)
    }

    fn agrees(accesses: Vec<Access>) -> Result<(), TestCaseError> {
        agrees_within(WINDOW, accesses)
    }

    /// What the program before left behind says that everything was written.
    fn agrees_within(window: u32, accesses: Vec<Access>) -> Result<(), TestCaseError> {
        let mut words = vec![u64::MAX; coverage_words(WINDOW.into())];
        let mut memory = vec![Interval::new(0, WINDOW).as_places(); temporaries_words(UNTOLD)];
        let mut units = vec![Interval::new(0, WINDOW); unit_words(WINDOW.into())];
        let written = Coverage::new(&mut words, WINDOW.into());
        let mut temporaries = Temporaries::new(written, Units::new(&mut units), &mut memory);
        temporaries.clear(window.into());
        let mut written = vec![false; window as usize];
        for access in accesses {
            let found = first_gap(&mut temporaries, access);
            let expected = match access {
                Access::Write(place) => {
                    let bytes = place.in_scratch();
                    written[bytes.start() as usize..bytes.end() as usize].fill(true);
                    None
                }
                Access::Read(place) => {
                    let bytes = place.in_scratch();
                    (bytes.start()..bytes.end())
                        .find(|byte| !written[*byte as usize])
                        .map(u64::from)
                }
            };
            prop_assert_eq!(found, expected, "{:?}", access);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn what_was_written_is_known_to_the_byte(accesses in proptest::collection::vec(access(), 0..80)) {
            agrees(accesses)?;
        }
    }

    /// In windows of all sizes, a byte is read in every unit.
    #[test]
    fn nothing_is_left_of_the_program_before() {
        let byte = |at: u32| Interval::new(at, at + 1).as_places();
        for window in [1, 511, 512, 513, 5000, TURN - 1, TURN, TURN + 1, WINDOW] {
            for at in (0..window).step_by(1 << UNIT).chain([window - 1]) {
                agrees_within(window, vec![Access::Read(byte(at))]).unwrap();
            }
            agrees_within(
                window,
                vec![
                    Access::Write(byte(0)),
                    Access::Read(byte(0)),
                    Access::Read(byte(window - 1)),
                ],
            )
            .unwrap();
        }
    }

    /// Nor of what it wrote and the set was not told of.
    #[test]
    fn nothing_is_left_of_writes_that_were_left_untold() {
        let mut words = vec![0; coverage_words(WINDOW.into())];
        let mut memory = vec![Interval::EMPTY; temporaries_words(UNTOLD)];
        let mut units = vec![Interval::EMPTY; unit_words(WINDOW.into())];
        let written = Coverage::new(&mut words, WINDOW.into());
        let mut temporaries = Temporaries::new(written, Units::new(&mut units), &mut memory);
        let starts = (0..UNTOLD / 2).map(|number| (number * 3) << UNIT);
        let place = |start: u32| Interval::new(start, start + 5).as_places();
        for read in starts.clone() {
            temporaries.clear(WINDOW.into());
            for start in starts.clone() {
                assert_eq!(first_gap(&mut temporaries, Access::Write(place(start))), None);
            }
            temporaries.clear(WINDOW.into());
            assert_eq!(
                first_gap(&mut temporaries, Access::Read(place(read))),
                Some(read.into())
            );
        }
    }

    /// Runs that are not there must not pass for runs that have everything.
    #[test]
    fn without_room_for_runs_it_is_known_what_was_written() {
        let mut words = vec![u64::MAX; coverage_words(WINDOW.into())];
        let written = Coverage::new(&mut words, WINDOW.into());
        let mut temporaries = Temporaries::new(written, Units::new(&mut []), &mut []);
        temporaries.clear(WINDOW.into());
        let byte = |at: u32| Interval::new(at, at + 1).as_places();
        let mut gap = |access| first_gap(&mut temporaries, access);
        assert_eq!([5, 9].map(|at| gap(Access::Write(byte(at)))), [None; 2]);
        assert_eq!([9, 5].map(|at| gap(Access::Read(byte(at)))), [None; 2]);
        assert_eq!(gap(Access::Read(byte(7))), Some(7));
    }

    /// More walks than can be left untold, two of three in a unit that another pushes out, and all of them read in the end.
    #[test]
    fn nothing_is_forgotten_when_much_is_written() {
        let place = |number: u32| {
            let (group, turn) = (number / 3, number % 3);
            let start = (turn * RUNS as u32 + (group ^ turn)) << UNIT;
            Interval::new(start + 1, start + 3).as_places()
        };
        let numbers = 0..2 * UNTOLD + 5;
        assert!(
            numbers
                .clone()
                .all(|number| unit(place(number).start()) == (number / 3) as usize)
        );
        let writes = numbers.clone().map(|number| Access::Write(place(number)));
        let reads = numbers.map(|number| Access::Read(place(number)));
        agrees(writes.chain(reads).collect()).unwrap();
    }

    /// Pieces that follow each other are read as a whole, in front of what comes next and behind it.
    #[test]
    fn a_walk_is_read_as_a_whole() {
        let piece = |number: u32| Interval::new(number * 100, number * 100 + 100).as_places();
        let walk = || (3..200).map(|number| Access::Write(piece(number)));
        let whole = Access::Read(Interval::new(300, 20_000).as_places());
        let part = Access::Read(Interval::new(9_001, 9_002).as_places());
        let more = Access::Read(Interval::new(299, 20_001).as_places());
        let elsewhere = Access::Write(Interval::new(50_000, 50_001).as_places());
        agrees(walk().chain([whole, part, more]).collect()).unwrap();
        agrees(walk().chain([elsewhere, whole, part, more]).collect()).unwrap();
    }
}
