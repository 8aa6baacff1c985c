//! Gives each copied piece its place in the request's block of the arena.

use crate::address::BlockOffset;
use crate::pieces::Piece;

/// A run at least this long is copied in whole cache lines.
const LINE: u64 = 64;
/// Size of the largest element, to which shorter runs are aligned.
const LARGEST_ELEMENT: u64 = 8;

/// Places all copied pieces from `start`, a multiple of 64, on; returns the first offset behind them. `each` sees all pieces, in order, when they have been placed.
///
/// Pieces that touch in the data buffer touch in the arena, so that they are copied and described as one. The offset of a run in the arena
/// is congruent to its offset in the data buffer, modulo 64 for runs of 64 bytes and more, modulo 8 for shorter ones: elements stay
/// naturally aligned, and the copies of one step's operands cost no shifting. That wastes less than the bytes copied for long runs and
/// 7 bytes for each short one.
pub(crate) fn place(pieces: &mut [Piece], start: BlockOffset, mut each: impl FnMut(&Piece)) -> BlockOffset {
    let mut free = start;
    for run in pieces.chunk_by_mut(continues) {
        let Some(first) = run.first().filter(|first| first.is_copied()) else {
            run.iter().for_each(&mut each);
            continue;
        };
        let offset = first.range().offset;
        let length = run
            .iter()
            .map(|piece| piece.range().length)
            .fold(0, u64::saturating_add);
        let unit = if length >= LINE { LINE } else { LARGEST_ELEMENT };
        free = free.plus(offset.wrapping_sub(free.0) & unit.saturating_sub(1));
        for piece in run {
            piece.put(free);
            free = free.plus(piece.range().length);
            each(piece);
        }
    }
    free
}

fn continues(piece: &Piece, next: &Piece) -> bool {
    piece.is_copied() && next.is_copied() && piece.range().end() == next.range().offset
}
