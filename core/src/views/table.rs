//! Puts the segments of a table together, and writes those that nothing can continue any more.

use hawser_abi::descriptor::{HOLE, Segment};
use zerocopy::IntoBytes;

use crate::address::{BlockOffset, DeviceAddress};
use crate::writer::{ArenaWriter, OutsideArena};

/// Segments that are written together. With a group behind them they are a KiB, which fits on a kernel stack.
const RUN: usize = 56;
/// Elements that are added together, so that room is looked for only once. A run is at least as long.
const GROUP: usize = 8;

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

/// A table of which a part is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table {
    start: BlockOffset,
    capacity: u32,
    /// Segments that are written.
    written: u32,
    /// The segment after those, which the next one may continue.
    last: Option<Segment>,
}

impl Table {
    pub(super) const fn new(start: BlockOffset, capacity: u32) -> Self {
        Self {
            start,
            capacity,
            written: 0,
            last: None,
        }
    }

    pub(super) const fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Segments that are written.
    pub(super) const fn written(&self) -> u32 {
        self.written
    }

    /// Writes the last segment, when nothing follows.
    pub(super) fn finish(&mut self, writer: &mut impl ArenaWriter) -> Result<(), TableError> {
        let last = self.last.take();
        self.write(last.as_slice(), writer)
    }

    /// Segments that there is room for.
    fn room(&self) -> usize {
        self.capacity.saturating_sub(self.written) as usize
    }

    fn write(&mut self, segments: &[Segment], writer: &mut impl ArenaWriter) -> Result<(), TableError> {
        if let Some(outside) = segments.get(self.room()) {
            return Err(TableError::Full(outside.length));
        }
        if segments.is_empty() {
            return Ok(());
        }
        let position = u64::from(self.written).saturating_mul(size_of::<Segment>() as u64);
        writer.write(self.start.plus(position), segments.as_bytes())?;
        // There is room for so many, and room is counted in 32 bits.
        self.written = self.written.saturating_add(segments.len() as u32);
        Ok(())
    }
}

/// The end of a table, which grows.
///
/// Whether the elements of a list continue each other follows no pattern, so there is no branch on it: every element is stored behind the
/// segments that there are, and counts as one of them only if it does not continue the last. What is stored of a segment is not its length,
/// which would change with every element, but how many bytes are left where it begins.
pub(super) struct End<'t> {
    table: &'t mut Table,
    /// Segments that are not written, with what is left where they begin for a length, and behind them room for a group.
    segments: [Segment; RUN + GROUP],
    /// How many there are. The last may yet be continued; there is none only before the first of a table.
    used: usize,
    place: Place,
}

/// Where the last segment ends.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Bytes that are left of the mapping. What is not mapped is counted down from anywhere, and wraps.
    left: u64,
    /// The address that continues the segment. None begins at [`HOLE`], which says that there is no such address.
    next: u64,
}

/// What the elements of a list may reach.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    /// Bytes of the mapping.
    pub(super) length: u64,
    /// The highest address that an element may end before, at most [`HOLE`].
    pub(super) beyond: u64,
}

/// Why the elements of a list were not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListError {
    /// An element of `length` bytes is wrong, `left` bytes before the end of the mapping.
    Element { left: u64, length: u64 },
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

impl<'t> End<'t> {
    pub(super) fn new(table: &'t mut Table) -> Self {
        const NOTHING: Segment = Segment { address: 0, length: 0 };
        let mut segments = [NOTHING; RUN + GROUP];
        if let (Some(first), Some(last)) = (segments.first_mut(), table.last) {
            *first = last;
        }
        Self {
            used: table.last.iter().len(),
            place: Place {
                left: 0,
                next: table.last.as_ref().map_or(HOLE, behind),
            },
            segments,
            table,
        }
    }

    /// Adds `length` bytes that are not mapped: from `address` on, or if that is [`HOLE`] bytes that no access may reach.
    pub(super) fn add_unmapped(
        &mut self,
        address: DeviceAddress,
        length: u64,
        writer: &mut impl ArenaWriter,
    ) -> Result<(), TableError> {
        let DeviceAddress(address) = address;
        let continues = match address {
            HOLE => self.last().is_some_and(|last| last.address == HOLE),
            _ => address == self.place.next,
        };
        let left = self.place.left;
        let [slot, ..] = self.window(writer)?;
        *slot = Segment { address, length: left };
        self.used = self.used.wrapping_add(usize::from(!continues));
        self.place = Place {
            left: left.wrapping_sub(length),
            next: behind(&Segment { address, length }),
        };
        self.check_room()
    }

    /// Adds the elements of a list, and returns how many they are.
    #[inline(always)]
    pub(super) fn add_elements(
        &mut self,
        reach: &Reach,
        mut elements: impl Iterator<Item = (DeviceAddress, u64)>,
        writer: &mut impl ArenaWriter,
    ) -> Result<u64, ListError> {
        self.count_from(reach.length);
        let mut count = 0_u64;
        loop {
            let added = self.add_group(reach, &mut elements, writer)?;
            count = count.wrapping_add(added as u64);
            if added < GROUP {
                break;
            }
        }
        self.check_room()?;
        match self.place.left {
            0 => Ok(count),
            left => Err(ListError::Short { left }),
        }
    }

    /// Adds the next elements of a list, and returns how many they are: fewer than a group if the list ends.
    #[inline(always)]
    fn add_group(
        &mut self,
        reach: &Reach,
        elements: &mut impl Iterator<Item = (DeviceAddress, u64)>,
        writer: &mut impl ArenaWriter,
    ) -> Result<usize, ListError> {
        let mut place = self.place;
        let window = self.window(writer)?;
        let (mut added, mut begun) = (0_usize, 0_usize);
        while added < GROUP {
            let Some((DeviceAddress(address), length)) = elements.next() else {
                break;
            };
            // An element that is empty does not end behind its beginning, nor does one around the end of all addresses.
            let end = address.wrapping_add(length);
            if end <= address || end > reach.beyond || length > place.left {
                return Err(self.refuse(begun, place, length));
            }
            if let Some(slot) = window.get_mut(begun) {
                let length = place.left;
                *slot = Segment { address, length };
            }
            begun = begun.wrapping_add(usize::from(address != place.next));
            place = Place {
                left: place.left.wrapping_sub(length),
                next: end,
            };
            added = added.wrapping_add(1);
        }
        self.used = self.used.wrapping_add(begun);
        self.place = place;
        Ok(added)
    }

    /// Why an element of `length` bytes is not added at `place`, before which `begun` segments of its group begin.
    #[cold]
    fn refuse(&mut self, begun: usize, place: Place, length: u64) -> ListError {
        self.used = self.used.wrapping_add(begun);
        let left = place.left;
        match self.check_room() {
            Ok(()) => ListError::Element { left, length },
            Err(full) => full.into(),
        }
    }

    /// Room for a group of segments behind those that there are.
    #[inline(always)]
    fn window(&mut self, writer: &mut impl ArenaWriter) -> Result<&mut [Segment; GROUP], TableError> {
        if self.used > RUN {
            self.write_run(writer)?;
        }
        let behind = self.segments.get_mut(self.used..).unwrap_or_default();
        behind.first_chunk_mut().ok_or(TableError::OutsideArena)
    }

    /// Lets `left` bytes be left here.
    fn count_from(&mut self, left: u64) {
        let more = left.wrapping_sub(self.place.left);
        for segment in self.segments.iter_mut().take(self.used) {
            segment.length = segment.length.wrapping_add(more);
        }
        self.place.left = left;
    }

    /// Writes the first run of segments, behind which there is another, and moves what follows to the front.
    #[inline(never)]
    fn write_run(&mut self, writer: &mut impl ArenaWriter) -> Result<(), TableError> {
        if let Some((run, rest)) = self.segments.split_first_chunk_mut::<RUN>()
            && let Some(rest @ [next, ..]) = rest.first_chunk::<GROUP>()
        {
            measure(run, next.length);
            self.table.write(run, writer)?;
            if let Some(front) = run.first_chunk_mut() {
                *front = *rest;
            }
            self.used = self.used.saturating_sub(RUN);
        }
        Ok(())
    }

    /// The segment that may yet be continued.
    fn last(&self) -> Option<&Segment> {
        self.segments.get(self.used.checked_sub(1)?)
    }

    /// Whether the table has room for the segments in front of the last.
    fn check_room(&self) -> Result<(), TableError> {
        let segments = self.segments.get(..self.used).unwrap_or_default();
        match segments.get(self.table.room()..) {
            Some([outside, next, ..]) => Err(TableError::Full(outside.length.wrapping_sub(next.length))),
            _ => Ok(()),
        }
    }

    /// Writes the segments that cannot be continued, and keeps the last one for what follows.
    pub(super) fn suspend(mut self, writer: &mut impl ArenaWriter) -> Result<(), TableError> {
        let segments = self.segments.get_mut(..self.used).unwrap_or_default();
        measure(segments, self.place.left);
        if let [complete @ .., last] = segments {
            self.table.write(complete, writer)?;
            self.table.last = Some(*last);
        }
        Ok(())
    }
}

/// Turns what is left where each of the segments begins into their lengths. `left` is what is left where the last one ends.
///
/// From the first to the last, as they are written next: what was stored last would have to be waited for.
#[inline(always)]
fn measure(segments: &mut [Segment], left: u64) {
    let mut segments = segments.iter_mut();
    let Some(mut segment) = segments.next() else {
        return;
    };
    for next in segments {
        segment.length = segment.length.wrapping_sub(next.length);
        segment = next;
    }
    segment.length = segment.length.wrapping_sub(left);
}

/// The address that continues a segment, or [`HOLE`] if there is none.
fn behind(segment: &Segment) -> u64 {
    match segment.address {
        HOLE => HOLE,
        address => address.checked_add(segment.length).unwrap_or(HOLE),
    }
}
