//! Chooses the ranges of a plan that are mapped.

use crate::appraisal::Appraiser;
use crate::check::BufferShape;
use crate::cost::Costs;
use crate::intervals::Interval;
use crate::limits::Limits;
use crate::pieces::Piece;
use crate::selection::Largest;

/// What was chosen so far.
#[derive(Clone, Copy)]
pub(crate) struct Choice {
    appraiser: Appraiser,
    page_offset: u32,
    costs: Costs,
    to_device: Largest,
    from_device: Largest,
}

impl Choice {
    pub(crate) fn new(shape: BufferShape, limits: &Limits) -> Self {
        let most = limits.mapping_limit();
        Self {
            appraiser: Appraiser::new(shape, limits),
            page_offset: shape.page_offset,
            costs: limits.costs,
            to_device: Largest::new(most),
            from_device: Largest::new(most),
        }
    }

    /// Whether no range was chosen so far.
    pub(crate) fn has_none(&self) -> bool {
        self.to_device.chosen().is_empty() && self.from_device.chosen().is_empty()
    }

    /// Looks at the next ranges, the first of which has the number `first`.
    pub(crate) fn appraise(&mut self, pieces: &[Piece], first: u32) {
        let longest = pieces.iter().map(Piece::length).max().unwrap_or_default();
        if longest <= self.least() {
            return;
        }
        let mut least = self.least();
        for (number, piece) in (first..).zip(pieces) {
            if piece.interval().length() > least {
                self.consider(piece, number);
                least = self.least();
            }
        }
    }

    fn consider(&mut self, piece: &Piece, number: u32) {
        if self.appraiser.pays(piece) {
            let largest = if piece.is_written() {
                &mut self.from_device
            } else {
                &mut self.to_device
            };
            largest.offer(piece.interval(), self.appraiser.body(piece), number);
        }
    }

    /// A range that is not longer is not chosen.
    fn least(&self) -> u32 {
        let least = self.to_device.least().min(self.from_device.least());
        // What a mapping costs, no range makes up for that is not longer.
        least.max(self.costs.mapping)
    }

    /// Whether it is cheaper to map a part of a range than to copy all of it.
    pub(crate) fn pays(&self, whole: Interval, part: Interval) -> bool {
        self.costs.pays(whole, part, self.page_offset)
    }

    pub(crate) const fn appraiser(&self) -> Appraiser {
        self.appraiser
    }

    /// What was chosen to the device and from the device, as far as so many map registers go for each.
    pub(crate) fn shared(&self, registers: u32) -> [Largest; 2] {
        [self.to_device, self.from_device].map(|mut largest| {
            largest.share(registers, self.page_offset);
            largest
        })
    }
}
