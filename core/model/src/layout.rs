//! How a block of the arena is divided.

use crate::Buffer;
use crate::bytewise::Fate;
use crate::plan::{PAGE, Part};
use crate::view::View;

/// Bytes of descriptor, bindings and each step.
const DESCRIPTOR: u64 = 64;
const BINDINGS: u64 = 64;
const STEP: u64 = 64;
/// Bytes of a segment.
const SEGMENT: u64 = 16;

pub(crate) struct Layout {
    /// Where each part is copied, if it is.
    pub(crate) places: Vec<Option<u64>>,
    /// Bytes of the block.
    pub(crate) total: u64,
}

pub(crate) fn lay_out(parts: &[Part], buffer: Buffer, steps: u64) -> Layout {
    let copies = DESCRIPTOR + BINDINGS + STEP * steps;
    let (places, copies_end) = places(parts, copies);
    let mut total = copies_end.next_multiple_of(64);
    for view in [View::Read, View::Write] {
        total += SEGMENT * segments(parts, &places, buffer, view);
        total = total.next_multiple_of(64);
    }
    Layout { places, total }
}

fn is_copied(part: &Part) -> bool {
    matches!(part.fate, Fate::CopiedIn | Fate::CopiedOut | Fate::CopiedInOut)
}

/// Places for the copies, and the end of the last. Parts that touch are copied as one; the place lies as far from a multiple of 64
/// as the bytes do in the data buffer where the first part is long, and as far from a multiple of 8 where it is short.
fn places(parts: &[Part], start: u64) -> (Vec<Option<u64>>, u64) {
    let mut places = vec![None; parts.len()];
    let (mut free, mut next) = (start, 0);
    while next < parts.len() {
        if !is_copied(&parts[next]) {
            next += 1;
            continue;
        }
        let first = next;
        while next + 1 < parts.len() && is_copied(&parts[next + 1]) && parts[next + 1].start == parts[next].end {
            next += 1;
        }
        next += 1;
        let offset = parts[first].start;
        let unit = if parts[first].end - offset >= 64 { 64 } else { 8 };
        while free % unit != offset % unit {
            free += 1;
        }
        for part in first..next {
            places[part] = Some(free);
            free += parts[part].end - parts[part].start;
        }
    }
    (places, free)
}

/// Most segments of a view: one for each page of a mapping, one for each copy that does not continue the one before, one for each hole.
fn segments(parts: &[Part], places: &[Option<u64>], buffer: Buffer, view: View) -> u64 {
    let mut count = 0;
    let mut at = 0;
    // End of the copy that ends where the next part begins.
    let mut copied_to = None;
    for (part, place) in parts.iter().zip(places).filter(|(part, _)| view.has(part.fate)) {
        if part.start > at {
            count += 1;
            copied_to = None;
        }
        match place {
            Some(place) => {
                count += u64::from(copied_to != Some(*place));
                copied_to = Some(place + part.end - part.start);
            }
            None => {
                let (start, end) = (buffer.page_offset + part.start, buffer.page_offset + part.end);
                count += end.div_ceil(PAGE) - start / PAGE;
                copied_to = None;
            }
        }
        at = part.end;
    }
    count + u64::from(at < buffer.length)
}
