//! Programs are what they claim to be: accepted, complete, as bad as they can be.

use std::collections::BTreeSet;

use hawser_abi::op::{ElementType, Opcode, Predicate};
use hawser_abi::program::{Space, step_flags};
use hawser_abi::rules::{ElementOf, Extent, rule_of_byte};
use hawser_core::max_pieces;
use proptest::prelude::*;

use super::*;
use crate::hawser::Engine;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_program_is_accepted_and_planned(count in 1_u32..600, seed: u64, page_offset in 0_u32..4096) {
        for kind in Kind::ALL {
            let mut engine = Engine::new(count).with_limits(kind.limits());
            let program = kind.draft(count, seed).program_at(page_offset);
            prop_assert_eq!(program.steps, count);
            let prepared = engine.prepare(&program);
            prop_assert!(prepared.is_ok(), "{}: {:?}", kind.name(), prepared);
        }
    }
}

#[test]
fn the_largest_programs_are_accepted_and_planned() {
    for kind in Kind::ALL {
        let mut engine = Engine::new(65_536).with_limits(kind.limits());
        let prepared = engine.prepare(&kind.draft(65_536, 0).program());
        assert!(prepared.is_ok(), "{}: {prepared:?}", kind.name());
    }
}

#[test]
fn a_pool_has_distinct_programs_that_can_be_made_again() {
    let pool = Kind::Random.pool(100, 950);
    assert_eq!(pool.len(), 10);
    let distinct: BTreeSet<_> = pool.iter().map(|program| &program.bytes).collect();
    assert_eq!(distinct.len(), 10);
    let again = Kind::Random.pool(100, 950);
    assert!(
        pool.iter()
            .zip(&again)
            .all(|(program, other)| program.bytes == other.bytes)
    );
}

/// Places in the data buffer or in device-local memory, each `start..end`.
type Ranges = Vec<(u64, u64)>;

/// What the operands `which` of the steps reach in `space`, in program order, as the table of rules says.
fn reached(draft: &Draft, which: std::ops::Range<usize>, space: Space) -> Ranges {
    let mut ranges = Ranges::new();
    for step in &draft.steps {
        let rule = rule_of_byte(step.opcode).unwrap();
        let size = ElementType::from_byte(step.element_type).unwrap().size();
        for at in which.clone().filter(|at| step.spaces[*at] == space as u8) {
            let operand = rule.operands[at];
            assert!(operand.element == ElementOf::Step && operand.extent == Extent::Count);
            ranges.push((step.offsets[at], step.offsets[at] + step.count * size));
        }
    }
    ranges
}

/// How many intervals that do not touch have the bytes of all `ranges`.
fn apart(mut ranges: Ranges) -> usize {
    ranges.sort_unstable();
    let mut end = None;
    ranges
        .into_iter()
        .filter(|range| {
            let new = end.is_none_or(|end| range.0 > end);
            end = end.max(Some(range.1));
            new
        })
        .count()
}

#[test]
fn random_programs_use_everything() {
    let draft = Kind::Random.draft(20_000, 5);
    let opcodes: BTreeSet<_> = draft.steps.iter().map(|step| step.opcode).collect();
    assert_eq!(opcodes.len(), Opcode::ALL.len());
    let types: BTreeSet<_> = draft
        .steps
        .iter()
        .map(|step| (step.opcode, step.element_type))
        .collect();
    for opcode in Opcode::ALL {
        for element in ElementType::ALL {
            let taken = hawser_abi::rules::rule(opcode).types & element.bit() != 0;
            assert_eq!(
                types.contains(&(opcode as u8, element as u8)),
                taken,
                "{opcode:?} {element:?}"
            );
        }
    }
    for (operand, wanted) in [(0, 2), (1, 3), (2, 4), (3, 4)] {
        let spaces: BTreeSet<_> = draft.steps.iter().map(|step| step.spaces[operand]).collect();
        assert_eq!(spaces.len(), wanted, "operand {operand}: {spaces:?}");
    }
    let flags: BTreeSet<_> = draft.steps.iter().map(|step| step.flags).collect();
    assert_eq!(flags, BTreeSet::from([0, step_flags::SATURATE]));
    let compares = draft.steps.iter().filter(|step| step.opcode == Opcode::Compare as u8);
    let predicates: BTreeSet<_> = compares.map(|step| step.aux[0]).collect();
    assert_eq!(predicates.len(), Predicate::ALL.len());
}

#[test]
fn exact_programs_have_every_operation_of_a_device_that_lacks_one() {
    let draft = Kind::Exact.draft(20_000, 5);
    let operations = draft.steps.iter().fold(0, |bits, step| bits | 1 << step.opcode);
    let (whole, limits) = (Kind::Random.limits(), Kind::Exact.limits());
    assert_eq!(operations, limits.operations);
    assert_eq!((whole.operations & !operations).count_ones(), 1);
    let mut engine = Engine::new(20_000).with_limits(limits);
    assert!(engine.prepare(&Kind::Random.draft(20_000, 5).program()).is_err());
}

#[test]
fn ordered_programs_walk_through_memory() {
    let draft = Kind::Ordered.draft(4000, 0);
    for first in 0..4 {
        let walk: Vec<_> = draft.steps.iter().skip(first).step_by(4).collect();
        assert!(walk.windows(2).all(|pair| {
            let moved = pair[0].offsets.iter().zip(pair[1].offsets).zip(pair[0].spaces);
            pair[0].opcode == pair[1].opcode
                && moved
                    .filter(|(_, space)| (1..=2).contains(space))
                    .all(|((from, to), _)| to == from + 256)
        }));
    }
    assert_eq!(apart(reached(&draft, 0..1, Space::Data)), 1);
    assert_eq!(apart(reached(&draft, 1..4, Space::Data)), 1);
    assert_eq!(apart(reached(&draft, 0..1, Space::Scratch)), 1);
}

#[test]
fn arrays_are_used_whole() {
    let draft = Kind::Arrays.draft(4000, 0);
    let destinations: BTreeSet<_> = reached(&draft, 0..1, Space::Data).into_iter().collect();
    let sources: BTreeSet<_> = reached(&draft, 1..4, Space::Data).into_iter().collect();
    assert_eq!((destinations.len(), sources.len()), (24, 24));
    assert_eq!(
        apart(destinations.into_iter().collect()),
        12,
        "arrays of whole lines touch"
    );
}

#[test]
fn no_two_intervals_of_a_scattered_program_touch() {
    for count in [1, 2, 3, 1000, 65_536] {
        let draft = Kind::Scattered.draft(count, 0);
        let steps = count as usize;
        assert_eq!(apart(reached(&draft, 0..1, Space::Data)), steps);
        assert_eq!(apart(reached(&draft, 1..4, Space::Data)), 3 * steps);
        assert_eq!(apart(reached(&draft, 0..4, Space::Data)), 4 * steps);
        let plan = Engine::new(count).prepare(&draft.program()).unwrap().plan;
        assert_eq!(plan.pieces(), 4 * steps);
    }
}

#[test]
fn fragments_make_almost_as_many_pieces_as_there_can_be() {
    for count in [2, 3, 1000, 65_536] {
        let draft = Kind::Fragments.draft(count, 0);
        let plan = Engine::new(count).prepare(&draft.program()).unwrap().plan;
        assert!(plan.pieces() + 24 >= max_pieces(count), "{} for {count}", plan.pieces());
    }
}

#[test]
fn nested_programs_have_parts_in_wholes_and_nothing_beside_its_neighbours() {
    let draft = Kind::Nested.draft(65_536, 0);
    let reads = reached(&draft, 1..4, Space::Data);
    for recent in reads.windows(13) {
        let (first, later) = recent.split_first().unwrap();
        let touches = |other: &(u64, u64)| first.0 <= other.1 && other.0 <= first.1;
        assert!(!later.iter().any(touches), "{recent:?}");
    }
    let last = draft.steps.last().unwrap().count;
    assert!(draft.steps.iter().filter(|step| step.count == last).count() >= 1024);
    let without_wholes: Ranges = reads
        .iter()
        .copied()
        .filter(|(start, end)| end - start < last)
        .collect();
    assert_eq!(apart(without_wholes), 3 * 63 * 1024);
    assert_eq!(apart(reads), 3 * 1024);
}

#[test]
fn overlapping_programs_have_every_length_and_read_what_they_wrote() {
    let draft = Kind::Overlapping.draft(2000, 0);
    let lengths: BTreeSet<_> = draft.steps.iter().map(|step| step.count.ilog2()).collect();
    assert_eq!(lengths, (0..26).collect());
    let written = reached(&draft, 0..1, Space::Scratch);
    assert_eq!(written, reached(&draft, 1..4, Space::Scratch));
    let overlaps = written
        .windows(27)
        .filter(|pair| pair[0].0 < pair[26].1 && pair[26].0 < pair[0].1);
    assert!(overlaps.count() > 50);
}

#[test]
fn wide_programs_use_half_the_memory_in_every_step() {
    let draft = Kind::Wide.draft(100, 0);
    assert!(draft.steps.iter().all(|step| 2 * step.count == draft.scratch));
    let written: BTreeSet<_> = reached(&draft, 0..1, Space::Scratch).into_iter().collect();
    assert_eq!(written.len(), 50);
    assert_eq!(apart(written.into_iter().collect()), 1);
}

#[test]
fn scratch_programs_add_an_interval_with_each_step() {
    for count in [1, 2, 1000, 65_536] {
        let draft = Kind::Scratch.draft(count, 3);
        assert_eq!(apart(reached(&draft, 0..1, Space::Scratch)), count as usize);
        let reads = reached(&draft, 1..4, Space::Scratch);
        assert_eq!(reads.len(), 3 * (count as usize - 1));
    }
}
