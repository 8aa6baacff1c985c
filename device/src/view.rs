//! A binding as the device uses it: a linear view put together from segments, with its holes and directions.

use std::ops::Range;

use hawser_abi::descriptor::{HOLE, Segment, binding_flags};

use crate::bus::BusError;
use crate::host_access::HostAccess;

/// How an operand uses memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Read,
    Write,
}

/// Bytes of the view from `start` to the next run, at consecutive device addresses from `address` on; [`HOLE`] where there are none.
#[derive(Clone, Copy, Debug)]
struct Run {
    start: u64,
    address: u64,
}

/// A segment that is empty, wraps around the address space or makes the view longer than 64 bits can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadSegment;

/// An access that the host refused, after this many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) after: u64,
}

/// A binding. Runs and holes are sorted, so that every look-up is a binary search.
pub(crate) struct View {
    runs: Vec<Run>,
    holes: Vec<Range<u64>>,
    length: u64,
    flags: u32,
}

impl View {
    pub(crate) fn new(flags: u32) -> Self {
        Self {
            runs: Vec::new(),
            holes: Vec::new(),
            length: 0,
            flags,
        }
    }

    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Appends a segment; one that continues the last run becomes part of it.
    pub(crate) fn push(&mut self, segment: Segment) -> Result<(), BadSegment> {
        let end = self.length.checked_add(segment.length).ok_or(BadSegment)?;
        if segment.length == 0 {
            return Err(BadSegment);
        }
        if segment.address == HOLE {
            self.push_hole(end);
        } else {
            segment.address.checked_add(segment.length).ok_or(BadSegment)?;
            if self.end_address() != Some(segment.address) {
                self.runs.push(Run {
                    start: self.length,
                    address: segment.address,
                });
            }
        }
        self.length = end;
        Ok(())
    }

    fn push_hole(&mut self, end: u64) {
        match self.holes.last_mut() {
            Some(hole) if hole.end == self.length => hole.end = end,
            _ => {
                self.holes.push(self.length..end);
                self.runs.push(Run {
                    start: self.length,
                    address: HOLE,
                });
            }
        }
    }

    /// The device address after the last run.
    fn end_address(&self) -> Option<u64> {
        let last = self.runs.last()?;
        // A hole is at the last address, so nothing comes after it.
        last.address.checked_add(self.length - last.start)
    }

    pub(crate) fn allows(&self, direction: Direction) -> bool {
        let needed = match direction {
            Direction::Read => binding_flags::DEVICE_READ,
            Direction::Write => binding_flags::DEVICE_WRITE,
        };
        self.flags & needed != 0
    }

    /// The first byte from `start` to `end` that is in a hole or behind the end of the view.
    pub(crate) fn first_unreachable(&self, start: u64, end: u64) -> Option<u64> {
        let next = self.holes.partition_point(|hole| hole.end <= start);
        match self.holes.get(next) {
            Some(hole) if hole.start < end => Some(hole.start.max(start)),
            _ if end > self.length => Some(self.length.max(start)),
            _ => None,
        }
    }

    /// The number of runs that reachable bytes, at least one from `offset` on, lie in.
    pub(crate) fn runs(&self, offset: u64, length: u64) -> u64 {
        let first = self.runs.partition_point(|run| run.start <= offset);
        let behind = self
            .runs
            .partition_point(|run| run.start < offset.saturating_add(length));
        (behind.saturating_sub(first) as u64).saturating_add(1)
    }

    /// Reads the bytes from `offset` on; returns the number of runs that they came from.
    pub(crate) fn read(&self, host: &mut HostAccess<'_>, offset: u64, into: &mut [u8]) -> Result<u64, Refused> {
        self.walk(offset, into.len(), |address, range| {
            host.read(address, into.get_mut(range).ok_or(BusError)?)
        })
    }

    /// Writes the bytes from `offset` on; returns the number of runs that they went to.
    pub(crate) fn write(&self, host: &mut HostAccess<'_>, offset: u64, from: &[u8]) -> Result<u64, Refused> {
        self.walk(offset, from.len(), |address, range| {
            host.write(address, from.get(range).ok_or(BusError)?)
        })
    }

    fn walk(
        &self,
        offset: u64,
        length: usize,
        mut access: impl FnMut(u64, Range<usize>) -> Result<(), BusError>,
    ) -> Result<u64, Refused> {
        let first = self.runs.partition_point(|run| run.start <= offset).saturating_sub(1);
        let mut runs = self.runs.get(first..).unwrap_or_default().iter().peekable();
        let mut done = 0;
        let mut used = 0;
        while done < length {
            let refused = Refused { after: done as u64 };
            let run = runs.next().filter(|run| run.address != HOLE).ok_or(refused)?;
            let end = runs.peek().map_or(self.length, |next| next.start);
            let at = offset.checked_add(done as u64).ok_or(refused)?;
            let left = end.checked_sub(at).filter(|left| *left > 0).ok_or(refused)?;
            let address = run.address.checked_add(at - run.start).ok_or(refused)?;
            let next = done + (length - done).min(usize::try_from(left).unwrap_or(usize::MAX));
            access(address, done..next).map_err(|BusError| refused)?;
            done = next;
            used += 1;
        }
        Ok(used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(segments: &[(u64, u64)]) -> View {
        let mut view = View::new(binding_flags::ALL);
        for &(address, length) in segments {
            view.push(Segment { address, length }).unwrap();
        }
        view
    }

    fn runs(view: &View, offset: u64, length: usize) -> Result<Vec<(u64, usize)>, Refused> {
        let mut seen = Vec::new();
        view.walk(offset, length, |address, range| {
            seen.push((address, range.len()));
            Ok(())
        })?;
        Ok(seen)
    }

    #[test]
    fn segments_that_continue_each_other_are_one_run() {
        let view = view(&[(100, 10), (110, 5), (300, 5), (305, 1)]);
        assert_eq!(runs(&view, 0, 21), Ok(vec![(100, 15), (300, 6)]));
        assert_eq!(runs(&view, 14, 2), Ok(vec![(114, 1), (300, 1)]));
        assert_eq!(runs(&view, 20, 1), Ok(vec![(305, 1)]));
    }

    #[test]
    fn runs_are_counted_as_they_are_walked() {
        let view = view(&[(100, 10), (110, 5), (300, 5), (200, 7), (900, 1)]);
        for offset in 0..28 {
            for length in 1..=28 - offset {
                let walked = runs(&view, offset, length as usize).unwrap().len() as u64;
                assert_eq!(view.runs(offset, length), walked, "{offset} {length}");
            }
        }
    }

    #[test]
    fn a_hole_never_continues_an_address() {
        let view = view(&[(100, 10), (HOLE, 4), (HOLE, 4), (110, 10)]);
        assert_eq!(view.length(), 28);
        assert_eq!(view.first_unreachable(0, 10), None);
        assert_eq!(view.first_unreachable(0, 11), Some(10));
        assert_eq!(view.first_unreachable(15, 16), Some(15));
        assert_eq!(view.first_unreachable(17, 28), Some(17));
        assert_eq!(view.first_unreachable(18, 28), None);
        assert_eq!(view.first_unreachable(18, 29), Some(28));
        assert_eq!(view.first_unreachable(40, 41), Some(40));
        assert_eq!(runs(&view, 18, 10), Ok(vec![(110, 10)]));
        assert_eq!(runs(&view, 8, 4), Err(Refused { after: 2 }));
        assert_eq!(runs(&view, 26, 4), Err(Refused { after: 2 }));
    }

    #[test]
    fn impossible_segments_are_refused() {
        let mut view = view(&[(HOLE, u64::MAX - 8)]);
        for (address, length) in [(0, 0), (HOLE, 0), (u64::MAX - 4, 5), (0, 9)] {
            assert_eq!(view.push(Segment { address, length }), Err(BadSegment));
        }
        assert_eq!(view.push(Segment { address: 0, length: 8 }), Ok(()));
    }
}
