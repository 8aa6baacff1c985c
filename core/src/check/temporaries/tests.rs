//! Single accesses to device-local memory, compared with a truth value for each byte.

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
    let turned =
        (0_u32..4, 0_u32..3, 1_u32..700).prop_map(|(unit, turn, length)| ((unit << UNIT) + turn * (TURN - 8), length));
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
