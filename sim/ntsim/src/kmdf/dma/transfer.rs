//! How a transaction walks its buffer: one fragment after the other, each as long as the limits allow. Pure.

use super::chain::{Chain, ChainTooShort, Position};

/// What one fragment may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes.
    pub fragment: u64,
    /// Map registers of the adapter.
    pub registers: u64,
    /// Scatter-gather elements that the device can take.
    pub elements: u64,
    /// Whether all bytes go in one fragment, whatever it takes.
    pub whole: Whole,
}

/// Whether a transaction may be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    /// Fragments as the limits say.
    MayBeSplit,
    /// One transfer, which Initialize has already checked.
    SingleTransfer,
}

/// The bytes of one fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Where it begins.
    pub at: Position,
    /// Bytes.
    pub length: u64,
}

/// Why no fragment could be staged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageError {
    /// The buffer ends before the transaction does.
    ChainTooShort,
    /// More elements than the device can take.
    TooFragmented,
}

impl From<ChainTooShort> for StageError {
    fn from(ChainTooShort: ChainTooShort) -> Self {
        Self::ChainTooShort
    }
}

/// What the driver reports about the current fragment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// All of it was moved.
    Full,
    /// This many bytes were moved; the rest is wanted.
    Partial(u64),
    /// This many bytes were moved; the rest is given up.
    Final(u64),
}

/// What a report leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Bytes remain: stage the next fragment.
    Remaining,
    /// The transaction is over.
    Over,
}

/// More bytes were reported than the fragment has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportTooLong;

/// The progress of one execution of a transaction.
#[derive(Clone, Debug)]
pub struct Transfer {
    chain: Chain,
    start: Position,
    total: u64,
    current: Fragment,
    remaining: u64,
    transferred: u64,
}

impl Transfer {
    /// A transaction of `total` bytes from `start`.
    #[must_use]
    pub fn new(chain: Chain, start: Position, total: u64) -> Self {
        let current = Fragment { at: start, length: 0 };
        Self {
            chain,
            start,
            total,
            current,
            remaining: total,
            transferred: 0,
        }
    }

    /// Bytes of the whole transaction.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Bytes of the fragments reported so far.
    #[must_use]
    pub const fn transferred(&self) -> u64 {
        self.transferred
    }

    /// The fragment staged last.
    #[must_use]
    pub const fn current(&self) -> Fragment {
        self.current
    }

    /// Pages that the whole transaction touches.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.chain.pages_spanned(self.start, self.total)
    }

    /// Checks each fragment against the limits, as Initialize does.
    ///
    /// # Errors
    /// When some fragment cannot be staged.
    pub fn check(&self, limits: &Limits) -> Result<(), StageError> {
        if limits.whole == Whole::SingleTransfer {
            return Ok(());
        }
        let mut at = self.start;
        let mut left = self.total;
        let mut length = 0;
        while left > 0 {
            at = self.chain.advance(at, length).ok_or(StageError::ChainTooShort)?;
            length = left.min(limits.fragment);
            if self.chain.registers(at, length, limits.registers)?.required > limits.elements {
                return Err(StageError::TooFragmented);
            }
            left -= length;
        }
        Ok(())
    }

    /// Takes the next fragment. The fragment after a partial report begins where the report ended.
    ///
    /// # Errors
    /// When it cannot be mapped within the limits.
    pub fn stage(&mut self, limits: &Limits) -> Result<Fragment, StageError> {
        let at = self
            .chain
            .advance(self.current.at, self.current.length)
            .ok_or(StageError::ChainTooShort)?;
        let mut length = self.remaining.min(limits.fragment);
        self.current = Fragment { at, length };
        if limits.whole == Whole::MayBeSplit {
            let registers = self.chain.registers(at, length, limits.registers)?;
            length = registers.mappable;
            self.current.length = length;
            if registers.required > limits.elements {
                return Err(StageError::TooFragmented);
            }
        }
        self.remaining -= length;
        Ok(self.current)
    }

    /// Gives the staged fragment back: it could not be mapped.
    pub fn unstage(&mut self) {
        self.remaining += self.current.length;
    }

    /// Accounts for a report on the current fragment.
    ///
    /// # Errors
    /// When the report is longer than the fragment.
    pub fn report(&mut self, report: Report) -> Result<Progress, ReportTooLong> {
        match report {
            Report::Full => self.transferred += self.current.length,
            Report::Partial(moved) | Report::Final(moved) => {
                let rest = self.current.length.checked_sub(moved).ok_or(ReportTooLong)?;
                self.transferred += moved;
                self.remaining += rest;
                self.current.length = moved;
            }
        }
        let over = self.remaining == 0 || matches!(report, Report::Final(_));
        Ok(if over { Progress::Over } else { Progress::Remaining })
    }

    /// Whether bytes remain that no fragment covers.
    #[must_use]
    pub const fn has_remaining(&self) -> bool {
        self.remaining > 0
    }

    /// Forgets the current fragment's length: the transaction is over.
    pub fn finish(&mut self) {
        self.current.length = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::super::chain::Span;
    use super::*;
    use proptest::prelude::*;

    const START: Position = Position { span: 0, offset: 0 };

    fn limits(fragment: u64) -> Limits {
        Limits {
            fragment,
            registers: fragment / 4096 + 1,
            elements: u64::from(u32::MAX),
            whole: Whole::MayBeSplit,
        }
    }

    fn transfer(page_offset: u64, length: u64) -> Transfer {
        Transfer::new(Chain::new(vec![Span { page_offset, length }]), START, length)
    }

    #[test]
    fn fragments_are_cut_by_bytes_not_by_pages() {
        let mut walk = transfer(100, 10_000);
        let limits = limits(4096);
        let mut seen = Vec::new();
        loop {
            let fragment = walk.stage(&limits).unwrap();
            seen.push((fragment.at.offset, fragment.length));
            if walk.report(Report::Full) == Ok(Progress::Over) {
                break;
            }
        }
        assert_eq!(seen, [(0, 4096), (4096, 4096), (8192, 1808)]);
        assert_eq!(walk.transferred(), 10_000);
    }

    #[test]
    fn a_partial_report_leaves_the_whole_remainder_to_the_next_fragment() {
        let mut walk = transfer(0, 4096);
        let limits = limits(1 << 20);
        walk.stage(&limits).unwrap();
        assert_eq!(walk.report(Report::Partial(100)), Ok(Progress::Remaining));
        assert_eq!(
            walk.stage(&limits),
            Ok(Fragment {
                at: Position { span: 0, offset: 100 },
                length: 3996
            })
        );
    }

    #[test]
    fn a_final_report_ends_it_and_a_long_one_is_refused() {
        let mut walk = transfer(0, 4096);
        walk.stage(&limits(4096)).unwrap();
        assert_eq!(walk.report(Report::Final(4097)), Err(ReportTooLong));
        assert_eq!(walk.report(Report::Final(100)), Ok(Progress::Over));
        assert_eq!(walk.transferred(), 100);
    }

    #[test]
    fn too_many_elements_are_refused_when_checked_and_when_staged() {
        let mut walk = transfer(1, 8192);
        let tight = Limits {
            elements: 2,
            ..limits(1 << 20)
        };
        assert_eq!(walk.check(&tight), Err(StageError::TooFragmented));
        assert_eq!(walk.stage(&tight), Err(StageError::TooFragmented));
    }

    proptest! {
        #[test]
        fn fragments_tile_the_buffer(
            spans in prop::collection::vec((0..4096_u64, 1..20_000_u64), 1..6),
            fragment in 4096..40_000_u64,
            reports in prop::collection::vec(0.0..1.0_f64, 0..8),
        ) {
            let spans: Vec<Span> = spans.into_iter().map(|(page_offset, length)| Span { page_offset, length }).collect();
            let total: u64 = spans.iter().map(|span| span.length).sum();
            let chain = Chain::new(spans);
            let mut walk = Transfer::new(chain.clone(), START, total);
            let limits = Limits { registers: fragment / 4096 + 2, ..limits(fragment) };
            let mut expected = 0;
            let mut reports = reports.into_iter();
            loop {
                let staged = walk.stage(&limits).unwrap();
                prop_assert!(staged.length > 0 && staged.length <= fragment);
                prop_assert_eq!(Some(staged.at), chain.advance(START, expected));
                let report = reports.next().map_or(Report::Full, |part| Report::Partial((staged.length as f64 * part) as u64));
                let progress = walk.report(report).unwrap();
                expected = walk.transferred();
                if progress == Progress::Over {
                    break;
                }
            }
            prop_assert_eq!(walk.transferred(), total);
        }
    }
}
