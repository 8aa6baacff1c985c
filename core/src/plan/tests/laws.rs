//! The laws that every plan keeps, whatever the program: what makes it right in every memory model. Wrong plans are seen to break them.

use std::format;
use std::string::String;
use std::vec;
use std::vec::Vec;

use hawser_abi::reason::Reason;
use proptest::prelude::*;

use super::{BOTH, costs, limits};
use crate::address::{BlockOffset, MappingIndex};
use crate::intervals::Interval;
use crate::limits::Limits;
use crate::pieces::{Piece, Route};
use crate::refusal::Refusal;
use crate::testing::{Planned, READ, WRITTEN, codes, map_all, planned};

/// How the device gets at a byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Reach {
    mappings: u8,
    reads_mapping: bool,
    writes_mapping: bool,
    /// Offsets in the block of the arena.
    reads_copy: Option<u64>,
    writes_copy: Option<u64>,
}

fn reach(pieces: &[Piece], length: usize) -> Vec<Reach> {
    let mut bytes = vec![Reach::default(); length];
    for piece in pieces {
        for at in piece.range().offset..piece.range().end() {
            let byte = &mut bytes[at as usize];
            let copy = |block: BlockOffset| Some(block.0 + at - piece.range().offset);
            match piece.route() {
                Route::ToDevice(_) => (byte.mappings, byte.reads_mapping) = (byte.mappings + 1, true),
                Route::FromDevice(_) => (byte.mappings, byte.writes_mapping) = (byte.mappings + 1, true),
                Route::CopyIn(block) => byte.reads_copy = copy(block),
                Route::CopyOut(block) => byte.writes_copy = copy(block),
                Route::CopyInOut(block) => (byte.reads_copy, byte.writes_copy) = (copy(block), copy(block)),
            }
        }
    }
    bytes
}

/// Looks at each byte: how the program uses it, and how the device gets at it.
pub(super) fn laws(codes: &[u8], pieces: &[Piece], block: core::ops::Range<u64>) -> Result<(), String> {
    let mut used = std::collections::BTreeSet::new();
    for (at, (code, reach)) in codes.iter().zip(reach(pieces, codes.len())).enumerate() {
        let (read, written) = (code & READ != 0, code & WRITTEN != 0);
        let copied = [reach.reads_copy, reach.writes_copy];
        let broken = [
            (reach.mappings > 1, "is in two mappings"),
            (
                reach.reads_mapping && !read,
                "is mapped to the device, which does not read it",
            ),
            (
                reach.reads_mapping && written,
                "is mapped to the device and written as well",
            ),
            (
                reach.writes_mapping && !written,
                "is mapped from the device, which does not write it",
            ),
            (
                reach.writes_mapping && read,
                "is mapped from the device and read as well",
            ),
            (
                read && !reach.reads_mapping && reach.reads_copy.is_none(),
                "is read and cannot be",
            ),
            (
                written && !reach.writes_mapping && reach.writes_copy.is_none(),
                "is written and cannot be",
            ),
            (reach.writes_copy.is_some() && !written, "is copied out and not written"),
            (reach.reads_copy.is_some() && !read, "is copied in and not read"),
            (reach.mappings > 0 && copied != [None; 2], "is mapped and copied"),
            (
                code & BOTH == BOTH && reach.reads_copy != reach.writes_copy,
                "is read and written in two places",
            ),
            (
                copied.iter().flatten().any(|place| !block.contains(place)),
                "is copied outside its part of the arena",
            ),
        ];
        let place = reach.reads_copy.or(reach.writes_copy);
        if place.is_some_and(|place| !used.insert(place)) {
            return Err(format!("byte {at} shares its place in the arena"));
        }
        if let Some((_, law)) = broken.iter().find(|(broken, _)| *broken) {
            return Err(format!("byte {at} {law}"));
        }
    }
    Ok(())
}

pub(super) fn copies_of(planned: &Planned) -> core::ops::Range<u64> {
    let layout = planned.plan().layout();
    layout.copies.0..layout.copies.0 + layout.copies_length
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn every_plan_keeps_the_laws(
        codes in codes(60, 300), page_offset in 0_u32..4096, most in 0_u32..9, line in prop::sample::select(vec![1_u32, 64]),
        map_registers in prop::sample::select(vec![0, 1, 3, u32::MAX]), costs in costs()
    ) {
        let limits = Limits { map_registers, costs, ..limits(line, most) };
        let planned = planned(&codes, page_offset, &limits);
        prop_assert_eq!(laws(&codes, &planned.pieces, copies_of(&planned)), Ok(()));
        prop_assert!(copies_of(&planned).end <= planned.plan().layout().read_table.0);
    }

    /// A plan is refused exactly where its block is larger than the arena.
    #[test]
    fn a_plan_fits_into_the_arena_or_is_refused(
        codes in codes(60, 300), page_offset in 0_u32..4096, most in 0_u32..9, difference in prop_oneof![-2_i64..3, -5000_i64..5000]
    ) {
        let roomy = limits(64, most);
        let total = planned(&codes, page_offset, &roomy).plan().layout().total;
        let arena_size = total.saturating_add_signed(difference);
        let found = planned(&codes, page_offset, &Limits { arena_size, ..roomy }).plan;
        if total <= arena_size {
            prop_assert_eq!(found.map(|plan| plan.layout().total), Ok(total));
        } else {
            let refusal = Refusal::new(Reason::ArenaTooSmall).length(total).limit(arena_size);
            prop_assert_eq!(found.map(|_| ()), Err(refusal));
        }
    }

    /// Any piece that takes another route breaks a law, unless its bytes are only mapped instead of copied or the reverse.
    #[test]
    fn a_piece_on_another_route_is_found(codes in codes(40, 300), index in any::<prop::sample::Index>(), wrong in 0_usize..5) {
        let planned = planned(&codes, 0, &map_all());
        prop_assume!(!planned.pieces.is_empty());
        let mut pieces = planned.pieces.clone();
        let piece = index.get_mut(&mut pieces);
        let block = BlockOffset(copies_of(&planned).start);
        let routes = [
            Route::ToDevice(MappingIndex(0)),
            Route::FromDevice(MappingIndex(0)),
            Route::CopyIn(block),
            Route::CopyOut(block),
            Route::CopyInOut(block),
        ];
        let wrong = routes[wrong];
        prop_assume!(uses(piece.route()) != uses(wrong));
        *piece = Piece::new(interval(piece), wrong, planned.plan().why(piece));
        prop_assert!(laws(&codes, &pieces, 0..u64::MAX).is_err(), "{:?}", pieces);
    }
}

/// Whether the device may read and write what takes the route.
fn uses(route: Route) -> (bool, bool) {
    match route {
        Route::ToDevice(_) | Route::CopyIn(_) => (true, false),
        Route::FromDevice(_) | Route::CopyOut(_) => (false, true),
        Route::CopyInOut(_) => (true, true),
    }
}

fn interval(piece: &Piece) -> Interval {
    Interval::new(piece.range().offset as u32, piece.range().end() as u32)
}

#[test]
fn a_mapping_with_a_gap_is_found() {
    let codes = [[WRITTEN; 64], [0; 64], [WRITTEN; 64]].concat();
    let whole = Piece::new(
        Interval::new(0, 192),
        Route::FromDevice(MappingIndex(0)),
        crate::Why::OnlyWritten,
    );
    let found = laws(&codes, &[whole], 0..0);
    assert_eq!(
        found,
        Err(String::from(
            "byte 64 is mapped from the device, which does not write it"
        ))
    );
}
