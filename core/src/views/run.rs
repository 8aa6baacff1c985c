//! Joins elements that continue each other to segments, as fast as they can be read.

use hawser_abi::descriptor::{HOLE, Segment};
use zerocopy::{FromZeros, transmute_mut};

use super::elements::ScatterGatherElements;
use crate::address::DeviceAddress;

/// Segments behind which no group of elements begins.
const RUN: usize = 120;
/// Elements that are added together, so that room is looked for only once. With a group behind them the segments of a run are two KiB.
const GROUP: usize = 8;
/// Places of a run: in front of the segments one for none, and behind them one for an element that may yet continue the last.
const PLACES: usize = 1 + RUN + GROUP + 1;
/// Places that a group of elements can change: that of the last segment, and those behind it.
const WINDOW: usize = 1 + GROUP + 1;

// Where a run is full there is no window, and only there.
const _: () = assert!(PLACES - WINDOW == RUN);

/// The places that the next group of elements can change.
type Window = [Segment; WINDOW];

/// Room for the segments of one table that are not written.
///
/// Whoever builds tables keeps it, so that it is made only once, and need not be on a stack. It may have been used for another table before.
#[derive(Debug, FromZeros)]
pub struct SegmentRun {
    places: [Segment; PLACES],
}

impl Default for SegmentRun {
    fn default() -> Self {
        Self {
            places: [Segment { address: 0, length: 0 }; PLACES],
        }
    }
}

impl SegmentRun {
    /// A run in which `segment` is left everywhere.
    #[cfg(test)]
    pub(super) const fn full_of(segment: Segment) -> Self {
        Self {
            places: [segment; PLACES],
        }
    }

    /// The first `count` segments.
    pub(super) fn first(&self, count: usize) -> &[Segment] {
        let [_none, segments @ ..] = &self.places;
        segments.get(..count).unwrap_or_default()
    }

    /// The last segment; before there is one, what its place was left with.
    fn last(&self, end: &End) -> Segment {
        let address = self.places.get(end.place).map_or(HOLE, |last| last.address);
        Segment {
            address,
            length: end.length,
        }
    }

    fn put(&mut self, place: usize, segment: Segment) {
        if let Some(at) = self.places.get_mut(place) {
            *at = segment;
        }
    }

    fn window(&mut self, place: usize) -> Option<&mut Window> {
        self.places.get_mut(place..)?.first_chunk_mut()
    }
}

/// The last segment of a run, which the next one may continue.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    /// Its place, which is also the number of segments. Before there is one it is the place for none.
    place: usize,
    /// Bytes of it. They are kept with it in the run too, but to wait for memory at each element takes long.
    length: u64,
    /// The address that continues it. None begins at [`HOLE`], which says that there is no such address.
    next: u64,
}

/// What the elements of a list may reach.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    /// Bytes of the mapping that are left.
    pub(super) left: u64,
    /// The highest address that an element may end before, at most [`HOLE`].
    pub(super) beyond: u64,
}

/// Why no more elements are added.
pub(super) enum Stop {
    /// There are none left.
    End,
    /// The run has to be written before more are added.
    Full,
    /// One of so many bytes, for which the reach is reduced, is wrong.
    Wrong(u32),
}

impl End {
    /// The end of a run without segments.
    pub(super) const NONE: Self = Self {
        place: 0,
        length: 0,
        next: HOLE,
    };

    /// Number of segments.
    pub(super) const fn segments(&self) -> usize {
        self.place
    }

    /// Whether the run has to be written before another segment.
    pub(super) const fn is_full(&self) -> bool {
        self.place > RUN
    }

    /// Drops the segments in front of the last, which are written.
    pub(super) fn drop_complete(&mut self, run: &mut SegmentRun) {
        let last = run.last(self);
        self.place = self.place.min(1);
        run.put(self.place, last);
    }

    /// Adds bytes that are not mapped, for which there is room.
    pub(super) fn add(&mut self, run: &mut SegmentRun, segment: Segment) {
        let Segment { address, length } = segment;
        let last = run.last(self);
        let continues = match address {
            HOLE => self.place > 0 && last.address == HOLE,
            _ => address == self.next,
        };
        let joined = if continues {
            Segment {
                address: last.address,
                length: last.length.saturating_add(length),
            }
        } else {
            self.place = self.place.saturating_add(1);
            segment
        };
        run.put(self.place, joined);
        self.length = joined.length;
        self.next = match address {
            HOLE => HOLE,
            _ => address.checked_add(length).unwrap_or(HOLE),
        };
    }

    /// Adds elements, as long as there is room, and takes them from the list.
    ///
    /// It is a function of its own so that all that it works with stays in registers.
    #[inline(never)]
    pub(super) fn add_elements<E, F: Fn(&E) -> (DeviceAddress, u32)>(
        &mut self,
        run: &mut SegmentRun,
        elements: &mut ScatterGatherElements<'_, E, F>,
        reach: &mut Reach,
    ) -> Stop {
        let (mut end, mut within, mut list) = (*self, *reach, elements.list);
        let stop = loop {
            let Some(window) = run.window(end.place) else {
                break Stop::Full;
            };
            // A whole group needs no look for the end of the list at each element.
            let added = if let Some((group, rest)) = list.split_first_chunk::<GROUP>() {
                list = rest;
                end.add_group(window, elements.read(group), &mut within)
            } else {
                let group = core::mem::take(&mut list);
                end.add_group(window, elements.read(group), &mut within)
            };
            if let Err(length) = added {
                break Stop::Wrong(length);
            }
            if list.is_empty() {
                break Stop::End;
            }
        };
        (*self, reach.left, elements.list) = (end, within.left, list);
        stop
    }

    /// Adds a group of elements, or those of it in front of one that is wrong, and returns the length of that one.
    ///
    /// Whether elements continue each other follows no pattern, so there is no branch on it: the address of each is stored behind the last
    /// segment, and counts only if the element begins another one. The run is taken for words, whose addresses take less to compute.
    #[inline(always)]
    fn add_group(
        &mut self,
        window: &mut Window,
        elements: impl Iterator<Item = (DeviceAddress, u32)>,
        reach: &mut Reach,
    ) -> Result<(), u32> {
        let words: &mut [u64; 2 * WINDOW] = transmute_mut!(window);
        let (mut at, mut added) = (0_usize, Ok(()));
        for (DeviceAddress(address), bytes) in elements {
            let length = u64::from(bytes);
            // An element that is empty does not end behind its beginning, nor does one around the end of all addresses.
            let end = address.wrapping_add(length);
            let (left, too_long) = reach.left.overflowing_sub(length);
            reach.left = left;
            if end <= address || end > reach.beyond || too_long {
                added = Err(bytes);
                break;
            }
            if let Some(behind) = words.get_mut(at.wrapping_add(2)) {
                *behind = address;
            }
            let begins = address != self.next;
            at = if begins { at.wrapping_add(2) } else { at };
            let joined = self.length.wrapping_add(length);
            self.length = if begins { length } else { joined };
            self.next = end;
            if let Some(place) = words.get_mut(at.wrapping_add(1)) {
                *place = self.length;
            }
        }
        self.place = self.place.wrapping_add(at / 2);
        added
    }
}
