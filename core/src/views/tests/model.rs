//! Compares tables and refusals with those of a model that takes one element after the other and keeps every segment.

use std::vec::Vec;

use hawser_abi::descriptor::{HOLE, Segment};
use proptest::prelude::*;
use proptest::sample::Index;

use super::{BLOCK, memory, table};
use crate::testing::{Planned, VecArena, codes, planned};
use crate::views::*;

/// A scatter-gather list: address and length of each element.
type List = Vec<(u64, u32)>;

/// What the model works on, and how far it is.
struct Model<'a> {
    capacity: usize,
    highest: u64,
    lists: &'a [List],
    segments: Vec<Segment>,
}

impl Model<'_> {
    /// The whole table.
    fn build(mut self, view: View, planned: &Planned) -> Result<Vec<Segment>, ViewError> {
        let (mut at, mut lists) = (0, self.lists.iter());
        for piece in planned.pieces().iter() {
            let range = piece.range();
            if range.offset > at {
                self.add(HOLE, range.offset - at, range.offset)?;
            }
            at = range.end();
            match view.backing(piece) {
                Backing::Hole => self.add(HOLE, range.length, at)?,
                Backing::Block(block) => self.add(BLOCK.0 + block.0, range.length, at)?,
                Backing::Mapping(_) => self.add_list(lists.next().expect("one for each mapping"), range)?,
            }
        }
        let length = planned.checked.data_length();
        if length > at {
            self.add(HOLE, length - at, length)?;
        }
        self.all_fit(self.segments.len(), length)?;
        Ok(self.segments)
    }

    fn add_list(&mut self, list: &List, mapping: DataRange) -> Result<(), ViewError> {
        let mut at = mapping.offset;
        for (address, length) in list.iter().copied() {
            let length = u64::from(length);
            let element = DataRange { offset: at, length };
            let left = mapping.end() - at;
            if length == 0 || length > left {
                return Err(bad(element, left));
            }
            let end = u128::from(address) + u128::from(length);
            if end > u128::from(self.highest) + 1 || end > u128::from(HOLE) {
                return Err(bad(element, self.highest));
            }
            self.add(address, length, mapping.end())?;
            at += length;
        }
        if at < mapping.end() {
            let supplied = DataRange {
                offset: at,
                length: at - mapping.offset,
            };
            return Err(bad(supplied, mapping.length));
        }
        Ok(())
    }

    /// Adds bytes of a run that ends at `end`.
    fn add(&mut self, address: u64, length: u64, end: u64) -> Result<(), ViewError> {
        if let Some(last) = self.segments.last_mut() {
            let holes = last.address == HOLE && address == HOLE;
            let memory = last.address != HOLE && address != HOLE;
            if holes || memory && last.address + last.length == address {
                last.length += length;
                return Ok(());
            }
        }
        self.all_fit(self.segments.len(), end)?;
        self.segments.push(Segment { address, length });
        Ok(())
    }

    /// Whether the table has room for the first `complete` segments.
    fn all_fit(&self, complete: usize, at: u64) -> Result<(), ViewError> {
        if complete <= self.capacity {
            return Ok(());
        }
        let here = DataRange {
            offset: at,
            length: self.segments[self.capacity].length,
        };
        Err(bad(here, self.capacity as u64))
    }
}

/// How a list is cut: how long an element is, and whether it continues the one before or begins elsewhere.
#[derive(Clone, Copy, Debug)]
struct Cut {
    length: u64,
    jump: Option<u64>,
}

fn cuts() -> impl Strategy<Value = Vec<Cut>> {
    // Lists in which no element continues the one before, or any number of them; of few long elements, or of many more than make a run.
    let joined = prop_oneof![Just(0_u32), Just(1), Just(5), Just(20)];
    let longest = prop_oneof![Just(8_u64), Just(50), Just(300)];
    (joined, longest).prop_flat_map(|(joined, longest)| {
        let jump = prop_oneof![joined => Just(None), 1 => (1_u64..1 << 31).prop_map(Some)];
        let cut = (1..=longest, jump).prop_map(|(length, jump)| Cut { length, jump });
        proptest::collection::vec(cut, 1..60)
    })
}

/// Something that no right list has, done to one element of it.
#[derive(Clone, Copy, Debug)]
enum Hostility {
    Length(u32),
    Longer(u32),
    /// The element begins here.
    At(u64),
    /// The element ends this many bytes behind the last byte that the device can reach; a negative number wraps.
    Beyond(u64),
    /// As `Beyond`, but of all addresses.
    Around(u64),
    Removed,
    Twice,
}

fn hostility() -> impl Strategy<Value = Hostility> {
    let near = prop_oneof![Just(u64::MAX), Just(0), Just(1), Just(2), Just(150)];
    let length = prop_oneof![Just(0), Just(u32::MAX), Just(1_u32 << 31), 1_u32..40_000];
    prop_oneof![
        length.prop_map(Hostility::Length),
        prop_oneof![Just(u32::MAX), Just(1)].prop_map(Hostility::Longer),
        prop_oneof![Just(HOLE), Just(HOLE - 1), Just(0), any::<u64>()].prop_map(Hostility::At),
        near.clone().prop_map(Hostility::Beyond),
        near.prop_map(Hostility::Around),
        Just(Hostility::Removed),
        Just(Hostility::Twice),
    ]
}

impl Hostility {
    fn harm(self, list: &mut List, at: usize, highest: u64) {
        let (address, length) = &mut list[at];
        match self {
            Self::Length(other) => *length = other,
            Self::Longer(by) => *length = length.wrapping_add(by),
            Self::At(other) => *address = other,
            Self::Beyond(by) => *address = highest.wrapping_sub((*length).into()).wrapping_add(1).wrapping_add(by),
            Self::Around(by) => *address = 0_u64.wrapping_sub((*length).into()).wrapping_add(by),
            Self::Removed => drop(list.remove(at)),
            Self::Twice => list.extend_from_within(at..=at),
        }
    }
}

/// A program, the lists of its mappings in one view, and what there is room for.
#[derive(Debug)]
struct Scenario {
    view: View,
    limits: Limits,
    capacity: u32,
    lists: Vec<List>,
}

impl Scenario {
    fn layout(&self, planned: &Planned) -> ArenaLayout {
        let layout = *planned.plan().layout();
        let table = BlockOffset(layout.total);
        ArenaLayout {
            read_table: table,
            read_capacity: self.capacity,
            write_table: table,
            write_capacity: self.capacity,
            ..layout
        }
    }

    /// The table as it is built, in a block with room for `room` segments.
    fn build(&self, planned: &Planned, room: usize) -> Result<Vec<Segment>, ViewError> {
        let layout = self.layout(planned);
        let mut arena = VecArena::new(layout.total + 16 * room as u64);
        let mut builder = ViewBuilder::new(self.view, &planned.checked, &layout, BLOCK, &self.limits);
        let mut run = used_run();
        let mut memory = memory(&mut run, &mut arena);
        let mut lists = self.lists.iter();
        let mut supplied = 0;
        for (index, range) in mappings(self.view, planned) {
            let list = lists.next().expect("one for each mapping");
            let elements = ScatterGatherElements::new(list, |(address, length)| (DeviceAddress(*address), *length));
            builder.supply(planned.pieces(), index, elements, &mut memory)?;
            supplied += list.len() as u64;
            assert_eq!(builder.elements(), supplied, "{range:?}");
        }
        let segments = builder.finish(planned.pieces(), &mut memory)?;
        Ok(table(&arena, layout.read_table, segments))
    }

    fn model(&self, planned: &Planned) -> Result<Vec<Segment>, ViewError> {
        let model = Model {
            capacity: self.capacity as usize,
            highest: self.limits.highest_address(),
            lists: &self.lists,
            segments: Vec::new(),
        };
        model.build(self.view, planned)
    }
}

/// A run with segments of another table, which are holes: nothing may take them for its own.
fn used_run() -> SegmentRun {
    SegmentRun::full_of(Segment {
        address: HOLE,
        length: 1 << 40,
    })
}

fn mappings(view: View, planned: &Planned) -> Vec<(MappingIndex, DataRange)> {
    let pieces = planned.pieces();
    let mapped = pieces.iter().filter_map(|piece| match view.backing(piece) {
        Backing::Mapping(index) => Some((index, piece.range())),
        _ => None,
    });
    mapped.collect()
}

/// A right list of a range, which begins at `start` if nothing else is said.
fn list_of(range: DataRange, cuts: &mut impl Iterator<Item = Cut>, start: u64) -> List {
    let (mut left, mut next, mut list) = (range.length, start, List::new());
    while left > 0 {
        let cut = cuts.next().expect("they never end");
        let length = cut.length.min(left);
        let address = cut.jump.unwrap_or(next);
        list.push((address, length as u32));
        (left, next) = (left - length, address + length);
    }
    list
}

prop_compose! {
    fn scenario()(
        codes in codes(12, 3000),
        read in any::<bool>(),
        capacity in prop_oneof![Just(100_000_u32), 0_u32..200],
        bits in prop_oneof![Just(64_u32), Just(32), Just(63), Just(31), Just(12)],
        cuts in cuts(),
        start in prop_oneof![0_u64..1 << 20, Just(BLOCK.0 + 1000)],
        harm in proptest::collection::vec((any::<Index>(), any::<Index>(), hostility()), 0..3),
    ) -> (Planned, Scenario) {
        let planned = planned(&codes, 0, &Limits::default());
        let view = if read { View::Read } else { View::Write };
        let limits = Limits { device_address_bits: bits, ..Limits::default() };
        let mut cuts = cuts.into_iter().cycle();
        let ranges = mappings(view, &planned);
        let mut lists: Vec<_> = ranges.iter().map(|(_, range)| list_of(*range, &mut cuts, start)).collect();
        for (which, at, hostility) in harm {
            let whole = lists.iter_mut().filter(|list| !list.is_empty()).collect::<Vec<_>>();
            if !whole.is_empty() {
                let count = whole.len();
                let list = whole.into_iter().nth(which.index(count)).expect("it is below the count");
                let at = at.index(list.len());
                hostility.harm(list, at, limits.highest_address());
            }
        }
        (planned, Scenario { view, limits, capacity, lists })
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn tables_and_refusals_are_those_of_the_model((planned, scenario) in scenario()) {
        let expected = scenario.model(&planned);
        prop_assert_eq!(scenario.build(&planned, scenario.capacity as usize), expected);
    }

    #[test]
    fn a_block_without_room_for_the_table_is_noticed((planned, scenario) in scenario(), missing in any::<Index>()) {
        match scenario.model(&planned) {
            Ok(segments) => {
                let room = missing.index(segments.len());
                prop_assert_eq!(scenario.build(&planned, room), Err(ViewError::OutsideArena));
                prop_assert_eq!(scenario.build(&planned, segments.len()), Ok(segments));
            }
            Err(refused) => {
                // What is noticed first depends on how many segments are written together.
                let built = scenario.build(&planned, missing.index(100));
                prop_assert!(built == Err(refused) || built == Err(ViewError::OutsideArena), "{:?}", built);
            }
        }
    }
}
