//! A buffer as a chain of MDLs sees it: spans of bytes with an offset into their first page, and the arithmetic of map registers. Pure.

/// Bytes in a page.
pub const PAGE_SIZE: u64 = 4096;

/// One MDL of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte in its page, 0 to 4095.
    pub page_offset: u64,
    /// Bytes.
    pub length: u64,
}

/// A place in a chain: an MDL and a byte offset from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Index of the MDL in the chain.
    pub span: usize,
    /// Offset into that MDL.
    pub offset: u64,
}

/// What mapping some bytes takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registers {
    /// Map registers for all of the bytes.
    pub required: u64,
    /// Bytes that the available registers can map.
    pub mappable: u64,
}

/// The bytes asked for are not in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainTooShort;

/// The spans of a chain, first MDL first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    spans: Vec<Span>,
}

impl Chain {
    /// A chain of these spans.
    #[must_use]
    pub fn new(spans: Vec<Span>) -> Self {
        Self { spans }
    }

    /// The place `bytes` after `from`. `None` when that is past the last MDL.
    #[must_use]
    pub fn advance(&self, from: Position, bytes: u64) -> Option<Position> {
        let mut place = Position {
            span: from.span,
            offset: from.offset.checked_add(bytes)?,
        };
        if bytes == 0 {
            return self.spans.get(place.span).map(|_| place);
        }
        while place.offset >= self.spans.get(place.span)?.length {
            place = Position {
                span: place.span + 1,
                offset: place.offset - self.spans[place.span].length,
            };
        }
        Some(place)
    }

    /// Map registers that `length` bytes from `from` need, counted as one per page touched, MDL by MDL.
    ///
    /// # Errors
    /// When the chain ends more than the slack that the real framework accepts before `length`.
    pub fn registers(&self, from: Position, length: u64, available: u64) -> Result<Registers, ChainTooShort> {
        let first = *self.spans.get(from.span).ok_or(ChainTooShort)?;
        let mut covered = first.length.checked_sub(from.offset).ok_or(ChainTooShort)?;
        let mut in_span = covered;
        let mut page_offset = (first.page_offset + from.offset) % PAGE_SIZE;
        let mut required = 0;
        let mut mappable = 0;
        for span in &self.spans[from.span + 1..] {
            if covered >= length {
                break;
            }
            required += pages(page_offset, in_span);
            if required <= available {
                mappable = covered;
            }
            page_offset = span.page_offset;
            in_span = span.length;
            covered += in_span;
        }
        if covered + PAGE_SIZE < length + page_offset {
            return Err(ChainTooShort);
        }
        let last = length + in_span - covered;
        required += pages(page_offset, last);
        if required <= available {
            mappable += last;
        }
        Ok(Registers { required, mappable })
    }

    /// Pages touched by `length` bytes from `from`: the worst case of elements and registers that DMA version 2 reports.
    #[must_use]
    pub fn pages_spanned(&self, from: Position, length: u64) -> u64 {
        let mut left = length;
        let mut offset = from.offset;
        let mut total = 0;
        for span in self.spans.get(from.span..).unwrap_or_default() {
            let here = span.length.saturating_sub(offset).min(left);
            if here > 0 {
                total += pages((span.page_offset + offset) % PAGE_SIZE, here);
                left -= here;
            }
            offset = offset.saturating_sub(span.length);
        }
        total
    }
}

/// Pages touched by `length` bytes that begin `page_offset` into a page.
fn pages(page_offset: u64, length: u64) -> u64 {
    (page_offset + length).div_ceil(PAGE_SIZE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chain(spans: &[(u64, u64)]) -> Chain {
        Chain::new(
            spans
                .iter()
                .map(|&(page_offset, length)| Span { page_offset, length })
                .collect(),
        )
    }

    const START: Position = Position { span: 0, offset: 0 };

    #[test]
    fn a_page_at_an_offset_takes_two_registers() {
        let buffer = chain(&[(100, 10_000)]);
        assert_eq!(
            buffer.registers(START, 4096, 16),
            Ok(Registers {
                required: 2,
                mappable: 4096
            })
        );
        assert_eq!(
            buffer.registers(Position { span: 0, offset: 8192 }, 1808, 16),
            Ok(Registers {
                required: 1,
                mappable: 1808
            })
        );
    }

    #[test]
    fn registers_stop_at_the_last_mdl_that_fits() {
        let buffer = chain(&[(0, 4096), (0, 4096), (0, 4096)]);
        assert_eq!(
            buffer.registers(START, 12_288, 2),
            Ok(Registers {
                required: 3,
                mappable: 8192
            })
        );
    }

    #[test]
    fn a_chain_that_is_much_too_short_is_refused() {
        assert_eq!(chain(&[(0, 4096)]).registers(START, 12_289, 16), Err(ChainTooShort));
    }

    #[test]
    fn advance_skips_whole_mdls() {
        let buffer = chain(&[(0, 10), (0, 10), (0, 10)]);
        assert_eq!(buffer.advance(START, 10), Some(Position { span: 1, offset: 0 }));
        assert_eq!(buffer.advance(START, 25), Some(Position { span: 2, offset: 5 }));
        assert_eq!(buffer.advance(START, 30), None);
        assert_eq!(buffer.advance(START, 0), Some(START));
    }

    fn spans() -> impl Strategy<Value = Vec<(u64, u64)>> {
        prop::collection::vec((0..PAGE_SIZE, 1..40_000_u64), 1..6)
    }

    proptest! {
        #[test]
        fn registers_are_the_pages_spanned(spans in spans(), at in 0.0..1.0_f64, part in 0.0..1.0_f64) {
            let total: u64 = spans.iter().map(|span| span.1).sum();
            let buffer = chain(&spans);
            let skip = ((total - 1) as f64 * at) as u64;
            let length = 1 + ((total - skip - 1) as f64 * part) as u64;
            let from = buffer.advance(START, skip).unwrap();
            let all = buffer.registers(from, length, u64::MAX).unwrap();
            prop_assert_eq!(all.mappable, length);
            prop_assert_eq!(all.required, buffer.pages_spanned(from, length));
        }

        #[test]
        fn what_is_called_mappable_fits(spans in spans(), available in 1..20_u64) {
            let total: u64 = spans.iter().map(|span| span.1).sum();
            let buffer = chain(&spans);
            let found = buffer.registers(START, total, available).unwrap();
            prop_assert!(found.mappable <= total);
            if found.mappable > 0 {
                prop_assert!(buffer.pages_spanned(START, found.mappable) <= available);
            }
        }

        #[test]
        fn advancing_twice_is_advancing_once(spans in spans(), a in 0..50_000_u64, b in 0..50_000_u64) {
            let buffer = chain(&spans);
            let twice = buffer.advance(START, a).and_then(|place| buffer.advance(place, b));
            if let (Some(twice), Some(once)) = (twice, buffer.advance(START, a + b)) {
                prop_assert_eq!(twice, once);
            }
        }
    }
}
