//! Bounce buffers: pages of the HAL's that the device accesses in place of the caller's.
//!
//! A mapping copies in one direction only, and once: to the device when it is made, from the device when it is undone. What a device writes through a mapping to the device is lost, what it
//! reads through a mapping from the device is what somebody else left there, and what it does not write of a mapping from the device goes over the caller's bytes all the same.

use super::types::{Buffer, Direction};
use crate::mem::{Frame, PAGE, Physical, Use};
use std::{cell::RefCell, collections::BTreeMap};

/// What is in bounce pages before a device has written them: bytes of whoever had them before.
pub const STALE: u8 = 0x5B;

/// The map registers of an adapter where a test does not say otherwise: few, 256 KiB together, so that most large buffers need more.
pub(super) const REGISTERS: u32 = 64;

/// Names a mapping: its first bounce page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bounced(u64);

impl Bounced {
    /// The bounce page for a page of the buffer.
    pub(super) fn page(self, index: usize) -> Frame {
        Frame(self.0 + index as u64)
    }

    fn pages(self, buffer: &Buffer) -> Vec<Frame> {
        (0..buffer.frames.len()).map(|index| self.page(index)).collect()
    }
}

/// One mapping.
#[derive(Debug)]
struct Copied {
    /// The caller's bytes.
    buffer: Buffer,
    direction: Direction,
}

/// The mappings of a machine.
#[derive(Debug, Default)]
pub(super) struct BounceBuffers(RefCell<BTreeMap<Bounced, Copied>>);

impl BounceBuffers {
    /// Makes bounce pages for a buffer. None when there is no memory left.
    pub(super) fn make(&self, physical: &Physical, buffer: &Buffer, direction: Direction) -> Option<Bounced> {
        let pages = buffer.frames.len() as u64;
        let first = physical.allocate(pages, Use::Bounce)?;
        let bounced = Bounced(first.0);
        let frames = bounced.pages(buffer);
        for frame in &frames {
            // SAFETY: a page that was just allocated, and that nobody else knows.
            unsafe { physical.address(*frame).write_bytes(STALE, PAGE) };
        }
        if direction != Direction::FromDevice {
            copy(physical, buffer, (&buffer.frames, &frames));
        }
        let copied = Copied {
            buffer: buffer.clone(),
            direction,
        };
        self.0.borrow_mut().insert(bounced, copied);
        Some(bounced)
    }

    /// Undoes a mapping: what the device had to bring arrives, and the pages are gone.
    pub(super) fn undo(&self, physical: &Physical, bounced: Bounced) {
        let Some(Copied { buffer, direction }) = self.0.borrow_mut().remove(&bounced) else {
            return;
        };
        let frames = bounced.pages(&buffer);
        if direction != Direction::ToDevice {
            copy(physical, &buffer, (&frames, &buffer.frames));
        }
        physical.free(Frame(bounced.0));
    }
}

/// Copies the bytes of a buffer from one set of pages to another; they lie at the same places in both.
fn copy(physical: &Physical, buffer: &Buffer, (from, to): (&[Frame], &[Frame])) {
    let mut done = 0;
    for (index, (from, to)) in from.iter().zip(to).enumerate() {
        let offset = if index == 0 { buffer.offset } else { 0 };
        let length = (PAGE - offset).min(buffer.length - done);
        let from = physical.address(*from).wrapping_add(offset);
        let to = physical.address(*to).wrapping_add(offset);
        // SAFETY: pages in use: the caller's are locked while they are mapped, the bounce pages belong to the mapping. User threads of the machine do not run meanwhile.
        unsafe { core::ptr::copy(from, to, length) };
        done += length;
    }
}

#[cfg(test)]
mod tests {
    use super::{BounceBuffers, STALE};
    use crate::{
        hal::types::{Buffer, Direction},
        mem::{Frame, MemoryModel, PAGE, Physical, Use},
    };
    use proptest::prelude::*;

    /// A user's buffer of two pages' length or less, with known bytes all over its pages.
    fn buffer(physical: &Physical, offset: usize, length: usize) -> Buffer {
        let pages = (offset + length).div_ceil(PAGE) as u64;
        let first = physical.allocate(pages, Use::User).expect("memory");
        let frames: Vec<_> = (0..pages).map(|page| Frame(first.0 + page)).collect();
        for frame in &frames {
            // SAFETY: allocated above.
            unsafe { physical.address(*frame).write_bytes(0x11, PAGE) };
        }
        Buffer { frames, offset, length }
    }

    fn bytes(physical: &Physical, frames: &[Frame]) -> Vec<u8> {
        let page = |frame: &Frame| {
            // SAFETY: the tests ask for pages in use.
            unsafe { core::slice::from_raw_parts(physical.address(*frame), PAGE) }.to_vec()
        };
        frames.iter().flat_map(page).collect()
    }

    fn fill(physical: &Physical, frames: &[Frame], byte: u8) {
        for frame in frames {
            // SAFETY: the tests name pages in use.
            unsafe { physical.address(*frame).write_bytes(byte, PAGE) };
        }
    }

    proptest! {
        #[test]
        fn bytes_go_one_way_and_only_those_of_the_buffer(offset in 0..PAGE, length in 1..2 * PAGE, from_device in any::<bool>()) {
            let physical = Physical::new(MemoryModel::Bounce, 0);
            let bounces = BounceBuffers::default();
            let buffer = buffer(&physical, offset, length);
            let direction = if from_device { Direction::FromDevice } else { Direction::ToDevice };
            let bounced = bounces.make(&physical, &buffer, direction).expect("memory");
            let pages = bounced.pages(&buffer);
            let inside = |at: &usize| (offset..offset + length).contains(at);
            for (at, byte) in bytes(&physical, &pages).into_iter().enumerate() {
                let copied = !from_device && inside(&at);
                prop_assert_eq!(byte, if copied { 0x11 } else { STALE });
            }
            fill(&physical, &pages, 0x77);
            bounces.undo(&physical, bounced);
            for (at, byte) in bytes(&physical, &buffer.frames).into_iter().enumerate() {
                let copied = from_device && inside(&at);
                prop_assert_eq!(byte, if copied { 0x77 } else { 0x11 });
            }
            prop_assert!(physical.used_for(pages[0]).is_none());
        }
    }
}
