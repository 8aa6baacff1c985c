//! One run of written bytes for each unit of device-local memory, for programs that use all of it.
//!
//! The set of written bytes has a bit for each byte. Where a program writes a byte here and there, each bit is in a cache line of its own, and looking at many of them takes as long as
//! memory does. What is here is an eighth of that, and says the same where a program writes only one run of bytes in a unit.

use crate::intervals::Interval;

/// Binary logarithm of the bytes of a unit, of which one run of written bytes is remembered.
pub(super) const UNIT: u32 = 9;
/// Units that are emptied in the time that an operand takes.
const UNITS_PER_OPERAND: usize = 64;
/// Blocks until runs are asked again that had little to say: where a program writes many runs in each unit.
const PAUSE: u8 = 15;
/// Units for which a run is remembered at once.
const AT_ONCE: usize = 8;

/// Words that are needed for a window of so many bytes.
pub(crate) const fn unit_words(window: u64) -> usize {
    ((window >> UNIT) as usize).saturating_add(1)
}

/// The number of the unit of a byte.
#[inline(always)]
const fn unit(byte: u32) -> usize {
    (byte >> UNIT) as usize
}

/// The runs, by the numbers of their units.
#[derive(Debug)]
pub(crate) struct Units<'a> {
    runs: &'a mut [Interval],
    /// How many of them count: none until it pays to empty them, which most programs never need.
    used: usize,
    window: u64,
    /// Operands for which they were needed.
    needed: usize,
    /// Blocks for which they are not asked, because they had little to say of the last.
    pause: u8,
}

impl<'a> Units<'a> {
    /// Runs in memory whose content does not matter.
    pub(crate) const fn new(runs: &'a mut [Interval]) -> Self {
        Self {
            runs,
            used: 0,
            window: 0,
            needed: 0,
            pause: 0,
        }
    }

    /// Starts anew, for a program that uses `window` bytes.
    pub(super) const fn clear(&mut self, window: u64) {
        (self.used, self.window, self.needed, self.pause) = (0, window, 0, 0);
    }

    /// Says that runs are needed for so many operands. They are remembered from then on that emptying them costs no more than the operands did: a short program does not pay for a large window.
    #[inline(always)]
    pub(super) fn need(&mut self, operands: usize) {
        if self.used == 0 {
            self.needed = self.needed.saturating_add(operands);
            let units = unit_words(self.window);
            if self.needed >= units / UNITS_PER_OPERAND {
                self.runs.get_mut(..units).unwrap_or_default().fill(Interval::EMPTY);
                self.used = units;
            }
        }
    }

    /// Whether to ask for the operands of the next block.
    #[inline(always)]
    pub(super) const fn are_to_be_asked(&mut self) -> bool {
        let asked = self.pause == 0 && self.used != 0;
        self.pause = self.pause.saturating_sub(1);
        asked
    }

    /// Of so many operands that were asked for, these are still unknown.
    #[inline(always)]
    pub(super) const fn left_unknown(&mut self, asked: usize, unknown: usize) {
        if asked.saturating_sub(unknown) < asked / 4 {
            self.pause = PAUSE;
        }
    }

    /// Whether the run of the unit in which bytes begin has them. Nothing is decided on the way.
    #[inline(always)]
    pub(super) fn have(&self, bytes: Interval) -> bool {
        let runs = self.runs.get(..self.used).unwrap_or_default();
        let run = runs.get(unit(bytes.start())).copied().unwrap_or(Interval::EMPTY);
        let before = bytes.start().wrapping_sub(run.start()) | run.end().wrapping_sub(bytes.end());
        before >> 31 == 0
    }

    /// Remembers a run instead of what was remembered of the unit of a byte of it, and for the units that follow as far as it goes and there is nothing to remember.
    #[inline(always)]
    pub(super) fn remember(&mut self, run: Interval, byte: u32) {
        let (first, last) = (unit(byte), unit(run.end().wrapping_sub(1)));
        let units = self.runs.get_mut(..self.used).unwrap_or_default();
        let units = units.get_mut(first..).unwrap_or_default();
        let count = last.saturating_sub(first).saturating_add(1).min(AT_ONCE);
        let mut units = units.iter_mut().take(count);
        if let Some(known) = units.next() {
            *known = run;
        }
        units.filter(|known| known.is_empty()).for_each(|known| *known = run);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    const BYTES: u32 = 1 << UNIT;
    const WINDOW: u32 = 11 * BYTES + 100;

    /// Memory that says that everything was written.
    fn memory() -> Vec<Interval> {
        vec![Interval::new(0, WINDOW); unit_words(WINDOW.into())]
    }

    fn units_in(memory: &mut [Interval]) -> Units<'_> {
        let mut units = Units::new(memory);
        units.clear(WINDOW.into());
        units
    }

    fn interval() -> impl Strategy<Value = Interval> {
        let length = prop_oneof![1_u32..600, 1..WINDOW];
        (0..WINDOW, length).prop_map(|(start, length)| Interval::new(start, (start + length).min(WINDOW)))
    }

    #[test]
    fn nothing_is_known_at_first() {
        let mut memory = memory();
        let mut units = units_in(&mut memory);
        for _ in 0..2 {
            assert!((0..WINDOW).all(|byte| !units.have(Interval::new(byte, byte + 1))));
            units.need(1);
        }
    }

    #[test]
    fn those_that_have_little_to_say_are_asked_now_and_then() {
        let mut memory = memory();
        let mut units = units_in(&mut memory);
        assert!(!units.are_to_be_asked(), "nothing is remembered");
        units.need(1);
        assert!(units.are_to_be_asked());
        units.left_unknown(100, 75);
        assert!(units.are_to_be_asked(), "a quarter was known");
        units.left_unknown(100, 76);
        let pause = (0..).take_while(|_| !units.are_to_be_asked()).count();
        assert_eq!(pause, PAUSE.into());
    }

    #[test]
    fn a_large_window_is_worth_many_operands() {
        let window = 1 << 24;
        let mut memory = vec![Interval::EMPTY; unit_words(window)];
        let mut units = Units::new(&mut memory);
        units.clear(window);
        let run = Interval::new(700, 800);
        let mut operands = 0;
        while !units.have(run) {
            units.need(100);
            units.remember(run, run.start());
            operands += 100;
        }
        assert_eq!(operands, (unit_words(window) / UNITS_PER_OPERAND).next_multiple_of(100));
        units.clear(window);
        units.need(100);
        assert!(!units.have(run), "another program");
    }

    proptest! {
        #[test]
        fn the_last_run_of_a_unit_is_known(remembered in proptest::collection::vec((interval(), 0_u32..WINDOW), 1..12), asked in interval()) {
            let mut memory = memory();
            let mut units = units_in(&mut memory);
            units.need(1);
            let mut model = vec![Interval::EMPTY; unit(WINDOW) + 1];
            for (run, byte) in remembered {
                let byte = run.start() + byte % run.length();
                units.remember(run, byte);
                model[unit(byte)] = run;
                let others = model[unit(byte)..=unit(run.end() - 1)].iter_mut().take(AT_ONCE);
                others.filter(|known| known.is_empty()).for_each(|known| *known = run);
            }
            prop_assert_eq!(units.have(asked), model[unit(asked.start())].contains(asked));
        }
    }
}
