//! Nothing is allocated while a program is checked, planned and translated, and its segment tables are built.

use allocation_counter::measure;
use hawser_abi::program::Step;
use hawser_bench::hawser::{Engine, Failure, Prepared};
use hawser_bench::lists::Element;
use hawser_bench::programs::{Kind, Program};
use hawser_core::{Direction, Mapping, MappingIndex, Plan, View};

/// Sizes of programs.
const SIZES: [u32; 3] = [1, 1000, 65_536];
/// Bytes of a block that has room for every plan: as many as the default arena has.
const BLOCK: usize = 64 << 20;
const PAGE: u64 = 4096;

/// Runs `run`, which must not allocate.
fn without_allocation<T>(run: impl FnOnce() -> T) -> T {
    let mut result = None;
    let counted = measure(|| result = Some(run()));
    assert_eq!((counted.count_total, counted.bytes_total), (0, 0));
    result.unwrap()
}

/// The lists of all mappings, in which every page is by itself.
fn lists(plan: &Plan) -> Vec<Vec<Element>> {
    let list = |mapping: &Mapping| {
        let range = mapping.range;
        let pages = range.offset / PAGE..range.end().div_ceil(PAGE);
        let element = |page: u64| {
            let (start, end) = (range.offset.max(page * PAGE), range.end().min((page + 1) * PAGE));
            Element {
                address: 2 * page * PAGE + start % PAGE,
                length: (end - start) as u32,
                reserved: 0,
            }
        };
        pages.map(element).collect()
    };
    plan.mappings().iter().map(list).collect()
}

/// Builds both tables.
fn build_views(engine: &mut Engine, prepared: &Prepared, lists: &[Vec<Element>]) -> Result<u32, Failure> {
    let list_of = |MappingIndex(index)| &lists[usize::from(index)];
    let read = engine.build_view(View::Read, prepared, list_of)?;
    let write = engine.build_view(View::Write, prepared, list_of)?;
    Ok(read + write)
}

#[test]
fn accepted_programs() {
    let mut directions = [0, 0];
    for size in SIZES {
        for kind in Kind::ALL {
            let mut engine = Engine::with_block(65_536, BLOCK).with_limits(kind.limits());
            let program = kind.draft(size, 9).program();
            let prepared = without_allocation(|| engine.prepare(&program)).unwrap();
            assert!(prepared.block_bytes() <= BLOCK as u64);
            let lists = lists(&prepared.plan);
            let segments = without_allocation(|| build_views(&mut engine, &prepared, &lists)).unwrap();
            assert!(segments >= 2);
            for mapping in prepared.plan.mappings() {
                directions[usize::from(mapping.direction == Direction::FromDevice)] += 1;
            }
        }
    }
    assert!(
        directions.iter().all(|mappings| *mappings > 0),
        "no list was needed: {directions:?}"
    );
}

/// Changes a byte of the last step of a program.
fn break_last_step(program: &mut Program, field: usize, value: u8) {
    let at = program.bytes.len() - size_of::<Step>() + field;
    program.bytes[at] = value;
}

#[test]
fn refused_programs() {
    let mut engine = Engine::new(65_536);
    let mut reasons = std::collections::BTreeSet::new();
    for size in SIZES {
        for kind in Kind::ALL {
            let right = kind.draft(size, 9).program();
            // The large programs are broken in one way only: it would take long to check them as often as the others.
            let fields = if size > 1000 { 0..1 } else { 0..size_of::<Step>() };
            for field in fields {
                let mut program = right.clone();
                break_last_step(&mut program, field, 0xFF);
                let result = without_allocation(|| engine.prepare(&program));
                if let Err(Failure::Refused(refusal)) = result {
                    reasons.insert(refusal.reason);
                }
                assert!(field > 0 || result.is_err(), "an operation that does not exist");
            }
        }
    }
    assert!(reasons.len() >= 8, "{reasons:?}");
}

#[test]
fn programs_that_are_no_programs() {
    let mut engine = Engine::new(100);
    let right = Kind::Random.draft(101, 0).program();
    for length in (0..right.bytes.len()).step_by(13) {
        let program = Program {
            bytes: right.bytes[..length].to_vec(),
            ..right.clone()
        };
        assert!(without_allocation(|| engine.check(&program)).is_err());
    }
    assert!(
        without_allocation(|| engine.check(&right)).is_err(),
        "there is one step too many"
    );
}

#[test]
fn a_plan_without_room_in_the_arena() {
    let limits = hawser_core::Limits {
        arena_size: 4096,
        ..Default::default()
    };
    let mut engine = Engine::new(1000).with_limits(limits);
    let program = Kind::Random.draft(1000, 0).program();
    let refused = without_allocation(|| engine.prepare(&program));
    assert!(matches!(refused, Err(Failure::Refused(_))), "{refused:?}");
}

#[test]
fn the_counter_counts() {
    let counted = measure(|| drop(std::hint::black_box(Vec::<u64>::with_capacity(3))));
    assert_eq!((counted.count_total, counted.bytes_total), (1, 24));
    let caught = std::panic::catch_unwind(|| without_allocation(|| std::hint::black_box(Box::new(7_u8))));
    assert!(caught.is_err(), "an allocation was not noticed");
}
