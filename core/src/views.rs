//! Writes the segment tables of the two views of the data buffer.
//!
//! Each view is as long as the data buffer, so that operands keep their offsets. What a view does not need is a hole: bytes that the program
//! does not touch, and for the read view bytes that it only writes, and the reverse.

use hawser_abi::descriptor::HOLE;
use hawser_abi::reason::Reason;

use crate::address::{BlockOffset, DataRange, DeviceAddress, MappingIndex};
use crate::check::Checked;
use crate::layout::ArenaLayout;
use crate::limits::Limits;
use crate::pieces::{Piece, Pieces, Route};
use crate::refusal::Refusal;
use crate::writer::ArenaWriter;

use run::Reach;
use table::{ListError, Table, TableError};

pub use elements::ScatterGatherElements;
pub use run::SegmentRun;
pub use table::TableMemory;

mod elements;
mod run;
mod table;

/// One of the two bindings of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// What the program reads: [`READ_BINDING`](hawser_abi::descriptor::READ_BINDING).
    Read,
    /// What the program writes: [`WRITE_BINDING`](hawser_abi::descriptor::WRITE_BINDING).
    Write,
}

/// Why a table could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewError {
    /// The elements of a mapping do not add up to it, or the device cannot reach them.
    BadScatterGather(Refusal),
    /// The block is not the one that was planned.
    OutsideArena,
    /// A mapping was not supplied, was supplied out of order, or is none of this view's.
    OutOfOrder,
}

/// What stands behind a run of bytes of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Backing {
    Hole,
    Block(BlockOffset),
    Mapping(MappingIndex),
}

impl View {
    fn backing(self, piece: &Piece) -> Backing {
        match (self, piece.route()) {
            (Self::Read, Route::ToDevice(mapping)) | (Self::Write, Route::FromDevice(mapping)) => {
                Backing::Mapping(mapping)
            }
            (Self::Read, Route::CopyIn(block))
            | (Self::Write, Route::CopyOut(block))
            | (_, Route::CopyInOut(block)) => Backing::Block(block),
            _ => Backing::Hole,
        }
    }
}

/// Place in a view up to which it has been walked.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    piece: usize,
    at: u64,
}

impl Cursor {
    /// The next run of bytes with one backing in a view of `length` bytes.
    fn next(&mut self, view: View, pieces: Pieces<'_>, length: u64) -> Option<(DataRange, Backing)> {
        let offset = self.at;
        let (end, backing) = match pieces.0.get(self.piece) {
            Some(piece) if piece.range().offset > offset => (piece.range().offset, Backing::Hole),
            Some(piece) => {
                self.piece = self.piece.saturating_add(1);
                (piece.range().end(), view.backing(piece))
            }
            None if offset < length => (length, Backing::Hole),
            None => return None,
        };
        self.at = end;
        Some((
            DataRange {
                offset,
                length: end.saturating_sub(offset),
            },
            backing,
        ))
    }
}

/// Writes the segment table of one view, mapping by mapping, as their scatter-gather lists become known.
#[derive(Clone, Copy, Debug)]
pub struct ViewBuilder {
    view: View,
    length: u64,
    block: DeviceAddress,
    highest_address: u64,
    cursor: Cursor,
    table: Table,
    elements: u64,
}

impl ViewBuilder {
    /// Starts the table of `view`. `block` is the address of the request's block of the arena.
    pub fn new(view: View, checked: &Checked, layout: &ArenaLayout, block: DeviceAddress, limits: &Limits) -> Self {
        let table = match view {
            View::Read => Table::new(layout.read_table, layout.read_capacity),
            View::Write => Table::new(layout.write_table, layout.write_capacity),
        };
        Self {
            view,
            length: checked.data_length(),
            block,
            highest_address: limits.highest_address(),
            cursor: Cursor::default(),
            table,
            elements: 0,
        }
    }

    /// Scatter-gather elements that were supplied.
    pub const fn elements(&self) -> u64 {
        self.elements
    }

    /// Adds the elements of a mapping.
    ///
    /// The mappings of the view's direction are supplied in ascending order. After an error the table is incomplete and must not be used.
    pub fn supply<W: ArenaWriter, E, F: Fn(&E) -> (DeviceAddress, u32)>(
        &mut self,
        pieces: Pieces<'_>,
        mapping: MappingIndex,
        elements: ScatterGatherElements<'_, E, F>,
        memory: &mut TableMemory<'_, W>,
    ) -> Result<(), ViewError> {
        let range = self.walk_to(pieces, mapping, memory)?;
        let reach = Reach {
            left: range.length,
            // The address of a hole is no address, whatever the device can reach.
            beyond: self.highest_address.saturating_add(1),
        };
        let count = elements.list.len() as u64;
        let added = self.table.add_elements(reach, elements, memory);
        added.map_err(|error| self.refuse_list(range, error))?;
        self.elements = self.elements.saturating_add(count);
        Ok(())
    }

    /// Completes the table, and returns the number of its segments.
    pub fn finish<W: ArenaWriter>(
        &mut self,
        pieces: Pieces<'_>,
        memory: &mut TableMemory<'_, W>,
    ) -> Result<u32, ViewError> {
        while let Some((range, backing)) = self.cursor.next(self.view, pieces, self.length) {
            self.add_unmapped(range, backing, memory)?;
        }
        self.table.finish(memory).map_err(|error| self.refuse(error))
    }

    /// Adds everything before `mapping`, and returns its range.
    fn walk_to<W: ArenaWriter>(
        &mut self,
        pieces: Pieces<'_>,
        mapping: MappingIndex,
        memory: &mut TableMemory<'_, W>,
    ) -> Result<DataRange, ViewError> {
        while let Some((range, backing)) = self.cursor.next(self.view, pieces, self.length) {
            if backing == Backing::Mapping(mapping) {
                return Ok(range);
            }
            self.add_unmapped(range, backing, memory)?;
        }
        Err(ViewError::OutOfOrder)
    }

    fn add_unmapped<W: ArenaWriter>(
        &mut self,
        range: DataRange,
        backing: Backing,
        memory: &mut TableMemory<'_, W>,
    ) -> Result<(), ViewError> {
        let address = match backing {
            Backing::Hole => DeviceAddress(HOLE),
            Backing::Block(block) => self.block.at(block),
            Backing::Mapping(_) => return Err(ViewError::OutOfOrder),
        };
        let added = self.table.add_unmapped(address, range.length, memory);
        added.map_err(|error| self.refuse(error))
    }

    /// What it means that the elements of `mapping` were not added.
    #[cold]
    fn refuse_list(&self, mapping: DataRange, error: ListError) -> ViewError {
        let from_end = |left| mapping.end().saturating_sub(left);
        match error {
            ListError::Element { left, length } => {
                let length = u64::from(length);
                let outside = length == 0 || length > left;
                let limit = if outside { left } else { self.highest_address };
                bad(
                    DataRange {
                        offset: from_end(left),
                        length,
                    },
                    limit,
                )
            }
            ListError::Short { left } => {
                let length = mapping.length.saturating_sub(left);
                bad(
                    DataRange {
                        offset: from_end(left),
                        length,
                    },
                    mapping.length,
                )
            }
            ListError::Table(error) => self.refuse(error),
        }
    }

    /// What it means that the table could not be written.
    #[cold]
    fn refuse(&self, error: TableError) -> ViewError {
        match error {
            TableError::OutsideArena => ViewError::OutsideArena,
            TableError::Full(length) => {
                let here = DataRange {
                    offset: self.cursor.at,
                    length,
                };
                bad(here, self.table.capacity().into())
            }
        }
    }
}

/// Writes a whole table at once. `elements_of` returns the elements of a mapping; it is called once for each mapping of the view.
pub fn build_view<L: AsRef<[(DeviceAddress, u32)]>>(
    mut builder: ViewBuilder,
    pieces: Pieces<'_>,
    mut elements_of: impl FnMut(MappingIndex) -> L,
    writer: &mut impl ArenaWriter,
) -> Result<u32, ViewError> {
    let run = &mut SegmentRun::default();
    let mut memory = TableMemory { run, writer };
    for piece in pieces.iter() {
        if let Backing::Mapping(mapping) = builder.view.backing(piece) {
            let list = elements_of(mapping);
            builder.supply(
                pieces,
                mapping,
                ScatterGatherElements::new(list.as_ref(), |element| *element),
                &mut memory,
            )?;
        }
    }
    builder.finish(pieces, &mut memory)
}

fn bad(range: DataRange, limit: u64) -> ViewError {
    let refusal = Refusal::new(Reason::BadScatterGather);
    ViewError::BadScatterGather(refusal.offset(range.offset).length(range.length).limit(limit))
}

#[cfg(test)]
mod tests;
