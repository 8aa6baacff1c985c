//! Builds views over scattered memory, walks them as the device does, and trips every rule of scatter-gather lists.

use std::vec;
use std::vec::Vec;

use hawser_abi::descriptor::{HOLE, Segment};
use proptest::prelude::*;
use zerocopy::FromBytes;

use super::*;
use crate::address::PAGE_SIZE;
use crate::plan::Direction;
use crate::testing::{Planned, READ, VecArena, WRITTEN, map_all, planned};

mod model;

/// Where the request's block of the arena lies on the bus.
const BLOCK: DeviceAddress = DeviceAddress(0x10_0000_0000);

/// Memory on the bus: the data buffer in scattered pages.
struct Machine {
    /// Page frame of each page of the buffer.
    frames: Vec<u64>,
    page_offset: u64,
}

impl Machine {
    fn address(&self, offset: u64) -> u64 {
        let at = self.page_offset + offset;
        self.frames[(at / PAGE_SIZE) as usize] * PAGE_SIZE + at % PAGE_SIZE
    }

    /// One element for each page.
    fn elements(&self, range: DataRange) -> Vec<(DeviceAddress, u32)> {
        let (mut at, mut elements) = (range.offset, Vec::new());
        while at < range.end() {
            let to_page_end = PAGE_SIZE - (self.page_offset + at) % PAGE_SIZE;
            let length = to_page_end.min(range.end() - at);
            elements.push((DeviceAddress(self.address(at)), length as u32));
            at += length;
        }
        elements
    }
}

fn memory<'a>(run: &'a mut SegmentRun, writer: &'a mut VecArena) -> TableMemory<'a, VecArena> {
    TableMemory { run, writer }
}

fn table(arena: &VecArena, at: BlockOffset, segments: u32) -> Vec<Segment> {
    let start = at.0 as usize;
    let bytes = &arena.bytes[start..start + 16 * segments as usize];
    bytes
        .chunks(16)
        .map(|bytes| Segment::read_from_bytes(bytes).expect("16 bytes"))
        .collect()
}

/// The bus address of each byte of a view.
fn addresses(segments: &[Segment]) -> Vec<u64> {
    let byte = |segment: &Segment, at: u64| {
        if segment.address == HOLE {
            HOLE
        } else {
            segment.address + at
        }
    };
    segments
        .iter()
        .flat_map(|segment| (0..segment.length).map(move |at| byte(segment, at)))
        .collect()
}

fn build(planned: &Planned, machine: &Machine, view: View, arena: &mut VecArena) -> Vec<Segment> {
    let layout = planned.plan().layout();
    let builder = ViewBuilder::new(view, &planned.checked, layout, BLOCK, &map_all());
    let elements = |mapping| machine.elements(planned.plan().mapping(mapping).expect("it is planned").range);
    let segments = build_view(builder, planned.pieces(), elements, arena).expect("the lists are right");
    let (at, capacity) = match view {
        View::Read => (layout.read_table, layout.read_capacity),
        View::Write => (layout.write_table, layout.write_capacity),
    };
    assert!(segments <= capacity, "{segments} segments, {capacity} planned");
    table(arena, at, segments)
}

proptest! {
    /// The whole way of the data: copy in, a device that reads and writes through the tables, copy out.
    #[test]
    fn a_device_sees_through_the_views_what_the_program_sees(
        codes in crate::testing::codes(40, 900),
        page_offset in 0_u64..4096,
        frames in Just((1_u64..40).collect::<Vec<_>>()).prop_shuffle(),
        max_mappings in 0_u32..9,
    ) {
        let limits = Limits { max_mappings, ..map_all() };
        let planned = planned(&codes, page_offset as u32, &limits);
        let mut arena = VecArena::new(planned.plan().layout().total);
        let machine = Machine { frames, page_offset };
        let mut memory = vec![0_u8; 41 * PAGE_SIZE as usize];
        let before = |offset: usize| (offset * 7 + offset / 256) as u8;
        for offset in 0..codes.len() {
            memory[machine.address(offset as u64) as usize] = before(offset);
        }
        let reads = addresses(&build(&planned, &machine, View::Read, &mut arena));
        let writes = addresses(&build(&planned, &machine, View::Write, &mut arena));
        prop_assert_eq!((reads.len(), writes.len()), (codes.len(), codes.len()));

        for copy in planned.pieces().copied_in() {
            for at in 0..copy.data.length {
                arena.bytes[(copy.block.0 + at) as usize] = memory[machine.address(copy.data.offset + at) as usize];
            }
        }
        for (offset, code) in codes.iter().enumerate() {
            prop_assert_eq!(reads[offset] == HOLE, code & READ == 0, "byte {}", offset);
            prop_assert_eq!(writes[offset] == HOLE, code & WRITTEN == 0, "byte {}", offset);
            if code & READ != 0 {
                let seen = match reads[offset].checked_sub(BLOCK.0) {
                    Some(block) => arena.bytes[block as usize],
                    None => memory[reads[offset] as usize],
                };
                prop_assert_eq!(seen, before(offset));
            }
            if code & WRITTEN != 0 {
                let place = match writes[offset].checked_sub(BLOCK.0) {
                    Some(block) => &mut arena.bytes[block as usize],
                    None => &mut memory[writes[offset] as usize],
                };
                *place = !before(offset);
            }
        }
        for copy in planned.pieces().copied_out() {
            for at in 0..copy.data.length {
                memory[machine.address(copy.data.offset + at) as usize] = arena.bytes[(copy.block.0 + at) as usize];
            }
        }
        for (offset, code) in codes.iter().enumerate() {
            let expected = if code & WRITTEN == 0 { before(offset) } else { !before(offset) };
            prop_assert_eq!(memory[machine.address(offset as u64) as usize], expected, "byte {}", offset);
        }
    }
}

/// A buffer of two pages that is only read, apart from its first line, which is only written.
fn two_pages() -> Planned {
    let mut codes = vec![READ; 8192];
    codes[..64].fill(WRITTEN);
    planned(&codes, 0, &map_all())
}

/// The mapping of what is read.
const READ_MAPPING: MappingIndex = MappingIndex(1);
/// A list of it.
const WHOLE: [(DeviceAddress, u32); 1] = [(DeviceAddress(0x1040), 8128)];

fn supply(elements: &[(u64, u32)], limits: &Limits) -> Result<u32, ViewError> {
    let planned = two_pages();
    let layout = planned.plan().layout();
    let mut arena = VecArena::new(layout.total);
    let mut builder = ViewBuilder::new(View::Read, &planned.checked, layout, BLOCK, limits);
    let elements = ScatterGatherElements::new(elements, |(address, length)| (DeviceAddress(*address), *length));
    let mut run = SegmentRun::default();
    let mut memory = memory(&mut run, &mut arena);
    builder.supply(planned.pieces(), READ_MAPPING, elements, &mut memory)?;
    builder.finish(planned.pieces(), &mut memory)
}

fn refused(offset: u64, length: u64, limit: u64) -> Result<u32, ViewError> {
    let refusal = Refusal::new(Reason::BadScatterGather)
        .offset(offset)
        .length(length)
        .limit(limit);
    Err(ViewError::BadScatterGather(refusal))
}

#[test]
fn lists_that_are_wrong_are_refused() {
    let any = map_all();
    let narrow = Limits {
        device_address_bits: 32,
        ..any
    };
    assert_eq!(supply(&[], &any), refused(64, 0, 8128), "no elements");
    assert_eq!(supply(&[(0x1040, 4032)], &any), refused(4096, 4032, 8128), "too short");
    assert_eq!(
        supply(&[(0x1040, 4032), (0x9000, 4097)], &any),
        refused(4096, 4097, 4096),
        "too long"
    );
    assert_eq!(
        supply(&[(0x1040, 8128), (0x9000, 1)], &any),
        refused(8192, 1, 0),
        "one too many"
    );
    assert_eq!(
        supply(&[(0x1040, 0), (0x1040, 8128)], &any),
        refused(64, 0, 8128),
        "an empty element"
    );
    assert_eq!(
        supply(&[(0x1040, u32::MAX)], &any),
        refused(64, u32::MAX.into(), 8128),
        "absurdly long"
    );
    assert_eq!(
        supply(&[(u64::MAX - 8126, 8128)], &any),
        refused(64, 8128, u64::MAX),
        "around the end of the bus"
    );
    assert_eq!(
        supply(&[(u64::MAX - 8127, 8128)], &any),
        refused(64, 8128, u64::MAX),
        "the address of holes"
    );
    assert_eq!(
        supply(&[(0xFFFF_F000, 8128)], &narrow),
        refused(64, 8128, 0xFFFF_FFFF),
        "beyond 32 bits"
    );
    assert_eq!(
        supply(&[(1 << 40, 8128)], &narrow),
        refused(64, 8128, 0xFFFF_FFFF),
        "far beyond 32 bits"
    );
}

#[test]
fn lists_that_are_just_right_are_taken() {
    let any = map_all();
    let narrow = Limits {
        device_address_bits: 32,
        ..any
    };
    assert_eq!(
        supply(&[(0x1040, 4032), (0x9000, 4096)], &any),
        Ok(3),
        "a hole and two pages"
    );
    assert_eq!(
        supply(&[(0x1040, 4032), (0x2000, 4096)], &any),
        Ok(2),
        "pages that follow each other are joined"
    );
    assert_eq!(
        supply(&[(0xFFFF_FFFF - 8127, 8128)], &narrow),
        Ok(2),
        "up to the last byte that can be reached"
    );
    assert_eq!(
        supply(&[(63, 8128)], &any),
        Ok(2),
        "where the hole in front would end if it had an address"
    );
}

#[test]
fn more_segments_than_were_planned_are_refused() {
    // Room for a hole and two pages; this list has an element more than there are pages.
    let elements = [(0x1040, 4000), (0x9000, 64), (0xB000, 4064)];
    let refused = supply(&elements, &map_all());
    assert!(matches!(refused, Err(ViewError::BadScatterGather(refusal)) if refusal.limit == 3));
}

#[test]
fn a_hole_does_not_continue_the_highest_address() {
    let codes = [[READ; 64], [0; 64]].concat();
    let planned = planned(&codes, 0, &map_all());
    let layout = planned.plan().layout();
    let builder = ViewBuilder::new(View::Read, &planned.checked, layout, BLOCK, &map_all());
    let mut arena = VecArena::new(layout.total);
    let highest = |_| [(DeviceAddress(HOLE - 64), 64)];
    assert_eq!(build_view(builder, planned.pieces(), highest, &mut arena), Ok(2));
    let expected = [(HOLE - 64, 64), (HOLE, 64)].map(|(address, length)| Segment { address, length });
    assert_eq!(table(&arena, layout.read_table, 2), expected);
}

#[test]
fn mappings_are_supplied_once_each_and_in_order() {
    let planned = two_pages();
    let layout = planned.plan().layout();
    assert_eq!(
        planned.plan().mapping(READ_MAPPING).map(|mapping| mapping.direction),
        Some(Direction::ToDevice)
    );
    let limits = map_all();
    let builder = || ViewBuilder::new(View::Read, &planned.checked, layout, BLOCK, &limits);
    let whole = || ScatterGatherElements::new(&WHOLE, |element| *element);
    let (mut arena, mut run) = (VecArena::new(layout.total), SegmentRun::default());
    let mut memory = memory(&mut run, &mut arena);
    assert_eq!(
        builder().finish(planned.pieces(), &mut memory),
        Err(ViewError::OutOfOrder),
        "not supplied"
    );
    let other = builder().supply(planned.pieces(), MappingIndex(0), whole(), &mut memory);
    assert_eq!(other, Err(ViewError::OutOfOrder), "a mapping of the other view");
    let mut twice = builder();
    assert_eq!(
        twice.supply(planned.pieces(), READ_MAPPING, whole(), &mut memory),
        Ok(())
    );
    assert_eq!(twice.elements(), 1);
    assert_eq!(
        twice.supply(planned.pieces(), READ_MAPPING, whole(), &mut memory),
        Err(ViewError::OutOfOrder)
    );
}

#[test]
fn a_table_that_is_complete_stays_as_it_is() {
    let planned = two_pages();
    let layout = planned.plan().layout();
    let mut builder = ViewBuilder::new(View::Read, &planned.checked, layout, BLOCK, &map_all());
    let (mut arena, mut run) = (VecArena::new(layout.total), SegmentRun::default());
    let mut memory = memory(&mut run, &mut arena);
    let whole = ScatterGatherElements::new(&WHOLE, |element| *element);
    assert_eq!(
        builder.supply(planned.pieces(), READ_MAPPING, whole, &mut memory),
        Ok(())
    );
    assert_eq!(builder.finish(planned.pieces(), &mut memory), Ok(2));
    assert_eq!(builder.finish(planned.pieces(), &mut memory), Ok(2), "finished again");
    let expected = [(HOLE, 64), (0x1040, 8128)].map(|(address, length)| Segment { address, length });
    assert_eq!(table(&arena, layout.read_table, 2), expected);
}

#[test]
fn a_block_that_is_too_small_is_noticed() {
    let planned = two_pages();
    let layout = planned.plan().layout();
    let mut arena = VecArena::new(layout.read_table.0);
    let builder = ViewBuilder::new(View::Read, &planned.checked, layout, BLOCK, &map_all());
    let whole = |_| WHOLE;
    assert_eq!(
        build_view(builder, planned.pieces(), whole, &mut arena),
        Err(ViewError::OutsideArena)
    );
}

#[test]
fn long_tables_are_written_in_few_runs() {
    let planned = planned(&vec![READ; 64 * 4096], 0, &map_all());
    let mut arena = VecArena::new(planned.plan().layout().total);
    let machine = Machine {
        frames: (1..65).map(|page| page * 2).collect(),
        page_offset: 0,
    };
    assert_eq!(build(&planned, &machine, View::Read, &mut arena).len(), 64);
    assert!(arena.writes <= 64 / 16 + 2, "{} writes", arena.writes);
}
