//! The pieces into which a plan cuts the data buffer.

use core::iter::Peekable;
use core::slice;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::address::{BlockOffset, DataRange, MappingIndex};
use crate::intervals::Interval;
use crate::sweep::Access;

/// How the device gets at the bytes of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Route {
    /// It reads them through a DMA mapping.
    ToDevice(MappingIndex),
    /// It writes them through a DMA mapping.
    FromDevice(MappingIndex),
    /// It reads a copy in the request's block of the arena, made before the run.
    CopyIn(BlockOffset),
    /// It writes to the request's block of the arena, from where they are copied after the run.
    CopyOut(BlockOffset),
    /// It reads and writes a copy in the request's block of the arena, made before the run and copied back after it.
    CopyInOut(BlockOffset),
}

/// Why a piece takes its route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Why {
    /// The program only reads it.
    OnlyRead = 0,
    /// The program only writes it, all of it.
    OnlyWritten = 1,
    /// The program reads it and writes it.
    ReadAndWritten = 2,
    /// It shares a cache line with bytes that the program does not write.
    PartialLine = 3,
    /// As many larger pieces are mapped in its direction as can be.
    TooManyMappings = 4,
    /// Larger pieces of its direction, or the part in front of it, take all map registers.
    TooFewRegisters = 5,
    /// Copying it costs less than a mapping.
    CheaperToCopy = 6,
}

impl Why {
    /// The reason as a phrase for messages.
    pub const fn text(self) -> &'static str {
        match self {
            Self::OnlyRead => "only read",
            Self::OnlyWritten => "only written, and completely",
            Self::ReadAndWritten => "read and written",
            Self::PartialLine => "only part of a cache line is written",
            Self::TooManyMappings => "larger ranges took all mappings",
            Self::TooFewRegisters => "no map registers are left for it",
            Self::CheaperToCopy => "copying it costs less than a mapping",
        }
    }

    const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::OnlyRead,
            1 => Self::OnlyWritten,
            2 => Self::ReadAndWritten,
            3 => Self::PartialLine,
            4 => Self::TooManyMappings,
            5 => Self::TooFewRegisters,
            6 => Self::CheaperToCopy,
            _ => return None,
        })
    }
}

/// Instead of a reason: the bytes are copied because nothing else was chosen.
const NOT_CHOSEN: u8 = u8::MAX;

/// Bit of a kind: the bytes are copied. The bits below are those of [`Access`].
const COPIED: u8 = 4;
const TO_DEVICE: u8 = Access::READ.bits();
const FROM_DEVICE: u8 = Access::WRITE.bits();
const COPY_IN: u8 = COPIED | Access::READ.bits();
const COPY_OUT: u8 = COPIED | Access::WRITE.bits();
const COPY_IN_OUT: u8 = COPIED | Access::READ_AND_WRITE.bits();

/// A run of bytes of the data buffer that take the same route for the same reason. Any 16 bytes are a valid value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C, align(8))]
pub struct Piece {
    offset: u32,
    length: u32,
    /// Index of the mapping, or offset in the request's block of the arena.
    place: u32,
    kind: u8,
    why: u8,
    reserved: [u8; 2],
}

/// What is read and written is sorted where the pieces will be.
const _: () =
    assert!(size_of::<Piece>().is_multiple_of(size_of::<Interval>()) && align_of::<Piece>() == align_of::<Interval>());

impl Piece {
    pub(crate) fn new(interval: Interval, route: Route, why: Why) -> Self {
        let (kind, place) = match route {
            Route::ToDevice(mapping) => (TO_DEVICE, mapping.0.into()),
            Route::FromDevice(mapping) => (FROM_DEVICE, mapping.0.into()),
            Route::CopyIn(block) => (COPY_IN, narrow(block)),
            Route::CopyOut(block) => (COPY_OUT, narrow(block)),
            Route::CopyInOut(block) => (COPY_IN_OUT, narrow(block)),
        };
        Self {
            offset: interval.start(),
            length: interval.length(),
            place,
            kind,
            why: why as u8,
            reserved: [0; 2],
        }
    }

    /// Bytes that are copied, and have no place yet.
    #[inline(always)]
    pub(crate) const fn copied(interval: Interval, access: Access) -> Self {
        let length = interval.end().wrapping_sub(interval.start());
        let kind_and_why = u32::from_le_bytes([COPIED | access.bits(), NOT_CHOSEN, 0, 0]);
        zerocopy::transmute!([interval.start(), length, 0, kind_and_why])
    }

    /// Offset of the first byte.
    #[inline(always)]
    pub(crate) const fn start(&self) -> u32 {
        self.offset
    }

    /// Offset of the first byte behind.
    #[inline(always)]
    pub(crate) const fn end(&self) -> u32 {
        self.offset.wrapping_add(self.length)
    }

    /// Bytes.
    #[inline(always)]
    pub(crate) const fn length(&self) -> u32 {
        self.length
    }

    /// The bytes of the data buffer, as an interval.
    pub(crate) const fn interval(&self) -> Interval {
        Interval::new(self.offset, self.offset.wrapping_add(self.length))
    }

    /// The bytes of the data buffer.
    pub const fn range(&self) -> DataRange {
        DataRange {
            offset: self.offset as u64,
            length: self.length as u64,
        }
    }

    /// How the device gets at them.
    pub const fn route(&self) -> Route {
        let mapping = MappingIndex(self.place as u8);
        let block = BlockOffset(self.place as u64);
        match self.kind {
            TO_DEVICE => Route::ToDevice(mapping),
            FROM_DEVICE => Route::FromDevice(mapping),
            COPY_IN => Route::CopyIn(block),
            COPY_OUT => Route::CopyOut(block),
            _ => Route::CopyInOut(block),
        }
    }

    /// Changes the reason.
    pub(crate) fn explain(&mut self, why: Why) {
        self.why = why as u8;
    }

    /// Why it was decided so; of a range that is copied because nothing else was chosen, [`Plan::why`](crate::Plan::why) knows.
    pub(crate) const fn why(&self) -> Option<Why> {
        Why::from_byte(self.why)
    }

    /// How the device accesses them, as bits.
    #[inline(always)]
    pub(crate) const fn access_bits(&self) -> usize {
        (self.kind & Access::READ_AND_WRITE.bits()) as usize
    }

    /// Whether the bytes are copied.
    pub(crate) const fn is_copied(&self) -> bool {
        self.kind & COPIED != 0
    }

    /// Whether the device writes them, or reads them and writes them.
    pub(crate) const fn is_written(&self) -> bool {
        self.kind & Access::WRITE.bits() != 0
    }

    /// Whether the device reads them, or reads them and writes them.
    pub(crate) const fn is_read(&self) -> bool {
        self.kind & Access::READ.bits() != 0
    }

    /// Puts the copy of the bytes at an offset in the block.
    #[inline(always)]
    pub(crate) const fn put(&mut self, place: u32) {
        self.place = place;
    }
}

/// The offset in 32 bits, which no copy needs more than.
fn narrow(block: BlockOffset) -> u32 {
    u32::try_from(block.0).unwrap_or(u32::MAX)
}

/// The pieces of a plan, which ascend and are disjoint.
#[derive(Clone, Copy, Debug)]
pub struct Pieces<'a>(pub &'a [Piece]);

/// Bytes to copy between the data buffer and the request's block of the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyRun {
    /// Where they are in the data buffer.
    pub data: DataRange,
    /// Where they are in the block.
    pub block: BlockOffset,
}

impl<'a> Pieces<'a> {
    /// All pieces.
    pub fn iter(self) -> slice::Iter<'a, Piece> {
        self.0.iter()
    }

    /// What is copied into the arena before the run, in the longest runs.
    pub fn copied_in(self) -> impl Iterator<Item = CopyRun> + use<'a> {
        CopyRuns {
            pieces: self.0.iter().peekable(),
            place: |piece| match piece.route() {
                Route::CopyIn(block) | Route::CopyInOut(block) => Some(block),
                _ => None,
            },
        }
    }

    /// What is copied out of the arena after a run that succeeded, in the longest runs.
    pub fn copied_out(self) -> impl Iterator<Item = CopyRun> + use<'a> {
        CopyRuns {
            pieces: self.0.iter().peekable(),
            place: |piece| match piece.route() {
                Route::CopyOut(block) | Route::CopyInOut(block) => Some(block),
                _ => None,
            },
        }
    }

    /// What has to be zeroed after a run that failed: the device may have left part of a mapping from the device unwritten, and stale
    /// memory there must not reach the user.
    pub fn zero_ranges(self) -> impl Iterator<Item = DataRange> + use<'a> {
        let from_device = |piece: &&Piece| matches!(piece.route(), Route::FromDevice(_));
        self.0.iter().filter(from_device).map(Piece::range)
    }
}

/// Joins neighbouring pieces that are copied in the same direction and lie together in the arena as well.
struct CopyRuns<'a> {
    pieces: Peekable<slice::Iter<'a, Piece>>,
    place: fn(&Piece) -> Option<BlockOffset>,
}

impl Iterator for CopyRuns<'_> {
    type Item = CopyRun;

    fn next(&mut self) -> Option<CopyRun> {
        let place = self.place;
        let mut run = self.pieces.by_ref().find_map(|piece| {
            Some(CopyRun {
                data: piece.range(),
                block: place(piece)?,
            })
        })?;
        while let Some(next) = self.pieces.next_if(|piece| continues(&run, piece, place)) {
            run.data.length = run.data.length.saturating_add(next.range().length);
        }
        Some(run)
    }
}

fn continues(run: &CopyRun, piece: &Piece, place: fn(&Piece) -> Option<BlockOffset>) -> bool {
    piece.range().offset == run.data.end() && place(piece) == Some(run.block.plus(run.data.length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn piece(start: u32, end: u32, route: Route) -> Piece {
        Piece::new(Interval::new(start, end), route, Why::PartialLine)
    }

    #[test]
    fn a_piece_keeps_its_route_and_reason() {
        let routes = [
            Route::ToDevice(MappingIndex(15)),
            Route::FromDevice(MappingIndex(3)),
            Route::CopyIn(BlockOffset(1)),
            Route::CopyOut(BlockOffset(64)),
            Route::CopyInOut(BlockOffset(0xFFFF_FFFF)),
            Route::CopyIn(BlockOffset(2)),
            Route::CopyOut(BlockOffset(3)),
        ];
        let reasons = [
            Why::OnlyRead,
            Why::OnlyWritten,
            Why::ReadAndWritten,
            Why::PartialLine,
            Why::TooManyMappings,
            Why::TooFewRegisters,
            Why::CheaperToCopy,
        ];
        assert_eq!(routes.len(), reasons.len());
        for (route, why) in routes.into_iter().zip(reasons) {
            let piece = Piece::new(Interval::new(5, 9), route, why);
            assert_eq!((piece.route(), piece.why()), (route, Some(why)));
            assert_eq!(piece.range(), DataRange { offset: 5, length: 4 });
        }
        assert_eq!(size_of::<Piece>(), 16);
    }

    #[test]
    fn copies_are_joined_where_both_sides_are_adjacent() {
        let pieces = [
            piece(0, 8, Route::CopyIn(BlockOffset(128))),
            piece(8, 16, Route::CopyInOut(BlockOffset(136))),
            piece(16, 24, Route::CopyOut(BlockOffset(144))),
            piece(24, 64, Route::ToDevice(MappingIndex(0))),
            piece(64, 128, Route::FromDevice(MappingIndex(1))),
            piece(130, 131, Route::CopyOut(BlockOffset(160))),
            piece(132, 133, Route::CopyOut(BlockOffset(161))),
        ];
        let run = |offset, length, block| CopyRun {
            data: DataRange { offset, length },
            block: BlockOffset(block),
        };
        assert_eq!(Pieces(&pieces).copied_in().collect::<Vec<_>>(), [run(0, 16, 128)]);
        assert_eq!(
            Pieces(&pieces).copied_out().collect::<Vec<_>>(),
            [run(8, 16, 136), run(130, 1, 160), run(132, 1, 161)]
        );
        assert_eq!(
            Pieces(&pieces).zero_ranges().collect::<Vec<_>>(),
            [DataRange { offset: 64, length: 64 }]
        );
    }
}
