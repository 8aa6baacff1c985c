//! What the device is told of one direction of the data buffer.

use crate::bytewise::Fate;
use crate::plan::{Part, Planned};

/// Address of a segment that the device cannot reach.
pub const HOLE: u64 = u64::MAX;

/// One of the two directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// What the device reads.
    Read,
    /// What the device writes.
    Write,
}

impl View {
    pub(crate) fn has(self, fate: Fate) -> bool {
        match self {
            Self::Read => matches!(fate, Fate::ToDevice | Fate::CopiedIn | Fate::CopiedInOut),
            Self::Write => matches!(fate, Fate::FromDevice | Fate::CopiedOut | Fate::CopiedInOut),
        }
    }
}

/// A segment, or an element of a scatter-gather list: address and length.
pub type Segment = (u64, u64);

/// The segments of a view of `length` bytes in all, joined where they can be. `block` is the address of the block of the arena; `elements` tells
/// where the bytes of a mapping are.
pub fn segments(
    view: View,
    planned: &Planned,
    length: u64,
    block: u64,
    mut elements: impl FnMut(&Part) -> Vec<Segment>,
) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut at = 0;
    let parts = planned.parts.iter().zip(&planned.places);
    for (part, place) in parts.filter(|(part, _)| view.has(part.fate)) {
        segments.push((HOLE, part.start - at));
        match place {
            Some(place) => segments.push((block + place, part.end - part.start)),
            None => segments.extend(elements(part)),
        }
        at = part.end;
    }
    segments.push((HOLE, length - at));
    joined(segments)
}

/// Joins what follows each other, and drops what is empty.
fn joined(segments: Vec<Segment>) -> Vec<Segment> {
    let mut joined: Vec<Segment> = Vec::new();
    for (address, length) in segments.into_iter().filter(|(_, length)| *length > 0) {
        match joined.last_mut() {
            Some(last) if last.0 == HOLE && address == HOLE => last.1 += length,
            Some(last) if last.0 != HOLE && address != HOLE && last.0.checked_add(last.1) == Some(address) => {
                last.1 += length;
            }
            _ => joined.push((address, length)),
        }
    }
    joined
}

/// Whether the elements of a mapping are right: none is empty, none reaches behind the mapping or beyond `highest`, and together they are the mapping.
pub fn is_complete(elements: &[Segment], part: &Part, highest: u64) -> bool {
    let mut left = part.end - part.start;
    for (address, length) in elements {
        let last = address.checked_add(length.saturating_sub(1));
        let reachable = last.is_some_and(|last| last <= highest && last != HOLE);
        if *length == 0 || *length > left || !reachable {
            return false;
        }
        left -= length;
    }
    left == 0
}
