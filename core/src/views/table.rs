//! Writes the segments of a table that nothing can continue any more.

use hawser_abi::descriptor::Segment;
use zerocopy::IntoBytes;

use super::elements::ScatterGatherElements;
use super::run::{End, Reach, SegmentRun, Stop};
use crate::address::{BlockOffset, DeviceAddress};
use crate::writer::{ArenaWriter, OutsideArena};

/// Why segments could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TableError {
    /// The table has no room for a segment of this many bytes.
    Full(u64),
    /// The table does not lie in the block.
    OutsideArena,
}

impl From<OutsideArena> for TableError {
    fn from(OutsideArena: OutsideArena) -> Self {
        Self::OutsideArena
    }
}

/// Why the elements of a list were not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListError {
    /// An element of `length` bytes is wrong, `left` bytes before the end of the mapping.
    Element { left: u64, length: u32 },
    /// There are `left` bytes of the mapping after the last element.
    Short { left: u64 },
    /// The segments could not be written.
    Table(TableError),
}

impl From<TableError> for ListError {
    fn from(error: TableError) -> Self {
        Self::Table(error)
    }
}

/// The memory in which a table is made.
#[derive(Debug)]
pub struct TableMemory<'a, W> {
    /// For the segments that are not written. From the first call for a table to the last it belongs to that table.
    pub run: &'a mut SegmentRun,
    /// Where the segments are written.
    pub writer: &'a mut W,
}

/// A table of which a part is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    start: BlockOffset,
    capacity: u32,
    /// Segments that are written.
    written: u32,
    /// The end of those that are not.
    end: End,
}

impl Table {
    pub(super) const fn new(start: BlockOffset, capacity: u32) -> Self {
        Self {
            start,
            capacity,
            written: 0,
            end: End::NONE,
        }
    }

    pub(super) const fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Adds `length` bytes that are not mapped: from `address` on, or if that is [`HOLE`](hawser_abi::descriptor::HOLE) bytes that no access
    /// may reach.
    pub(super) fn add_unmapped<W: ArenaWriter>(
        &mut self,
        address: DeviceAddress,
        length: u64,
        memory: &mut TableMemory<'_, W>,
    ) -> Result<(), TableError> {
        if self.end.is_full() {
            self.write_complete(memory)?;
        }
        let DeviceAddress(address) = address;
        self.end.add(memory.run, Segment { address, length });
        self.check_room(memory.run)
    }

    /// Adds the elements of a list.
    #[inline(always)]
    pub(super) fn add_elements<W: ArenaWriter, E, F: Fn(&E) -> (DeviceAddress, u32)>(
        &mut self,
        mut reach: Reach,
        mut elements: ScatterGatherElements<'_, E, F>,
        memory: &mut TableMemory<'_, W>,
    ) -> Result<(), ListError> {
        let wrong = loop {
            match self.end.add_elements(memory.run, &mut elements, &mut reach) {
                Stop::End => break None,
                Stop::Wrong(length) => break Some(length),
                Stop::Full => self.write_complete(memory)?,
            }
        };
        self.check_room(memory.run)?;
        match (wrong, reach.left) {
            (Some(length), left) => Err(ListError::Element {
                left: left.wrapping_add(length.into()),
                length,
            }),
            (None, 0) => Ok(()),
            (None, left) => Err(ListError::Short { left }),
        }
    }

    /// Writes the last segments, when nothing follows, and returns the number of all.
    pub(super) fn finish<W: ArenaWriter>(&mut self, memory: &mut TableMemory<'_, W>) -> Result<u32, TableError> {
        self.write(self.end.segments(), memory)?;
        self.end = End::NONE;
        Ok(self.written)
    }

    /// Writes the segments in front of the last.
    #[inline(never)]
    fn write_complete<W: ArenaWriter>(&mut self, memory: &mut TableMemory<'_, W>) -> Result<(), TableError> {
        self.write(self.end.segments().saturating_sub(1), memory)?;
        self.end.drop_complete(memory.run);
        Ok(())
    }

    /// Writes the first `count` segments of the run.
    fn write<W: ArenaWriter>(&mut self, count: usize, memory: &mut TableMemory<'_, W>) -> Result<(), TableError> {
        self.check_room_for(count, memory.run)?;
        let segments = memory.run.first(count);
        if segments.is_empty() {
            return Ok(());
        }
        let position = u64::from(self.written).saturating_mul(size_of::<Segment>() as u64);
        memory.writer.write(self.start.plus(position), segments.as_bytes())?;
        // There is room for so many, and room is counted in 32 bits.
        self.written = self.written.saturating_add(segments.len() as u32);
        Ok(())
    }

    /// Whether the table has room for the segments in front of the last.
    fn check_room(&self, run: &SegmentRun) -> Result<(), TableError> {
        self.check_room_for(self.end.segments().saturating_sub(1), run)
    }

    /// Whether the table has room for the first `count` segments of the run.
    fn check_room_for(&self, count: usize, run: &SegmentRun) -> Result<(), TableError> {
        let room = self.capacity.saturating_sub(self.written) as usize;
        match run.first(count).get(room) {
            Some(outside) => Err(TableError::Full(outside.length)),
            None => Ok(()),
        }
    }
}
