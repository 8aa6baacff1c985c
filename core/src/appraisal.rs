//! Says of each range what of it could be mapped, and whether that pays.

use crate::check::BufferShape;
use crate::cost::Costs;
use crate::intervals::Interval;
use crate::limits::Limits;
use crate::pieces::{Piece, Why};

/// Appraises the ranges of one data buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Appraiser {
    page_offset: u32,
    /// For each access, the bits of an address that are clear at both ends of what is mapped.
    clear: [u32; 4],
    costs: Costs,
}

/// Cache lines that are so large are none that a data buffer has. Nor has it a byte there, counted from the start of its first page.
const LARGEST_LINE: u64 = 1 << 31;

impl Appraiser {
    pub(crate) fn new(shape: BufferShape, limits: &Limits) -> Self {
        let line = limits.line().min(LARGEST_LINE).wrapping_sub(1) as u32;
        let mut clear = [0; 4];
        let [_, read, write, both] = &mut clear;
        // What the device only reads can be mapped wherever it lies, what it only writes by whole lines, and what it reads and writes not at all.
        (*read, *write, *both) = (0, line, LARGEST_LINE.wrapping_sub(1) as u32);
        Self {
            page_offset: shape.page_offset,
            clear,
            costs: limits.costs,
        }
    }

    /// The part of a range that could be mapped; may be nothing.
    ///
    /// An offset in the data buffer has 31 bits, and as many when it is counted from the start of its first page; so nothing wraps.
    pub(crate) fn body(&self, piece: &Piece) -> Interval {
        let interval = piece.interval();
        let clear = self.clear.get(piece.access_bits()).copied().unwrap_or(u32::MAX);
        let (start, end) = (self.in_memory(interval.start()), self.in_memory(interval.end()));
        let first = start.wrapping_add(clear) & !clear;
        let length = (end & !clear).saturating_sub(first);
        let start = first.wrapping_sub(self.page_offset);
        Interval::new(start, start.wrapping_add(length))
    }

    /// Whether it is cheaper to map the part of a range that could be mapped than to copy it.
    pub(crate) fn pays(&self, piece: &Piece) -> bool {
        let body = self.body(piece);
        !body.is_empty() && self.costs.pays(piece.interval(), body, self.page_offset)
    }

    /// Why a range is copied that was not chosen.
    pub(crate) fn why(&self, piece: &Piece) -> Why {
        if piece.is_read() && piece.is_written() {
            Why::ReadAndWritten
        } else if self.body(piece).is_empty() {
            Why::PartialLine
        } else if self.pays(piece) {
            Why::TooManyMappings
        } else {
            Why::CheaperToCopy
        }
    }

    /// Bytes from the start of the first page of memory.
    const fn in_memory(&self, offset: u32) -> u32 {
        self.page_offset.wrapping_add(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::Access;
    use proptest::prelude::*;

    /// The whole lines within a range, found by going through its bytes.
    fn lines(start: u32, end: u32, page_offset: u32, line: u32) -> Option<(u32, u32)> {
        let whole = |first: u32| (first + page_offset).is_multiple_of(line) && first + line <= end;
        let first = (start..end).find(|byte| whole(*byte))?;
        let last = (start..end).rev().find(|byte| whole(*byte))?;
        Some((first, last + line))
    }

    proptest! {
        #[test]
        fn an_appraisal_is_what_costs_and_lines_say(
            (start, length) in (0_u32..9000, 1_u32..6000), page_offset in 0_u32..4096, line in 0_u32..8, access in 0_usize..3,
            (mapping, page) in (0_u32..1000, 0_u32..200)
        ) {
            let (costs, line) = (Costs { mapping, page }, 1 << line);
            let access = [Access::READ, Access::WRITE, Access::READ_AND_WRITE][access];
            let limits = Limits { costs, dma_alignment: line, ..Limits::default() };
            let whole = Interval::new(start, start + length);
            let appraiser = Appraiser::new(BufferShape { length: 1 << 20, page_offset }, &limits);
            let piece = Piece::copied(whole, access);
            let body = match access {
                Access::READ => Some((start, start + length)),
                Access::WRITE => lines(start, start + length, page_offset, line),
                _ => None,
            };
            let found = appraiser.body(&piece);
            match body {
                None => {
                    prop_assert!(found.is_empty() && !appraiser.pays(&piece));
                    let both = access == Access::READ_AND_WRITE;
                    prop_assert_eq!(appraiser.why(&piece), if both { Why::ReadAndWritten } else { Why::PartialLine });
                }
                Some((from, to)) => {
                    let body = Interval::new(from, to);
                    let pays = costs.split(whole, body, page_offset) < costs.copy(whole, page_offset);
                    prop_assert_eq!((found, appraiser.pays(&piece)), (body, pays));
                    prop_assert_eq!(appraiser.why(&piece), if pays { Why::TooManyMappings } else { Why::CheaperToCopy });
                }
            }
        }
    }

    #[test]
    fn a_buffer_has_no_line_that_is_larger() {
        for dma_alignment in [1 << 30, 1 << 31, u32::MAX] {
            let limits = Limits {
                dma_alignment,
                ..Limits::default()
            };
            let shape = BufferShape {
                length: 1 << 30,
                page_offset: 4095,
            };
            for page_offset in [0, 4095] {
                let appraiser = Appraiser::new(BufferShape { page_offset, ..shape }, &limits);
                let all = Piece::copied(Interval::new(0, 1 << 30), Access::WRITE);
                let fits = page_offset == 0 && dma_alignment == 1 << 30;
                assert_eq!(
                    !appraiser.body(&all).is_empty(),
                    fits,
                    "{dma_alignment} at {page_offset}"
                );
            }
        }
    }
}
