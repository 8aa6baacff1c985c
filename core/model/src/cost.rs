//! What a plan costs.

use std::ops::Range;

use crate::bytewise::Fate;
use crate::plan::{PAGE, Part};
use crate::{Buffer, Limits};

/// What the parts of a plan cost together, in bytes copied.
///
/// A mapping costs as such and for its pages; bytes that are copied as one cost themselves and their pages, twice if they are copied both ways.
pub fn cost(parts: &[Part], buffer: Buffer, limits: &Limits) -> u64 {
    let copied = |fate| matches!(fate, Fate::CopiedIn | Fate::CopiedOut);
    let joined = |part: &Part, next: &Part| part.end == next.start && part.fate == next.fate && copied(part.fate);
    let costs = parts.chunk_by(joined).map(|run| {
        let range = run[0].start..run[run.len() - 1].end;
        match run[0].fate {
            Fate::Untouched => 0,
            Fate::ToDevice | Fate::FromDevice => mapped(range, buffer, limits),
            Fate::CopiedIn | Fate::CopiedOut => copy(range, buffer, limits),
            Fate::CopiedInOut => 2 * copy(range, buffer, limits),
        }
    });
    costs.sum()
}

/// Whether it costs less to map `body` and to copy the rest of `whole` than to copy all of it.
pub(crate) fn is_cheaper_mapped(whole: Range<u64>, body: Range<u64>, buffer: Buffer, limits: &Limits) -> bool {
    let edges = copy(whole.start..body.start, buffer, limits) + copy(body.end..whole.end, buffer, limits);
    edges + mapped(body, buffer, limits) < copy(whole, buffer, limits)
}

fn mapped(range: Range<u64>, buffer: Buffer, limits: &Limits) -> u64 {
    if range.is_empty() {
        return 0;
    }
    limits.mapping_cost + limits.page_cost * pages(&range, buffer)
}

fn copy(range: Range<u64>, buffer: Buffer, limits: &Limits) -> u64 {
    range.end - range.start + limits.page_cost * pages(&range, buffer)
}

/// Pages of memory that a range touches.
fn pages(range: &Range<u64>, buffer: Buffer) -> u64 {
    if range.is_empty() {
        return 0;
    }
    let (start, end) = (buffer.page_offset + range.start, buffer.page_offset + range.end);
    end.div_ceil(PAGE) - start / PAGE
}
