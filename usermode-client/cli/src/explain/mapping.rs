//! The DMA mappings of a plan, what they take of map registers, and what a request takes of the arena.

use hawser_core::{DataRange, Direction, PAGE_SIZE};
use serde::Serialize;

use super::Subject;

/// All mappings.
#[derive(Debug, Serialize)]
pub struct Mappings {
    pub list: Vec<MappingReport>,
    /// Pages that those to the device touch, which is what they take of map registers.
    pub map_registers_to_device: u64,
    /// The same from the device.
    pub map_registers_from_device: u64,
}

/// A mapping.
#[derive(Debug, Serialize)]
pub struct MappingReport {
    /// `to device` or `from device`.
    pub direction: &'static str,
    pub offset: u64,
    pub length: u64,
    /// Bytes from the start of a page to its first byte.
    pub page_offset: u64,
    /// Pages that it touches.
    pub pages: u64,
}

impl Mappings {
    pub fn of(subject: &Subject<'_>) -> Self {
        let ahead = u64::from(subject.inspection.checked.shape().page_offset);
        let mappings = subject.inspection.plan.mappings();
        let report = |mapping: &hawser_core::Mapping| {
            let DataRange { offset, length } = mapping.range;
            let start = offset + ahead;
            MappingReport {
                direction: direction(mapping.direction),
                offset,
                length,
                page_offset: start % PAGE_SIZE,
                pages: (start + length).div_ceil(PAGE_SIZE) - start / PAGE_SIZE,
            }
        };
        let list: Vec<_> = mappings.iter().map(report).collect();
        let pages = |way| {
            let of_way = list.iter().filter(|mapping| mapping.direction == direction(way));
            of_way.map(|mapping| mapping.pages).sum()
        };
        Self {
            map_registers_to_device: pages(Direction::ToDevice),
            map_registers_from_device: pages(Direction::FromDevice),
            list,
        }
    }
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::ToDevice => "to device",
        Direction::FromDevice => "from device",
    }
}

/// The request's block of the arena, in bytes.
#[derive(Debug, Serialize)]
pub struct Arena {
    /// Descriptor and bindings.
    pub descriptor: u64,
    pub steps: u64,
    pub copies: u64,
    /// Room for the segment tables.
    pub tables: u64,
    pub total: u64,
}

impl Arena {
    pub fn of(subject: &Subject<'_>) -> Self {
        let layout = subject.inspection.plan.layout();
        Self {
            descriptor: layout.steps.0,
            steps: layout.copies.0 - layout.steps.0,
            copies: layout.copies_length,
            tables: layout.total - layout.read_table.0,
            total: layout.total,
        }
    }
}
