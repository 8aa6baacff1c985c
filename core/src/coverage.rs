//! The set of bytes of device-local memory written so far, kept while a program is checked.
//!
//! Whether a step reads bytes that no earlier step has written must be known at that step. The set has a bit for each byte, in words; a word is looked
//! at only where its *state* says that it is written in part, and states of many words that are written completely are told by a bit of their own, on four
//! levels. So an operation looks at a few words, however long its interval is and whatever came before, beside the states that become full, which each do once; and nothing has to be
//! balanced, which an author of programs could play against. Emptying the set clears the states only: 1/256 of the bytes that it is for.

use core::hint::select_unpredictable;

use zerocopy::IntoBytes;

use crate::intervals::Interval;

/// Bytes, words, or words of states, that a word tells of.
const PER_WORD: u64 = u64::BITS as u64;
/// Levels of states: a window of 1 GiB has one word on the last.
const LEVELS: usize = 4;

/// A set of bytes.
#[derive(Debug)]
pub(crate) struct Coverage<'a> {
    /// A bit for each byte. What it holds counts only where the word is touched and not full.
    bytes: &'a mut [u64],
    /// A bit for each word of bytes: some of them are in the set.
    touched: &'a mut [u64],
    /// A bit for each word of bytes that are all in the set, and on each further level for each word of the level below with all bits set.
    full: [&'a mut [u64]; LEVELS],
    /// Bytes that are used of those that there is room for.
    window: u32,
    /// Words that were changed, or looked at for a change or for a gap, since the set was made.
    #[cfg(test)]
    work: core::cell::Cell<u64>,
}

/// Words of each part of a set for a window of so many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sizes {
    bytes: usize,
    full: [usize; LEVELS],
}

impl Sizes {
    const fn of(window: u64) -> Self {
        let bytes = window.div_ceil(PER_WORD);
        let first = bytes.div_ceil(PER_WORD);
        let second = first.div_ceil(PER_WORD);
        let third = second.div_ceil(PER_WORD);
        let fourth = third.div_ceil(PER_WORD);
        Self {
            bytes: bytes as usize,
            full: [first as usize, second as usize, third as usize, fourth as usize],
        }
    }
}

/// Most words that an interval has of which [`Coverage::has_near`] sees something: the bits of their states are in eight bytes, wherever they begin.
const NEAR: u32 = 57;

/// Words that a set for a window of so many bytes needs.
pub(crate) const fn coverage_words(window: u64) -> usize {
    let Sizes { bytes, full } = Sizes::of(window);
    let [first, second, third, fourth] = full;
    let upper = second.saturating_add(third).saturating_add(fourth);
    bytes.saturating_add(first.saturating_mul(2)).saturating_add(upper)
}

/// Bits `from` to before `to` of a word.
const fn bits(from: u32, to: u32) -> u64 {
    let below = u64::MAX.unbounded_shl(to);
    u64::MAX.unbounded_shl(from) & !below
}

/// The word of a bit, and its place there.
const fn place(index: u32) -> (usize, u32) {
    ((index >> 6) as usize, index & 63)
}

/// [`NEAR`] bits of words, from that of `index` on. There may be more, which are clear or right. Where words end, all are clear.
#[inline(always)]
fn near(words: &[u64], index: u32) -> u64 {
    let bytes = words.as_bytes().get((index >> 3) as usize..).unwrap_or_default();
    let bits = bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    bits.wrapping_shr(index & 7)
}

/// The first byte of a word.
const fn byte(word: usize) -> u32 {
    (word as u32).wrapping_mul(u64::BITS)
}

/// The first bit that is clear, from `from` on, if there is one.
const fn first_clear(word: u64, from: u32) -> Option<u32> {
    let clear = !word & u64::MAX.unbounded_shl(from);
    if clear == 0 { None } else { Some(clear.trailing_zeros()) }
}

/// The last bit that is clear before `before`, if there is one.
const fn last_clear(word: u64, before: u32) -> Option<u32> {
    (!word & bits(0, before)).checked_ilog2()
}

impl<'a> Coverage<'a> {
    /// A set for a window of `window` bytes in `words`, as many as [`coverage_words`] says. What it holds is known when it has been cleared.
    pub(crate) fn new(words: &'a mut [u64], window: u64) -> Self {
        let sizes = Sizes::of(window);
        let (bytes, rest) = split(words, sizes.bytes);
        let [first, ..] = sizes.full;
        let (touched, mut rest) = split(rest, first);
        let full = sizes.full.map(|size| {
            let (level, others) = split(core::mem::take(&mut rest), size);
            rest = others;
            level
        });
        Self {
            bytes,
            touched,
            full,
            window: 0,
            #[cfg(test)]
            work: core::cell::Cell::new(0),
        }
    }

    /// Empties the set, of which the first `window` bytes will be used.
    pub(crate) fn clear(&mut self, window: u64) {
        let sizes = Sizes::of(window);
        let [first, ..] = sizes.full;
        self.touched.get_mut(..first).unwrap_or_default().fill(0);
        for (level, size) in self.full.iter_mut().zip(sizes.full) {
            level.get_mut(..size).unwrap_or_default().fill(0);
        }
        self.window = u32::try_from(window).unwrap_or(u32::MAX);
    }

    /// The first byte of `interval` that is not in the set.
    pub(crate) fn first_gap(&self, interval: Interval) -> Option<u32> {
        let mut at = interval.start();
        while at < interval.end() {
            let (word, bit) = place(at);
            let full = self.next_not_full(0, word as u32) as usize;
            if full == word {
                if let Some(clear) = first_clear(self.word(word), bit) {
                    return Some((at & !63) | clear).filter(|gap| *gap < interval.end());
                }
                at = (at | 63).saturating_add(1);
            } else {
                at = (full as u32).saturating_mul(u64::BITS);
            }
        }
        None
    }

    /// Whether all bytes of `interval`, which has some, are seen to be in the set at a look at the words in which it begins and ends, and at the states in between. Of what is longer than [`NEAR`] words, nothing is
    /// seen.
    ///
    /// Nothing is decided on the way, so that many looks can wait for memory together.
    #[inline(always)]
    pub(crate) fn has_near(&self, interval: Interval) -> bool {
        let ((first, from), (last, to)) = (place(interval.start()), place(interval.end().wrapping_sub(1)));
        let behind = last.wrapping_sub(first) as u32;
        let (after, before) = (
            u64::MAX.wrapping_shl(from),
            u64::MAX.wrapping_shr(63_u32.wrapping_sub(to)),
        );
        let both = after & before;
        let (after, before) = select_unpredictable(behind == 0, (both, both), (after, before));
        // What a touched word holds is in the set even if the word is full by now.
        let touched = near(self.touched, first as u32);
        let has = |word, wanted, touched: u64| touched & u64::from(wanted & !self.look_at(word) == 0) & 1;
        let [full, ..] = &self.full;
        let seen = near(full, first as u32)
            | has(first, after, touched)
            | has(last, before, touched.wrapping_shr(behind)).wrapping_shl(behind);
        let wanted = u64::MAX.wrapping_shr(63_u32.wrapping_sub(behind));
        (wanted & !seen == 0) & (behind < NEAR)
    }

    /// What [`has_near`](Self::has_near) may have to wait for.
    #[inline(always)]
    pub(crate) fn look_near(&self, interval: Interval) -> u64 {
        let (first, _) = place(interval.start());
        self.look_at(first)
    }

    #[inline(always)]
    fn look_at(&self, word: usize) -> u64 {
        self.bytes.get(word).copied().unwrap_or_default()
    }

    /// A run of bytes of the set that contains `interval`, all of which are in it: the longest, as far as one word of states on either side tells, where `interval` begins in a word
    /// that is full. Where it does not, there is little to be found.
    pub(crate) fn around(&self, interval: Interval) -> Interval {
        let (word, _) = place(interval.start());
        if !self.is_full(word) {
            return interval;
        }
        // What is behind the window was not cleared.
        let behind = self.run_behind(interval.end()).min(self.window);
        Interval::new(self.run_before(interval.start()), behind)
    }

    /// Where the run begins in which a byte of a full word lies.
    fn run_before(&self, at: u32) -> u32 {
        let (word, _) = place(at);
        let (group, position) = place(word as u32);
        let full = last_clear(self.full_words(group), position).map_or(0, |clear| clear.wrapping_add(1));
        let first = (group << 6) | full as usize;
        let partly = match full {
            0 => 0,
            _ => self.content(first.wrapping_sub(1)).leading_ones(),
        };
        byte(first).wrapping_sub(partly)
    }

    /// Where the run ends that begins at `at`; `at` if there is none.
    fn run_behind(&self, at: u32) -> u32 {
        let (word, bit) = place(at);
        if let Some(clear) = first_clear(self.content(word), bit) {
            return (at & !63) | clear;
        }
        let next = word.wrapping_add(1);
        let (group, position) = place(next as u32);
        match first_clear(self.full_words(group), position) {
            Some(full) => {
                let last = (group << 6) | full as usize;
                byte(last).wrapping_add(self.content(last).trailing_ones())
            }
            None => byte(group.wrapping_add(1) << 6),
        }
    }

    /// The words of a group that are full, as bits.
    fn full_words(&self, group: usize) -> u64 {
        let [states, ..] = &self.full;
        states.get(group).copied().unwrap_or_default()
    }

    /// The bytes of a word that are in the set.
    fn content(&self, word: usize) -> u64 {
        if self.is_full(word) { u64::MAX } else { self.word(word) }
    }

    /// Adds the bytes of `interval`, which lie in the window.
    pub(crate) fn insert(&mut self, interval: Interval) {
        let ((first, from), (last, to)) = (place(interval.start()), place(interval.end()));
        if first == last {
            return self.add(first, bits(from, to));
        }
        let inner = if from == 0 {
            first
        } else {
            self.add(first, bits(from, u64::BITS));
            first.saturating_add(1)
        };
        if to != 0 {
            self.add(last, bits(0, to));
        }
        self.fill(0, inner as u32, last as u32);
    }

    /// Adds bytes of one word.
    fn add(&mut self, word: usize, bytes: u64) {
        if self.is_full(word) {
            return;
        }
        let content = self.word(word) | bytes;
        if content == u64::MAX {
            return self.fill(0, word as u32, (word as u32).saturating_add(1));
        }
        let (state, bit) = place(word as u32);
        if let Some(touched) = self.touched.get_mut(state) {
            *touched |= 1_u64.unbounded_shl(bit);
        }
        if let Some(place) = self.bytes.get_mut(word) {
            *place = content;
        }
    }

    /// Says that things `from` to before `to` are full: on level 0 words of bytes, on others words of the level below.
    fn fill(&mut self, level: usize, from: u32, to: u32) {
        let ((first, low), (last, high)) = (place(from), place(to));
        if first == last {
            return self.mark(level, first, bits(low, high));
        }
        let mut inner = first;
        if low != 0 {
            self.mark(level, first, bits(low, u64::BITS));
            inner = inner.saturating_add(1);
        }
        if high != 0 {
            self.mark(level, last, bits(0, high));
        }
        if inner < last {
            self.fill_words(level, inner as u32, last as u32);
        }
    }

    /// Sets all bits of the words `from` to before `to` of a level.
    ///
    /// Words that are full already are passed over by what the level above knows of them, so that all calls together set no more words than there are.
    fn fill_words(&mut self, level: usize, from: u32, to: u32) {
        let above = level.saturating_add(1);
        let mut next = self.next_not_full(above, from);
        while next < to {
            let (group, low) = place(next);
            let end = to.min((next | 63).saturating_add(1));
            let full = self
                .full
                .get(above)
                .and_then(|states| states.get(group))
                .copied()
                .unwrap_or_default();
            let wanted = bits(low, end.wrapping_sub(next).wrapping_add(low));
            #[cfg(test)]
            self.work.set(self.work.get() + u64::from(end - next));
            let words = self
                .full
                .get_mut(level)
                .and_then(|words| words.get_mut(next as usize..end as usize));
            match (words, full & wanted) {
                (None, _) => return,
                (Some(words), 0) => words.fill(u64::MAX),
                (Some(words), some) => {
                    let known = (0..).map(|word| some.unbounded_shr(low.wrapping_add(word)) & 1 != 0);
                    let rest = words.iter_mut().zip(known).filter(|(_, known)| !known);
                    rest.for_each(|(word, _)| *word = u64::MAX);
                }
            }
            next = self.next_not_full(above, end);
        }
        if above < LEVELS {
            self.fill(above, from, to);
        }
    }

    /// Sets bits of a word of a level, and where that makes it full, its bit on the next, and so on.
    fn mark(&mut self, level: usize, word: usize, bits: u64) {
        let (mut word, mut bits) = (word, bits);
        for states in self.full.iter_mut().skip(level) {
            #[cfg(test)]
            self.work.set(self.work.get() + 1);
            let Some(state) = states.get_mut(word) else { return };
            *state |= bits;
            if *state != u64::MAX {
                return;
            }
            let (above, bit) = place(word as u32);
            (word, bits) = (above, 1_u64.unbounded_shl(bit));
        }
    }

    /// The first thing that is not full, from `from` on; may be one behind the last.
    fn next_not_full(&self, level: usize, from: u32) -> u32 {
        #[cfg(test)]
        self.work.set(self.work.get() + 1);
        let Some(states) = self.full.get(level) else {
            return from;
        };
        let (word, bit) = place(from);
        let Some(state) = states.get(word) else { return from };
        if let Some(clear) = first_clear(*state, bit) {
            return (from & !63) | clear;
        }
        let next = self.next_not_full(level.saturating_add(1), (word as u32).saturating_add(1));
        let clear = states.get(next as usize).and_then(|state| first_clear(*state, 0));
        next.saturating_mul(u64::BITS) | clear.unwrap_or_default()
    }

    fn is_full(&self, word: usize) -> bool {
        let [states, ..] = &self.full;
        is_set(states, word)
    }

    /// The bytes of a word that are in the set, where it is not full.
    fn word(&self, word: usize) -> u64 {
        #[cfg(test)]
        self.work.set(self.work.get() + 1);
        if is_set(self.touched, word) {
            self.bytes.get(word).copied().unwrap_or_default()
        } else {
            0
        }
    }
}

fn is_set(states: &[u64], index: usize) -> bool {
    let (word, bit) = place(index as u32);
    states.get(word).is_some_and(|state| state.unbounded_shr(bit) & 1 != 0)
}

fn split(words: &mut [u64], at: usize) -> (&mut [u64], &mut [u64]) {
    words.split_at_mut_checked(at).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

    /// Bytes of which one word of states tells.
    const GROUP: u32 = 64 * 64;

    #[derive(Clone, Debug)]
    enum Operation {
        Insert(Interval),
        Query(Interval),
    }

    /// Intervals of a window, short ones, long ones, and such that end at borders of words.
    fn interval(window: u32) -> impl Strategy<Value = Interval> {
        let border = move |unit: u32| {
            let most = (window / unit).max(1);
            (0..most, 1..=most).prop_map(move |(start, length)| (start * unit, length * unit))
        };
        let any = prop_oneof![
            (0..window, 1_u32..100),
            (0..window, 1..=window),
            border(64),
            border(4096),
        ];
        any.prop_map(move |(start, length)| Interval::new(start, (start + length).min(window)))
    }

    fn operation(window: u32) -> impl Strategy<Value = Operation> {
        prop_oneof![
            interval(window).prop_map(Operation::Insert),
            interval(window).prop_map(Operation::Query)
        ]
    }

    fn agrees(window: u32, operations: Vec<Operation>) -> Result<(), TestCaseError> {
        // There is more room than is used, and something in it.
        let room = u64::from(window) + 3 * u64::from(GROUP);
        let mut words = vec![u64::MAX; coverage_words(room)];
        let mut set = Coverage::new(&mut words, room);
        set.clear(window.into());
        let mut model = vec![false; window as usize];
        for operation in operations {
            match operation {
                Operation::Insert(interval) => {
                    set.insert(interval);
                    model[interval.start() as usize..interval.end() as usize].fill(true);
                }
                Operation::Query(interval) => {
                    let gap = (interval.start()..interval.end()).find(|byte| !model[*byte as usize]);
                    prop_assert_eq!(set.first_gap(interval), gap);
                    prop_assert!(gap.is_none() || interval.is_empty() || !set.has_near(interval));
                    if gap.is_none() && !interval.is_empty() {
                        let around = set.around(interval);
                        prop_assert!(around.contains(interval));
                        prop_assert!(
                            (around.start()..around.end()).all(|byte| model[byte as usize]),
                            "{:?}",
                            around
                        );
                        let has = |byte: u32| model.get(byte as usize).is_some_and(|has| *has);
                        let word = interval.start() / 64 * 64;
                        if (word..word + 64).all(has) {
                            prop_assert!(
                                around.start().is_multiple_of(GROUP) || !has(around.start() - 1),
                                "{:?}",
                                around
                            );
                            prop_assert!(around.end().is_multiple_of(GROUP) || !has(around.end()), "{:?}", around);
                        }
                    }
                }
            }
        }
        let mut at = 0;
        while at < window {
            let gap = (at..window).find(|byte| !model[*byte as usize]);
            prop_assert_eq!(set.first_gap(Interval::new(at, window)), gap);
            at = gap.unwrap_or(window) + 1;
        }
        set.clear(window.into());
        prop_assert_eq!(set.first_gap(Interval::new(0, window)), Some(0));
        Ok(())
    }

    proptest! {
        #[test]
        fn a_small_coverage_agrees_with_a_truth_value_for_each_byte(operations in proptest::collection::vec(operation(700), 0..80)) {
            agrees(700, operations)?;
        }

        #[test]
        fn a_coverage_of_whole_groups_agrees_with_a_truth_value_for_each_byte(operations in proptest::collection::vec(operation(2 * GROUP), 0..40)) {
            agrees(2 * GROUP, operations)?;
        }

        #[test]
        fn a_coverage_of_three_levels_agrees_with_a_truth_value_for_each_byte(
            operations in proptest::collection::vec(operation(600_000), 0..24)
        ) {
            agrees(600_000, operations)?;
        }
    }

    /// Among words that say, where they are not touched, that everything is in the set.
    #[test]
    fn what_was_inserted_is_seen_at_one_look_wherever_it_begins() {
        const ROOM: u64 = 2 * GROUP as u64;
        let mut words = vec![u64::MAX; coverage_words(ROOM)];
        let mut set = Coverage::new(&mut words, ROOM);
        for start in (1..200).chain([GROUP - 70, GROUP + 1]) {
            for length in (1..150).chain([64 * (NEAR - 1), 64 * NEAR - 1]) {
                set.clear(ROOM);
                let interval = |before, behind| Interval::new(start - before, start + length + behind);
                set.insert(interval(0, 0));
                let words = (start + length - 1) / 64 - start / 64 + 1;
                assert_eq!(
                    set.has_near(interval(0, 0)),
                    words <= NEAR,
                    "{length} bytes from {start} on"
                );
                assert!(!set.has_near(interval(1, 0)) && !set.has_near(interval(0, 1)));
            }
        }
    }

    /// Which of `n` places is touched as the `i`-th.
    type Order = fn(u32, u32) -> u32;
    /// Orders that an adversary might choose.
    const ORDERS: [(&str, Order); 5] = [
        ("ascending", |i, _| i),
        ("descending", |i, n| n - 1 - i),
        ("from both ends", |i, n| if i % 2 == 0 { i } else { n - i }),
        ("bit reversal", |i, n| i.reverse_bits() >> (n.leading_zeros() + 1)),
        ("scattered", |i, n| i.wrapping_mul(2_654_435_761) % n),
    ];

    #[test]
    fn no_order_of_steps_makes_them_cost_more_than_a_few_words_each() {
        let window = 1_u32 << 26;
        for n in [1_u32 << 8, 1 << 12, 1 << 16] {
            for length in [1, 64, window / n, window / n - 1, window / 2] {
                for (name, order) in ORDERS {
                    let mut words = vec![0; coverage_words(window.into())];
                    let mut set = Coverage::new(&mut words, window.into());
                    set.clear(window.into());
                    for i in 0..n {
                        let start = order(i, n) * (window / n);
                        let interval = Interval::new(start, (start + length).min(window));
                        set.first_gap(interval);
                        set.insert(interval);
                        assert_eq!(set.first_gap(interval), None);
                    }
                    // At both ends of an interval there can be a group of states that were looked at before.
                    let bound = 160 * u64::from(n) + u64::from(window) / 4096 * 3;
                    assert!(
                        set.work.get() <= bound,
                        "{name}, {length}: {} words for {n}",
                        set.work.get()
                    );
                }
            }
        }
    }

    #[test]
    fn a_window_of_a_gibibyte_has_its_last_byte() {
        assert_eq!(Sizes::of(1 << 30).full, [1 << 18, 1 << 12, 1 << 6, 1]);
        assert_eq!(Sizes::of(1).full, [1; LEVELS]);
        let window = 1 << 30;
        let mut words = vec![0; coverage_words(window)];
        let mut set = Coverage::new(&mut words, window);
        set.clear(window);
        let all = Interval::new(0, 1 << 30);
        set.insert(Interval::new(0, (1 << 30) - 1));
        assert_eq!(set.first_gap(all), Some((1 << 30) - 1));
        set.insert(Interval::new((1 << 30) - 1, 1 << 30));
        assert_eq!(set.first_gap(all), None);
    }
}
