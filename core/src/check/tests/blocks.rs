//! Whole blocks of steps that write and read device-local memory here and there, compared with a truth value for each byte.
//!
//! How a block is looked at depends on the blocks before it and on how many of its operands are known, so that single accesses show little of it.

use std::vec;
use std::vec::Vec;

use hawser_abi::program::OperandIndex;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::check::pass::{GROUP, GroupReach, Reach};
use crate::check::rows::FIRST_REACH;
use crate::check::temporaries::{Temporaries, Unwritten, temporaries_words};
use crate::check::units::{Units, unit_words};
use crate::coverage::{Coverage, coverage_words};
use crate::intervals::Interval;
use crate::trusted::{BLOCK, Row};

/// More than there are runs for, so that they push out each other.
const WINDOW: u32 = 700 * 512 - 100;
/// Writes that can be left untold: so few that all of them are told again and again, and so many that some are left when a program ends.
const UNTOLD: [u32; 2] = [6, 100];

/// What a step writes.
#[derive(Clone, Copy, Debug)]
enum Target {
    Nothing,
    /// So many bytes, that many behind those that were written last.
    Next(u32, u32),
    At(Interval),
}

/// What a step reads.
#[derive(Clone, Copy, Debug)]
enum Source {
    Nothing,
    /// A part of something that was written, counted from the last write or from the first.
    Recent(usize, Part),
    Any(Index, Part),
}

/// A part of an interval: where it begins, and how long it is.
#[derive(Clone, Copy, Debug)]
struct Part(Index, Index);

/// A source that may be wrong, instead of the first of a step.
#[derive(Clone, Copy, Debug)]
enum Probe {
    /// Something that was written, and so many bytes more in front and behind.
    More(Index, u32, u32),
    /// What the step itself writes.
    Own,
    /// What a later step writes.
    Later(Index),
    At(Interval),
}

#[derive(Clone, Copy, Debug)]
struct Draft {
    target: Target,
    sources: [Source; 3],
}

/// The blocks of a program, and what is tried in one of its steps.
#[derive(Clone, Debug)]
struct Program {
    window: u32,
    blocks: Vec<Vec<Draft>>,
    probe: (Index, Probe),
}

fn interval() -> impl Strategy<Value = Interval> {
    let length = || prop_oneof![4 => 1_u32..20, 2 => 50_u32..70, 1 => Just(64_u32), 1 => 1_u32..1500];
    let any = (0..WINDOW, length());
    // So close that they meet, and so that words and units fill.
    let near = (0_u32..400, length()).prop_map(|(start, length)| (start * 16, length.next_multiple_of(16)));
    // A few in each unit.
    let apart = (0_u32..700, 0_u32..8, 1_u32..20).prop_map(|(unit, place, length)| (unit * 512 + place * 64, length));
    prop_oneof![3 => any, 2 => near, 4 => apart].prop_map(|(start, length)| Interval::new(start, start + length))
}

fn part() -> impl Strategy<Value = Part> {
    (any::<Index>(), any::<Index>()).prop_map(|(from, length)| Part(from, length))
}

fn draft(walks: u32) -> impl Strategy<Value = Draft> {
    let target = prop_oneof![
        1 => Just(Target::Nothing),
        walks => (prop_oneof![9 => Just(0_u32), 1 => 1_u32..3], 1_u32..300).prop_map(|(skipped, length)| Target::Next(skipped, length)),
        6 => interval().prop_map(Target::At)
    ];
    let source = || {
        prop_oneof![
            1 => Just(Source::Nothing),
            1 => (0_usize..8, part()).prop_map(|(back, part)| Source::Recent(back, part)),
            4 => (any::<Index>(), part()).prop_map(|(which, part)| Source::Any(which, part))
        ]
    };
    (target, [source(), source(), source()]).prop_map(|(target, sources)| Draft { target, sources })
}

fn block() -> impl Strategy<Value = Vec<Draft>> {
    let steps = prop_oneof![1 => 1..BLOCK, 4 => Just(BLOCK)];
    let walks = prop_oneof![3 => Just(0_u32), 1 => Just(30_u32)];
    (steps, walks).prop_flat_map(|(steps, walks)| proptest::collection::vec(draft(walks), steps))
}

fn probe() -> impl Strategy<Value = Probe> {
    prop_oneof![
        4 => (any::<Index>(), 0_u32..3, 0_u32..3).prop_map(|(which, before, behind)| Probe::More(which, before, behind)),
        1 => Just(Probe::Own),
        1 => any::<Index>().prop_map(Probe::Later),
        2 => interval().prop_map(Probe::At)
    ]
}

prop_compose! {
    fn programs()(
        programs in proptest::collection::vec(
            (prop_oneof![3 => Just(WINDOW), 1 => 1..WINDOW], proptest::collection::vec(block(), 1..6), any::<Index>(), probe()),
            1..4
        )
    ) -> Vec<Program> {
        let program = |(window, blocks, at, probe)| Program { window, blocks, probe: (at, probe) };
        programs.into_iter().map(program).collect()
    }
}

/// What is refused: step, source, first byte and number of bytes.
type Refused = (u32, Option<OperandIndex>, u64, u64);

/// The places of a step's operands, with the first bytes of both spaces the same.
#[derive(Clone, Copy)]
struct Placed {
    written: Interval,
    read: [Interval; 3],
}

/// Makes steps of drafts, and knows what they write.
struct Model {
    window: u32,
    is_written: Vec<bool>,
    writes: Vec<Interval>,
}

impl Model {
    fn new(window: u32) -> Self {
        Self {
            window,
            is_written: vec![false; window as usize],
            writes: Vec::new(),
        }
    }

    /// What of an interval lies in the window; its last byte if nothing does.
    fn inside(&self, start: u32, end: u32) -> Interval {
        let start = start.min(self.window - 1);
        Interval::new(start, end.clamp(start + 1, self.window))
    }

    fn target(&self, target: Target) -> Interval {
        match target {
            Target::Nothing => Interval::EMPTY,
            Target::Next(skipped, length) => {
                let next = self.writes.last().map_or(0, |last| last.end()) + skipped;
                self.inside(next, next + length)
            }
            Target::At(place) => self.inside(place.start(), place.end()),
        }
    }

    fn source(&self, source: Source) -> Interval {
        let found = match source {
            Source::Nothing => None,
            Source::Recent(back, part) => self.writes.iter().rev().nth(back).map(|whole| (whole, part)),
            Source::Any(which, part) if !self.writes.is_empty() => Some((which.get(&self.writes), part)),
            Source::Any(..) => None,
        };
        found.map_or(Interval::EMPTY, |(whole, Part(from, length))| {
            let start = whole.start() + from.index(whole.length() as usize) as u32;
            Interval::new(start, start + 1 + length.index((whole.end() - start) as usize) as u32)
        })
    }

    fn probe(&self, probe: Probe, written: Interval, later: &[Draft]) -> Interval {
        match probe {
            Probe::More(which, before, behind) if !self.writes.is_empty() => {
                let whole = which.get(&self.writes);
                self.inside(whole.start().saturating_sub(before), whole.end() + behind)
            }
            Probe::Later(which) if !later.is_empty() => self.target(which.get(later).target),
            Probe::At(place) => self.inside(place.start(), place.end()),
            _ => written,
        }
    }

    /// Does a step; the first gap in what it reads, if there is one.
    fn run(&mut self, step: &Placed) -> Option<(OperandIndex, u32, u32)> {
        for (operand, read) in [OperandIndex::A, OperandIndex::B, OperandIndex::C]
            .into_iter()
            .zip(step.read)
        {
            if let Some(gap) = (read.start()..read.end()).find(|byte| !self.is_written[*byte as usize]) {
                return Some((operand, gap, read.end() - gap));
            }
        }
        let written = step.written;
        self.is_written[written.start() as usize..written.end() as usize].fill(true);
        if !written.is_empty() {
            self.writes.push(written);
        }
        None
    }
}

/// What the check sees of the steps of a block.
fn seen(steps: &[Placed]) -> ([Row; BLOCK], Reach) {
    let mut rows = [Row::EMPTY; BLOCK];
    let mut reach = Reach::default();
    for (steps, rows) in steps.chunks(GROUP).zip(rows.chunks_mut(GROUP)) {
        let mut group = GroupReach::default();
        for (step, row) in steps.iter().zip(rows) {
            let [a, b, c] = step.read;
            let operands = [step.written, a, b, c];
            let place = |of: fn(Interval) -> u32| {
                operands.map(|bytes| {
                    if bytes.is_empty() {
                        0
                    } else {
                        of(bytes.as_places()) as i32
                    }
                })
            };
            *row = Row {
                start: place(Interval::start),
                end: place(Interval::end),
            };
            // The destination comes first in a row, and last among the bits.
            let bits = (0..4)
                .filter(|lane| !operands[*lane].is_empty())
                .map(|lane| FIRST_REACH << ((lane + 3) % 4));
            group.add(bits.sum());
        }
        reach.add(group, steps.len());
    }
    (rows, reach)
}

/// Runs a program until it is refused, and compares each block with the model.
fn agrees(temporaries: &mut Temporaries<'_>, program: &Program) -> Result<(), TestCaseError> {
    let mut model = Model::new(program.window);
    let (at, probe) = program.probe;
    let probed = at.index(program.blocks.iter().map(Vec::len).sum());
    let mut number = 0;
    for block in &program.blocks {
        let mut steps = Vec::new();
        let mut expected: Option<Refused> = None;
        for (in_block, draft) in block.iter().enumerate() {
            let written = model.target(draft.target);
            let mut read = draft.sources.map(|source| model.source(source));
            if number == probed {
                read[0] = model.probe(probe, written, &block[in_block + 1..]);
            }
            number += 1;
            let step = Placed { written, read };
            steps.push(step);
            if expected.is_none() {
                let gap = model.run(&step);
                expected = gap.map(|(operand, gap, rest)| (in_block as u32, Some(operand), gap.into(), rest.into()));
            }
        }
        let (rows, reach) = seen(&steps);
        let found = temporaries.reach(&rows, &reach).err();
        let found = found.map(|Unwritten { step, refusal }| (step, refusal.operand, refusal.offset, refusal.length));
        prop_assert_eq!(found, expected);
        if found.is_some() {
            break;
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]
    /// One after the other, in memory that says at first that everything was written.
    #[test]
    fn blocks_of_steps_are_known_to_the_byte(programs in programs(), untold in prop::sample::select(UNTOLD.to_vec())) {
        let mut words = vec![u64::MAX; coverage_words(WINDOW.into())];
        let mut memory = vec![Interval::new(0, WINDOW).as_places(); temporaries_words(untold)];
        let mut units = vec![Interval::new(0, WINDOW); unit_words(WINDOW.into())];
        let written = Coverage::new(&mut words, WINDOW.into());
        let mut temporaries = Temporaries::new(written, Units::new(&mut units), &mut memory);
        for program in &programs {
            temporaries.clear(program.window.into());
            agrees(&mut temporaries, program)?;
        }
    }
}
