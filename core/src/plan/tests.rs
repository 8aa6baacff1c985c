//! Compares plans with the model of `hawser-core-model` that decides for each byte, and states the laws that every plan keeps.

mod laws;
mod listed;

use std::vec;
use std::vec::Vec;

use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::reason::Reason;
use hawser_core_model::{Buffer, Cause, Fate, Part};
use proptest::prelude::*;

use super::*;
use crate::address::BlockOffset;
use crate::check::check;
use crate::cost::Costs;
use crate::pieces::Route;
use crate::testing::{
    Planned, READ, WRITTEN, buffer, codes, data, header, map_all, model_limits, planned, program, room, runs, step,
    steps_for,
};
use crate::workspace::Workspace;

const BOTH: u8 = READ | WRITTEN;

fn limits(line: u32, max_mappings: u32) -> Limits {
    Limits {
        dma_alignment: line,
        max_mappings,
        ..map_all()
    }
}

/// Costs with which of ranges of some hundred bytes all, some and few are mapped.
fn costs() -> impl Strategy<Value = Costs> {
    prop::sample::select(vec![Costs::FREE, Costs { mapping: 100, page: 20 }, Costs::LEAST])
}

/// Decides byte by byte.
fn model(codes: &[u8], page_offset: u32, limits: &Limits) -> Vec<Fate> {
    let buffer = Buffer {
        length: codes.len() as u64,
        page_offset: page_offset.into(),
    };
    hawser_core_model::fates(codes, buffer, &model_limits(limits, u32::MAX))
}

fn fates(planned: &Planned, length: usize) -> Vec<Fate> {
    let mut fates = vec![Fate::Untouched; length];
    for piece in planned.pieces().iter() {
        let range = piece.range();
        fates[range.offset as usize..range.end() as usize].fill(fate(piece));
    }
    fates
}

fn fate(piece: &Piece) -> Fate {
    match piece.route() {
        Route::ToDevice(_) => Fate::ToDevice,
        Route::FromDevice(_) => Fate::FromDevice,
        Route::CopyIn(_) => Fate::CopiedIn,
        Route::CopyOut(_) => Fate::CopiedOut,
        Route::CopyInOut(_) => Fate::CopiedInOut,
    }
}

fn count(fates: &[Fate], wanted: &[Fate]) -> u64 {
    fates.iter().filter(|fate| wanted.contains(fate)).count() as u64
}

/// Where copied pieces lie: data offset, block offset, length.
fn copies(planned: &Planned) -> Vec<(u64, u64, u64)> {
    let place = |piece: &Piece| match piece.route() {
        Route::CopyIn(block) | Route::CopyOut(block) | Route::CopyInOut(block) => {
            Some((piece.range().offset, block.0, piece.range().length))
        }
        _ => None,
    };
    planned.pieces().iter().filter_map(place).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]
    #[test]
    fn each_byte_meets_the_fate_that_the_model_gives_it(
        codes in codes(40, 400), near_end in any::<bool>(), offset in 0_u32..64, line in prop::sample::select(vec![1_u32, 8, 16, 64]),
        most in 0_u32..9, map_registers in prop::sample::select(vec![0, 1, 2, 3, 5, u32::MAX]), costs in costs()
    ) {
        // Near the end of a page, so that ranges cross into the next.
        let page_offset = if near_end { 4095 - offset * 4 } else { offset };
        let limits = Limits { map_registers, costs, ..limits(line, most) };
        let planned = planned(&codes, page_offset, &limits);
        let expected = model(&codes, page_offset, &limits);
        prop_assert_eq!(fates(&planned, codes.len()), &expected[..]);

        let plan = planned.plan();
        prop_assert_eq!(plan.bytes_to_device(), count(&expected, &[Fate::ToDevice]));
        prop_assert_eq!(plan.bytes_from_device(), count(&expected, &[Fate::FromDevice]));
        prop_assert_eq!(plan.bytes_copied_in(), count(&expected, &[Fate::CopiedIn, Fate::CopiedInOut]));
        prop_assert_eq!(plan.bytes_copied_out(), count(&expected, &[Fate::CopiedOut, Fate::CopiedInOut]));
    }

    #[test]
    fn pieces_and_mappings_agree(codes in codes(60, 150), page_offset in 0_u32..4096) {
        let planned = planned(&codes, page_offset, &map_all());
        let plan = planned.plan();
        for pair in planned.pieces.windows(2) {
            prop_assert!(pair[0].range().end() <= pair[1].range().offset, "pieces ascend and are disjoint");
        }
        let mut mapped = Vec::new();
        for piece in planned.pieces().iter() {
            let (index, direction) = match piece.route() {
                Route::ToDevice(index) => (index, Direction::ToDevice),
                Route::FromDevice(index) => (index, Direction::FromDevice),
                _ => continue,
            };
            prop_assert_eq!(usize::from(index.0), mapped.len(), "indices ascend with offsets");
            prop_assert_eq!(plan.mapping(index), Some(Mapping { range: piece.range(), direction }));
            mapped.push(direction);
            if direction == Direction::FromDevice {
                let start = u64::from(page_offset) + piece.range().offset;
                prop_assert_eq!((start % 64, piece.range().length % 64), (0, 0), "whole cache lines of memory");
            }
        }
        prop_assert_eq!(plan.mappings().len(), mapped.len());
        let to_device = mapped.iter().filter(|direction| **direction == Direction::ToDevice).count();
        prop_assert_eq!(usize::from(plan.to_device()), to_device);
        prop_assert_eq!(plan.packed_mappings() as usize, to_device | (mapped.len() - to_device) << 16);
        prop_assert!(to_device <= 8 && mapped.len() - to_device <= 8);
    }

    #[test]
    fn copies_are_disjoint_congruent_and_packed(codes in codes(60, 150), page_offset in 0_u32..4096) {
        let planned = planned(&codes, page_offset, &limits(64, 1));
        let layout = planned.plan().layout();
        let copies = copies(&planned);
        let mut runs = 0;
        for pair in copies.windows(2) {
            let ((data, block, length), (next_data, next_block, _)) = (pair[0], pair[1]);
            prop_assert!(block + length <= next_block, "places ascend and are disjoint");
            if data + length == next_data {
                prop_assert_eq!(block + length, next_block, "what touches in the buffer touches in the arena");
            } else {
                runs += 1;
            }
        }
        let mut touched = u64::MAX;
        for (data, block, length) in &copies {
            prop_assert_eq!(data % 8, block % 8);
            if *length >= 64 && *data != touched {
                prop_assert_eq!(data % 64, block % 64);
            }
            touched = data + length;
        }
        let bytes: u64 = copies.iter().map(|copy| copy.2).sum();
        prop_assert!(layout.copies_length <= 2 * bytes + 7 * (runs + 1), "{} bytes for {bytes}", layout.copies_length);
        if let (Some(first), Some(last)) = (copies.first(), copies.last()) {
            prop_assert!(first.1 >= layout.copies.0);
            prop_assert_eq!(last.1 + last.2, layout.copies.0 + layout.copies_length);
        }
        prop_assert!(layout.copies.0 + layout.copies_length <= layout.read_table.0);
    }

    #[test]
    fn reasons_fit_the_routes(codes in codes(40, 150), most in 0_u32..9) {
        let planned = planned(&codes, 0, &limits(64, most));
        let plan = planned.plan();
        for piece in planned.pieces().iter() {
            let fits = match piece.route() {
                Route::ToDevice(_) => plan.why(piece) == Why::OnlyRead,
                Route::FromDevice(_) => plan.why(piece) == Why::OnlyWritten,
                Route::CopyIn(_) => plan.why(piece) == Why::TooManyMappings && u32::from(plan.to_device()) == most,
                Route::CopyInOut(_) => plan.why(piece) == Why::ReadAndWritten,
                Route::CopyOut(_) => match plan.why(piece) {
                    Why::TooManyMappings => u32::from(plan.from_device()) == most,
                    why => why == Why::PartialLine,
                },
            };
            prop_assert!(fits, "{:?} because {}", piece.route(), plan.why(piece).text());
        }
    }
}

/// The routes of a program's pieces, with their ranges.
fn routes(planned: &Planned) -> Vec<(u64, u64, Route)> {
    planned
        .pieces()
        .iter()
        .map(|piece| (piece.range().offset, piece.range().end(), piece.route()))
        .collect()
}

#[test]
fn edges_that_share_a_line_are_copied() {
    // 63 bytes in front of the first whole line in memory, one behind the last; the copies lie behind descriptor, bindings and step.
    let planned = planned(&[WRITTEN; 4096], 1, &map_all());
    let expected = [
        (0, 63, Route::CopyOut(BlockOffset(192))),
        (63, 4095, Route::FromDevice(MappingIndex(0))),
        (4095, 4096, Route::CopyOut(BlockOffset(255))),
    ];
    assert_eq!(routes(&planned), expected);
}

#[test]
fn less_than_a_line_is_copied() {
    for (length, page_offset) in [(1, 0), (63, 0), (64, 1), (126, 1)] {
        let planned = planned(&vec![WRITTEN; length], page_offset, &map_all());
        assert_eq!(
            (planned.plan().mappings().len(), planned.plan().bytes_copied_out()),
            (0, length as u64)
        );
    }
    for (length, page_offset, copied) in [(64, 0, 0), (127, 1, 63), (65, 63, 1)] {
        let planned = planned(&vec![WRITTEN; length], page_offset, &map_all());
        assert_eq!(
            (planned.plan().mappings().len(), planned.plan().bytes_copied_out()),
            (1, copied)
        );
    }
}

#[test]
fn what_is_only_read_is_mapped_however_small_and_odd() {
    let planned = planned(&[READ; 1], 4095, &map_all());
    assert_eq!(routes(&planned), [(0, 1, Route::ToDevice(MappingIndex(0)))]);
}

#[test]
fn a_written_byte_inside_what_is_read_splits_it() {
    let mut codes = [READ; 64];
    codes[32] = BOTH;
    let planned = planned(&codes, 0, &map_all());
    let found = routes(&planned);
    assert_eq!(found[0], (0, 32, Route::ToDevice(MappingIndex(0))));
    assert!(matches!(found[1], (32, 33, Route::CopyInOut(_))));
    assert_eq!(found[2], (33, 64, Route::ToDevice(MappingIndex(1))));
}

#[test]
fn the_smallest_ranges_are_copied_when_mappings_run_out() {
    // Ten ranges of 1 to 10 bytes that are only read: the eight largest are mapped.
    let codes: Vec<u8> = (1..=10)
        .flat_map(|length| [vec![READ; length], vec![0]].concat())
        .collect();
    let planned = planned(&codes, 0, &map_all());
    assert_eq!(
        (planned.plan().to_device(), planned.plan().bytes_copied_in()),
        (8, 1 + 2)
    );
}

#[test]
fn an_untouched_buffer_needs_nothing() {
    let planned = planned(&[0; 100], 0, &map_all());
    let layout = planned.plan().layout();
    assert_eq!((planned.pieces.len(), planned.plan().mappings().len()), (0, 0));
    // Descriptor, bindings, one step, and a hole in each table.
    assert_eq!(
        (layout.read_capacity, layout.write_capacity, layout.total),
        (1, 1, 64 + 64 + 64 + 64 + 64)
    );
}

#[test]
fn a_block_that_fits_the_arena_exactly_is_planned_and_one_byte_less_is_refused() {
    let codes = [BOTH; 1000];
    let total = planned(&codes, 0, &map_all()).plan().layout().total;
    let arena = |arena_size| Limits {
        arena_size,
        ..map_all()
    };
    assert!(planned(&codes, 0, &arena(total)).plan.is_ok());
    let refusal = planned(&codes, 0, &arena(total - 1))
        .plan
        .expect_err("the arena is too small");
    assert_eq!(
        (refusal.reason, refusal.length, refusal.limit),
        (Reason::ArenaTooSmall, total, total - 1)
    );
}

#[test]
fn a_list_of_pieces_that_is_too_short_is_refused_with_the_number_needed() {
    let codes = [READ, 0, READ, 0, WRITTEN, BOTH];
    let steps = steps_for(&codes);
    let bytes = program(&header(&steps, 6, 6), &steps);
    let mut words = vec![0; room(8).words()];
    let mut workspace = Workspace::new(&mut words, room(8));
    let limits = map_all();
    let mut accepted = check(&bytes, buffer(6), &limits, &mut workspace).expect("it is right");
    const NEEDED: usize = 4 + MOST_ADDED;
    let refusal = plan(&mut accepted, &limits, &mut [Piece::default(); NEEDED - 1]).expect_err("there are four ranges");
    assert_eq!(
        (refusal.reason, refusal.length, refusal.limit),
        (Reason::ArenaTooSmall, NEEDED as u64, NEEDED as u64 - 1)
    );
    let again = plan(&mut accepted, &limits, &mut [Piece::default(); NEEDED]).expect("there is room");
    assert_eq!(again.pieces(), 4);
}

/// Eight mappings from the device with both edges copied, and in each direction one that map registers cut short: nothing adds more pieces.
#[test]
fn mappings_add_as_many_pieces_as_there_is_room_for() {
    const PITCH: usize = 5 * 4096;
    let mut codes = vec![0; 8 * PITCH + 64];
    for (number, part) in codes.chunks_exact_mut(PITCH).enumerate() {
        part[1..8191].fill(WRITTEN);
        part[8192..16384].fill(READ);
        part[PITCH - 1 - number] = BOTH;
    }
    for byte in codes.iter_mut().skip(8 * PITCH).step_by(2) {
        *byte = BOTH;
    }
    // Of eight ranges of two pages each, in either direction, the last gets one.
    let limits = Limits {
        map_registers: 15,
        ..limits(64, 8)
    };
    let planned = planned(&codes, 0, &limits);
    let ranges = Sweep::new(
        &runs(&codes, |code| code & READ != 0),
        &runs(&codes, |code| code & WRITTEN != 0),
    )
    .count();
    assert_eq!(planned.plan().mappings().len(), 16);
    assert_eq!(planned.plan().pieces() - ranges, MOST_ADDED);
    assert_eq!(fates(&planned, codes.len()), model(&codes, 0, &limits));
}

/// Each step reads three ranges and writes half of one that the next step reads.
#[test]
fn the_bound_on_pieces_holds_for_fine_cuts() {
    for count in [2_u64, 7, 1000] {
        let read = |n: u64| data(n % (3 * count) * 16);
        let write = |n: u64| data(n % (3 * count) * 16 + 4);
        let on_two = |n| [write(3 * n + 3), read(3 * n), read(3 * n + 1), read(3 * n + 2)];
        let steps: Vec<_> = (0..count)
            .map(|n| step(Opcode::Fma, ElementType::F32, 2, &on_two(n)))
            .collect();
        let length = 3 * count * 16;
        let bytes = program(&header(&steps, length, 0), &steps);
        let mut words = vec![0; room(count as u32).words()];
        let mut workspace = Workspace::new(&mut words, room(count as u32));
        let mut accepted = check(&bytes, buffer(length), &map_all(), &mut workspace).expect("it is right");
        let mut pieces = vec![Piece::default(); max_pieces(count as u32)];
        let plan = plan(&mut accepted, &map_all(), &mut pieces).expect("the bound holds");
        assert_eq!(plan.pieces() as u64, 5 * count);
    }
}

/// The plan's cost, counted anew from its pieces.
fn cost(planned: &Planned, page_offset: u32, limits: &Limits) -> u64 {
    let parts: Vec<Part> = planned.pieces().iter().map(part).collect();
    let buffer = Buffer {
        length: planned.checked.data_length(),
        page_offset: page_offset.into(),
    };
    hawser_core_model::cost(&parts, buffer, &model_limits(limits, u32::MAX))
}

fn part(piece: &Piece) -> Part {
    Part {
        start: piece.range().offset,
        end: piece.range().end(),
        fate: fate(piece),
        cause: Cause::OnlyRead,
    }
}

proptest! {
    #[test]
    fn a_plan_costs_no_more_than_mapping_all_or_copying_all(
        codes in codes(40, 1500), page_offset in 0_u32..4096, most in 0_u32..9,
        map_registers in prop::sample::select(vec![0, 1, 2, 5, u32::MAX]), costs in costs()
    ) {
        let limits = Limits { map_registers, costs, ..limits(64, most) };
        let chosen = planned(&codes, page_offset, &limits);
        let mapped = planned(&codes, page_offset, &Limits { costs: Costs::FREE, ..limits });
        let copied = planned(&codes, page_offset, &Limits { max_mappings: 0, ..limits });
        for other in [mapped, copied] {
            prop_assert!(cost(&chosen, page_offset, &limits) <= cost(&other, page_offset, &limits));
        }
    }
}

#[test]
fn what_is_small_is_copied_and_says_why() {
    let limits = Limits::default();
    for (code, copied, mapped) in [(READ, 512, 513), (WRITTEN, 512, 576)] {
        let small = planned(&vec![code; copied], 0, &limits);
        assert_eq!(small.plan().mappings().len(), 0, "{copied} bytes");
        assert!(
            small
                .pieces()
                .iter()
                .all(|piece| small.plan().why(piece) == Why::CheaperToCopy)
        );
        assert_eq!(cost(&small, 0, &limits), 64 + copied as u64);
        let large = planned(&vec![code; mapped], 0, &limits);
        assert_eq!(large.plan().mappings().len(), 1, "{mapped} bytes");
        assert_eq!(cost(&large, 0, &limits), 64 + 512);
    }
}
