//! Gives each copied piece its place in the request's block of the arena, and cuts out what is mapped.

use core::hint::select_unpredictable;
use core::ops::Range;

use crate::address::{BlockOffset, MappingIndex};
use crate::cuts::Cut;
use crate::pieces::Piece;
use crate::sweep::Sweep;

/// A piece at least this long is copied in whole cache lines.
const LINE: u32 = 64;
/// Size of the largest element, to which shorter runs are aligned.
const LARGEST_ELEMENT: u32 = 8;

/// Where no piece begins.
const NOWHERE: u32 = u32::MAX;

/// Places pieces, in ascending order, as they are listed, or as they are found further behind in the same list.
///
/// Pieces that touch in the data buffer touch in the arena, so that they are copied and described as one. The offset of such a run in the arena
/// is congruent to its offset in the data buffer: modulo 64 where the first piece has 64 bytes or more, so that cache lines are copied to cache lines; modulo 8 where it is
/// shorter, so that elements stay naturally aligned. That wastes less than the bytes copied in the one case and at most 7 bytes in the other, and takes no look at what follows.
///
/// A program has at most 65,536 steps and a data buffer of a GiB, so that no offset in the block needs more than 31 bits.
#[derive(Clone, Copy)]
pub(crate) struct Placer {
    placed: usize,
    last: Last,
}

/// What was placed last.
#[derive(Clone, Copy)]
struct Last {
    /// The first byte of the block behind it.
    free: u32,
    /// Where a piece begins that is copied and continues the run.
    end: u32,
}

/// What becomes of pieces that are copied while they are listed.
pub(crate) trait Placing: Copy {
    /// Deals with a piece; what is returned deals with the next one.
    fn with(self, piece: &mut Piece) -> Self;
}

/// They are placed later, because ranges in front of them are mapped.
#[derive(Clone, Copy)]
pub(crate) struct Later;

impl Placing for Later {
    #[inline(always)]
    fn with(self, _: &mut Piece) -> Self {
        self
    }
}

impl Placing for Last {
    /// Places it. How long pieces are and which touch has no pattern, so there is no branch on it.
    #[inline(always)]
    fn with(self, piece: &mut Piece) -> Self {
        let unit = select_unpredictable(piece.length() >= LINE, LINE, LARGEST_ELEMENT);
        let skipped = piece.start().wrapping_sub(self.free) & unit.wrapping_sub(1);
        let skipped = select_unpredictable(piece.start() == self.end, 0, skipped);
        let place = self.free.wrapping_add(skipped);
        piece.put(place);
        Self {
            free: place.wrapping_add(piece.length()),
            end: piece.end(),
        }
    }
}

impl Placer {
    /// Places pieces from `start` on, a multiple of 64. None have been placed.
    pub(crate) fn new(start: BlockOffset) -> Self {
        let last = Last {
            free: start.0 as u32,
            end: NOWHERE,
        };
        Self { placed: 0, last }
    }

    /// Lists the next ranges in these places, which begin behind the pieces that are placed, and places them, as if none of them were mapped; returns how many they are.
    pub(crate) fn list(&mut self, ranges: &mut Sweep<'_>, places: &mut [Piece]) -> usize {
        let count = ranges.list(places, &mut self.last);
        self.placed = self.placed.saturating_add(count);
        count
    }

    /// How many are placed.
    pub(crate) const fn placed(&self) -> usize {
        self.placed
    }

    /// Places those of `pieces` that are `listed`, with `cuts`, which ascend, cut out of some of them. In front of those that are listed there is room for as many pieces as cuts can add.
    pub(crate) fn place(mut self, pieces: &mut [Piece], listed: Range<usize>, cuts: &[Cut]) -> Placed {
        let mut next = listed.start;
        for (index, cut) in (0..).map(MappingIndex).zip(cuts) {
            let number = cut.chosen.number as usize;
            self.copy(pieces, next..number);
            self.cut(pieces, cut.parts(index));
            next = number.saturating_add(1);
        }
        self.copy(pieces, next..listed.end);
        Placed {
            pieces: self.placed,
            end: BlockOffset(self.last.free.into()),
        }
    }

    /// Places pieces that are copied.
    ///
    /// A function of its own even in an optimised build, so that what it needs finds room in registers.
    #[inline(never)]
    fn copy(&mut self, pieces: &mut [Piece], listed: Range<usize>) {
        // What a local variable has need not be written to memory each time.
        let (mut last, mut placed) = (self.last, self.placed);
        for number in listed {
            let Some(mut piece) = pieces.get(number).copied() else {
                break;
            };
            last = last.with(&mut piece);
            if let Some(place) = pieces.get_mut(placed) {
                *place = piece;
            }
            placed = placed.wrapping_add(1);
        }
        (self.last, self.placed) = (last, placed);
    }

    /// Places the parts of a piece, one of which is mapped.
    fn cut(&mut self, pieces: &mut [Piece], parts: impl Iterator<Item = Piece>) {
        for mut part in parts {
            if part.is_copied() {
                self.last = self.last.with(&mut part);
            } else {
                self.last.end = NOWHERE;
            }
            if let Some(place) = pieces.get_mut(self.placed) {
                *place = part;
            }
            self.placed = self.placed.saturating_add(1);
        }
    }
}

/// Where all pieces are.
pub(crate) struct Placed {
    /// How many there are.
    pub(crate) pieces: usize,
    /// The first byte of the block behind the copies.
    pub(crate) end: BlockOffset,
}
