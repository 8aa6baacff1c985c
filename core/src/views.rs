//! Writes the segment tables of the two views of the data buffer.
//!
//! Each view is as long as the data buffer, so that operands keep their offsets. What a view does not need is a hole: bytes that the program
//! does not touch, and for the read view bytes that it only writes, and the reverse.

use hawser_abi::descriptor::{HOLE, Segment};
use hawser_abi::reason::Reason;
use zerocopy::IntoBytes;

use crate::address::{BlockOffset, DataRange, DeviceAddress, MappingIndex, PAGE_SIZE};
use crate::check::{BufferShape, Checked};
use crate::layout::ArenaLayout;
use crate::limits::Limits;
use crate::pieces::{Piece, Pieces, Route};
use crate::refusal::Refusal;
use crate::writer::{ArenaWriter, OutsideArena};

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

impl From<OutsideArena> for ViewError {
    fn from(OutsideArena: OutsideArena) -> Self {
        Self::OutsideArena
    }
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

/// Most segments that a view can need: a mapping can have one element for each page that it lies in.
pub(crate) fn most_segments(view: View, pieces: Pieces<'_>, shape: BufferShape) -> u32 {
    let (mut cursor, mut count, mut before) = (Cursor::default(), 0_u64, None);
    while let Some((range, backing)) = cursor.next(view, pieces, shape.length) {
        let (segments, after) = match backing {
            Backing::Mapping(_) => (pages(range, shape), None),
            Backing::Hole => (1, Some(Backing::Hole)),
            Backing::Block(block) => (1, Some(Backing::Block(block.plus(range.length)))),
        };
        let continued = matches!(backing, Backing::Hole | Backing::Block(_)) && before == Some(backing);
        count = count.saturating_add(if continued { 0 } else { segments });
        before = after;
    }
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Pages of memory that a range lies in.
fn pages(range: DataRange, shape: BufferShape) -> u64 {
    let start = range.offset.saturating_add(shape.page_offset.into());
    let end = start.saturating_add(range.length);
    end.div_ceil(PAGE_SIZE).saturating_sub(start / PAGE_SIZE)
}

/// Writes the segment table of one view, mapping by mapping, as their scatter-gather lists become known.
#[derive(Clone, Copy, Debug)]
pub struct ViewBuilder {
    view: View,
    length: u64,
    block: DeviceAddress,
    highest_address: u64,
    table: BlockOffset,
    capacity: u32,
    cursor: Cursor,
    /// The last segment, which the next one may continue.
    pending: Option<Segment>,
    segments: u32,
    elements: u64,
}

impl ViewBuilder {
    /// Starts the table of `view`. `block` is the address of the request's block of the arena.
    pub fn new(view: View, checked: &Checked, layout: &ArenaLayout, block: DeviceAddress, limits: &Limits) -> Self {
        let (table, capacity) = match view {
            View::Read => (layout.read_table, layout.read_capacity),
            View::Write => (layout.write_table, layout.write_capacity),
        };
        Self {
            view,
            length: checked.data_length(),
            block,
            highest_address: limits.highest_address(),
            table,
            capacity,
            cursor: Cursor::default(),
            pending: None,
            segments: 0,
            elements: 0,
        }
    }

    /// Scatter-gather elements that were supplied.
    pub const fn elements(&self) -> u64 {
        self.elements
    }

    /// Adds the elements of a mapping: address and length of each, in the order of the data buffer.
    ///
    /// The mappings of the view's direction are supplied in ascending order. After an error the table is incomplete and must not be used.
    pub fn supply(
        &mut self,
        pieces: Pieces<'_>,
        mapping: MappingIndex,
        elements: impl Iterator<Item = (DeviceAddress, u64)>,
        writer: &mut impl ArenaWriter,
    ) -> Result<(), ViewError> {
        let mut run = Run::new(writer);
        let range = self.walk_to(pieces, mapping, &mut run)?;
        let mut at = range.offset;
        for (address, length) in elements {
            self.elements = self.elements.saturating_add(1);
            at = self.reachable(DataRange { offset: at, length }, address, range)?;
            self.add(
                Segment {
                    address: address.0,
                    length,
                },
                &mut run,
            )?;
        }
        if at != range.end() {
            let supplied = at.saturating_sub(range.offset);
            return Err(bad(
                DataRange {
                    offset: at,
                    length: supplied,
                },
                range.length,
            ));
        }
        Ok(run.flush()?)
    }

    /// Completes the table, and returns the number of its segments.
    pub fn finish(mut self, pieces: Pieces<'_>, writer: &mut impl ArenaWriter) -> Result<u32, ViewError> {
        let mut run = Run::new(writer);
        while let Some((range, backing)) = self.cursor.next(self.view, pieces, self.length) {
            self.add_unmapped(range, backing, &mut run)?;
        }
        self.put_pending(&mut run)?;
        run.flush()?;
        Ok(self.segments)
    }

    /// Adds everything before `mapping`, and returns its range.
    fn walk_to<W: ArenaWriter>(
        &mut self,
        pieces: Pieces<'_>,
        mapping: MappingIndex,
        run: &mut Run<'_, W>,
    ) -> Result<DataRange, ViewError> {
        while let Some((range, backing)) = self.cursor.next(self.view, pieces, self.length) {
            if backing == Backing::Mapping(mapping) {
                return Ok(range);
            }
            self.add_unmapped(range, backing, run)?;
        }
        Err(ViewError::OutOfOrder)
    }

    fn add_unmapped<W: ArenaWriter>(
        &mut self,
        range: DataRange,
        backing: Backing,
        run: &mut Run<'_, W>,
    ) -> Result<(), ViewError> {
        let address = match backing {
            Backing::Hole => HOLE,
            Backing::Block(block) => self.block.at(block).0,
            Backing::Mapping(_) => return Err(ViewError::OutOfOrder),
        };
        self.add(
            Segment {
                address,
                length: range.length,
            },
            run,
        )
    }

    /// The offset behind an element of `mapping` that stands for `element` of the data buffer.
    fn reachable(&self, element: DataRange, address: DeviceAddress, mapping: DataRange) -> Result<u64, ViewError> {
        if element.length == 0 || element.end() > mapping.end() {
            return Err(bad(element, mapping.end().saturating_sub(element.offset)));
        }
        let last = address.0.checked_add(element.length.saturating_sub(1));
        // The address of a hole is no address, whatever the device can reach.
        if last.is_none_or(|last| last > self.highest_address || last == HOLE) {
            return Err(bad(element, self.highest_address));
        }
        Ok(element.end())
    }

    fn add<W: ArenaWriter>(&mut self, segment: Segment, run: &mut Run<'_, W>) -> Result<(), ViewError> {
        if let Some(pending) = &mut self.pending
            && continues(pending, &segment)
        {
            pending.length = pending.length.saturating_add(segment.length);
            return Ok(());
        }
        self.put_pending(run)?;
        self.pending = Some(segment);
        Ok(())
    }

    fn put_pending<W: ArenaWriter>(&mut self, run: &mut Run<'_, W>) -> Result<(), ViewError> {
        let Some(segment) = self.pending.take() else {
            return Ok(());
        };
        if self.segments >= self.capacity {
            let here = DataRange {
                offset: self.cursor.at,
                length: segment.length,
            };
            return Err(bad(here, self.capacity.into()));
        }
        let position = u64::from(self.segments).saturating_mul(size_of::<Segment>() as u64);
        run.push(self.table.plus(position), segment)?;
        self.segments = self.segments.saturating_add(1);
        Ok(())
    }
}

/// Writes a whole table at once. `elements_of` returns the elements of a mapping; it is called once for each mapping of the view.
pub fn build_view<I: Iterator<Item = (DeviceAddress, u64)>>(
    mut builder: ViewBuilder,
    pieces: Pieces<'_>,
    mut elements_of: impl FnMut(MappingIndex) -> I,
    writer: &mut impl ArenaWriter,
) -> Result<u32, ViewError> {
    for piece in pieces.iter() {
        if let Backing::Mapping(mapping) = builder.view.backing(piece) {
            builder.supply(pieces, mapping, elements_of(mapping), writer)?;
        }
    }
    builder.finish(pieces, writer)
}

fn bad(range: DataRange, limit: u64) -> ViewError {
    let refusal = Refusal::new(Reason::BadScatterGather);
    ViewError::BadScatterGather(refusal.offset(range.offset).length(range.length).limit(limit))
}

/// Whether `next` follows `segment` in memory too, or both are holes.
fn continues(segment: &Segment, next: &Segment) -> bool {
    match (segment.address, next.address) {
        (HOLE, HOLE) => true,
        (HOLE, _) | (_, HOLE) => false,
        (address, next) => address.checked_add(segment.length) == Some(next),
    }
}

/// Segments that are written together.
const RUN: usize = 16;

/// Collects segments that follow each other in the table, to write them in few runs.
struct Run<'w, W> {
    writer: &'w mut W,
    start: BlockOffset,
    segments: [Segment; RUN],
    used: usize,
}

impl<'w, W: ArenaWriter> Run<'w, W> {
    fn new(writer: &'w mut W) -> Self {
        Self {
            writer,
            start: BlockOffset(0),
            segments: [Segment {
                address: HOLE,
                length: 0,
            }; RUN],
            used: 0,
        }
    }

    fn push(&mut self, at: BlockOffset, segment: Segment) -> Result<(), OutsideArena> {
        if self.used == RUN {
            self.flush()?;
        }
        if self.used == 0 {
            self.start = at;
        }
        if let Some(place) = self.segments.get_mut(self.used) {
            *place = segment;
            self.used = self.used.saturating_add(1);
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), OutsideArena> {
        let segments = self.segments.get(..self.used).unwrap_or_default();
        self.used = 0;
        if segments.is_empty() {
            Ok(())
        } else {
            self.writer.write(self.start, segments.as_bytes())
        }
    }
}

#[cfg(test)]
mod tests;
