//! Writes the segment tables and compares them with the model's.

use hawser_abi::descriptor::Segment;
use hawser_core::{Checked, DeviceAddress, MappingIndex, Pieces, Plan, View, ViewBuilder, ViewError, build_view};
use hawser_core_model::{Part, Planned, is_complete, segments};

use super::arena::Arena;
use super::case::Case;
use super::lists;
use crate::Difference;

/// Address of the block, a multiple of 64 that no list uses.
pub(super) const BLOCK: DeviceAddress = DeviceAddress(0x7F_FFFF_0000_0000);

pub(super) fn compare(
    case: &Case,
    checked: &Checked,
    plan: &Plan,
    (pieces, planned): (Pieces<'_>, &Planned),
    arena: &mut Arena,
) -> Result<(), Difference> {
    let layout = plan.layout();
    let page_offset = case.shape.page_offset.into();
    let list = |part: &Part| lists::elements(part, page_offset, &case.control);
    for (view, model) in [
        (View::Read, hawser_core_model::View::Read),
        (View::Write, hawser_core_model::View::Write),
    ] {
        let (table, capacity) = match view {
            View::Read => (layout.read_table, layout.read_capacity),
            View::Write => (layout.write_table, layout.write_capacity),
        };
        let of_mapping = |index: MappingIndex| {
            let range = plan.mapping(index).map(|mapping| mapping.range).unwrap_or_default();
            let part = planned.parts.iter().find(|part| part.start == range.offset);
            let elements = part.map(list).unwrap_or_default().into_iter();
            let of_windows = |(address, length)| {
                (
                    DeviceAddress(address),
                    u32::try_from(length).expect("lists have no longer elements"),
                )
            };
            elements.map(of_windows).collect::<Vec<_>>()
        };
        let builder = ViewBuilder::new(view, checked, layout, BLOCK, &case.limits);
        let found = build_view(builder, pieces, of_mapping, arena);

        let mut complete = true;
        let expected = segments(model, planned, case.shape.length, BLOCK.0, |part| {
            let elements = list(part);
            complete &= is_complete(&elements, part, case.limits.highest_address());
            if complete { elements } else { Vec::new() }
        });
        let right = complete && expected.len() <= capacity as usize;
        match found {
            Err(ViewError::BadScatterGather(_)) if !right => {}
            Ok(count) if right => {
                let bytes = arena.read(table.0, u64::from(count) * size_of::<Segment>() as u64);
                let read: Vec<_> = bytes
                    .unwrap_or_default()
                    .chunks(size_of::<Segment>())
                    .map(segment)
                    .collect();
                Difference::unless_equal("segment table", &read, &expected)?;
            }
            _ => Difference::unless(false, || {
                format!("{view:?}: {found:?}, but the lists are right: {right}; expected {expected:x?}")
            })?,
        }
    }
    Ok(())
}

/// Address and length of a segment in memory.
fn segment(bytes: &[u8]) -> hawser_core_model::Segment {
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
    };
    let (address, length) = bytes.split_at(8);
    (number(address), number(length))
}
