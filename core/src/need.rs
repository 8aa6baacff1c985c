//! Counts the most segments that the two views of a plan can need, so that a block is carved before anything is mapped.

use crate::check::BufferShape;
use crate::cost::pages;
use crate::pieces::Piece;

/// Counts segments, piece by piece. A mapping can have one for each page that it lies in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Need {
    shape: BufferShape,
    /// End of the last piece.
    at: u32,
    read: Count,
    write: Count,
}

impl Need {
    pub(crate) const fn new(shape: BufferShape) -> Self {
        Self {
            shape,
            at: 0,
            read: Count::ZERO,
            write: Count::ZERO,
        }
    }

    /// Adds the next piece, which has been placed.
    pub(crate) fn add(&mut self, piece: &Piece) {
        if piece.is_copied() {
            return self.add_copied(piece);
        }
        self.go_to(piece);
        let pages = pages(piece.interval(), self.shape.page_offset);
        let views = [(&mut self.read, piece.is_read()), (&mut self.write, piece.is_written())];
        for (view, accessed) in views {
            if accessed {
                view.mapping(pages);
            } else {
                view.hole(u32::MAX);
            }
        }
    }

    /// Adds the next piece, which is copied.
    ///
    /// Which pieces are read and which touch has no pattern, so there is no branch on it: a mask makes of an offset the one that is behind a hole.
    #[inline(always)]
    pub(crate) fn add_copied(&mut self, piece: &Piece) {
        self.go_to(piece);
        let start = piece.place();
        let end = start.wrapping_add(piece.length());
        let (no_read, no_write) = (!all_bits_if(piece.is_read()), !all_bits_if(piece.is_written()));
        self.read.add(start | no_read, end | no_read);
        self.write.add(start | no_write, end | no_write);
    }

    /// Adds a hole in front of a piece if there is one.
    #[inline(always)]
    fn go_to(&mut self, piece: &Piece) {
        let gap = all_bits_if(piece.start() != self.at);
        self.at = piece.end();
        self.read.hole(gap);
        self.write.hole(gap);
    }

    /// Most segments of the read view and of the write view, when all pieces have been added.
    pub(crate) fn segments(self) -> [u32; 2] {
        [self.read, self.write].map(|mut view| {
            view.hole(all_bits_if(u64::from(self.at) < self.shape.length));
            view.segments
        })
    }
}

/// Segments of a view. There are at most two for each piece, and one for each page; so nothing wraps.
#[derive(Clone, Copy, Debug)]
struct Count {
    segments: u32,
    /// What continues the last segment: the offset in the block at which it ends, or one of the two below.
    end: u32,
}

/// Behind a hole, which another continues. No block is so long. All bits.
const BEHIND_HOLE: u32 = u32::MAX;
/// At the start and behind a mapping: nothing is continued.
const BEHIND_MAPPING: u32 = u32::MAX - 1;

impl Count {
    const ZERO: Self = Self {
        segments: 0,
        end: BEHIND_MAPPING,
    };

    /// Adds a segment, unless it continues the one before.
    #[inline(always)]
    fn add(&mut self, start: u32, end: u32) {
        self.segments = self.segments.wrapping_add(u32::from(self.end != start));
        self.end = end;
    }

    /// Adds a hole if the mask has all bits, and nothing if it has none.
    #[inline(always)]
    fn hole(&mut self, mask: u32) {
        let new = u32::from(self.end != BEHIND_HOLE) & mask;
        self.segments = self.segments.wrapping_add(new);
        self.end |= mask;
    }

    fn mapping(&mut self, pages: u64) {
        self.segments = self.segments.wrapping_add(pages as u32);
        self.end = BEHIND_MAPPING;
    }
}

/// A mask.
#[inline(always)]
const fn all_bits_if(condition: bool) -> u32 {
    (condition as u32).wrapping_neg()
}
