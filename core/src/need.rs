//! Counts the most segments that the two views of a plan can need, so that a block is carved before anything is mapped.

use crate::check::BufferShape;
use crate::cost::pages;
use crate::cuts::Cut;
use crate::intervals::Interval;
use crate::plan::Direction;

/// A plan, as far as its views are concerned.
#[derive(Clone, Copy)]
pub(crate) struct Need<'a> {
    pub(crate) shape: BufferShape,
    /// What is read, and what is written: ascending intervals that do not touch.
    pub(crate) reads: &'a [Interval],
    pub(crate) writes: &'a [Interval],
    /// What is mapped, in ascending order.
    pub(crate) cuts: &'a [Cut],
}

impl Need<'_> {
    /// Most segments of the read view and of the write view.
    pub(crate) fn segments(&self) -> [u32; 2] {
        [
            self.view(self.reads, Direction::ToDevice),
            self.view(self.writes, Direction::FromDevice),
        ]
    }

    /// Most segments of a view in which `accessed` is backed, and all else is a hole.
    ///
    /// Copies that touch in the data buffer touch in the block, so that an interval is one segment as long as nothing of it is mapped. A mapping can have a segment for each
    /// page, and parts the copies in front of it from those behind it. There are fewer than 2²⁰ intervals, and 2¹⁹ pages.
    fn view(&self, accessed: &[Interval], direction: Direction) -> u32 {
        let mut segments = holes(accessed, self.shape.length).wrapping_add(accessed.len() as u32);
        let mut behind = 0;
        for cut in self.cuts.iter().filter(|cut| cut.direction == direction) {
            let mapped = cut.chosen.mapped();
            let around = interval_around(accessed, mapped.start());
            // Where the copies begin that it parts: with the interval, or behind the mapping before.
            let copies = around.start().max(behind);
            let [before, after] = [mapped.start() > copies, mapped.end() < around.end()].map(u32::from);
            segments = segments.wrapping_add(before).wrapping_add(after).wrapping_sub(1);
            segments = segments.wrapping_add(pages(mapped, self.shape.page_offset) as u32);
            behind = mapped.end();
        }
        segments
    }
}

/// Gaps in front of, between and behind intervals.
fn holes(accessed: &[Interval], length: u64) -> u32 {
    let (Some(first), Some(last)) = (accessed.first(), accessed.last()) else {
        return u32::from(length != 0);
    };
    let between = accessed.len().saturating_sub(1) as u32;
    let [before, behind] = [first.start() != 0, u64::from(last.end()) < length].map(u32::from);
    between.wrapping_add(before).wrapping_add(behind)
}

/// The interval in which a byte lies.
fn interval_around(accessed: &[Interval], byte: u32) -> Interval {
    let behind = accessed.partition_point(|interval| interval.end() <= byte);
    accessed.get(behind).copied().unwrap_or(Interval::EMPTY)
}
