//! What device addresses mean in each memory model.

use super::{
    bounce::{BounceBuffers, Bounced},
    types::{Buffer, DeviceAccess, Direction, Elements, Piece, Target, Wrong},
};
use crate::{
    mem::{Frame, MemoryModel, PAGE, PagePermutation, Pfn, Physical, Ranges, Run},
    pci::FunctionId,
};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

/// A range of device addresses that exists while a mapping does.
#[derive(Debug)]
struct Window {
    frames: Vec<Run>,
    /// The valid bytes, from the start of the first page.
    bytes: core::ops::Range<u64>,
    direction: Direction,
}

/// Names a mapping, to undo it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapping(Kind);

/// How a mapping was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Not at all: device addresses last for ever.
    Fixed,
    /// By a window, by the first page of it.
    Window(Space, u64),
    /// By bounce pages.
    Bounced(Bounced),
}

/// Which set of windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Space {
    /// Of one device, above 4 GiB.
    High(FunctionId),
    /// Of one device, below 4 GiB.
    Low(FunctionId),
    /// Common buffers of all devices in the scrambled model.
    Shared,
}

/// The pages of device addresses above 4 GiB of the IOMMU: far from all physical addresses.
const HIGH: core::ops::Range<u64> = 1 << 29..1 << 34;
/// The pages of device addresses below 4 GiB.
const LOW: core::ops::Range<u64> = 1 << 12..1 << 20;
/// The pages where common buffers appear in the scrambled model.
const SHARED: core::ops::Range<u64> = 1 << 34..1 << 35;
/// Where permuted pages appear in the scrambled model.
const SCRAMBLED: u64 = 1 << 28;
/// Permuted pages are numbered from the first page frame number on.
const SCRAMBLED_BITS: u32 = 26;

/// The address translation between devices and memory.
#[derive(Debug)]
pub struct Bus {
    model: MemoryModel,
    physical: Rc<Physical>,
    elements: Elements,
    permutation: PagePermutation,
    windows: RefCell<BTreeMap<Space, Ranges<Window>>>,
    bounces: BounceBuffers,
}

impl Bus {
    /// The translation of a memory model.
    #[must_use]
    pub fn new(model: MemoryModel, physical: Rc<Physical>, seed: u64, elements: Elements) -> Self {
        let permutation = PagePermutation::new(SCRAMBLED_BITS, seed ^ 0x4275_7341);
        Self {
            model,
            physical,
            elements,
            permutation,
            windows: RefCell::default(),
            bounces: BounceBuffers::default(),
        }
    }

    /// Makes a buffer visible to a device whose addresses have `width` bits: the pieces in order. None when there are no addresses left.
    pub fn map(
        &self,
        device: FunctionId,
        buffer: &Buffer,
        direction: Direction,
        width: u32,
    ) -> Option<(Mapping, Vec<Piece>)> {
        let mut pieces = Vec::new();
        let kind = match self.model {
            MemoryModel::Iommu => self.open_window(Self::space(device, width), buffer, direction)?,
            MemoryModel::Flat | MemoryModel::Scrambled => Kind::Fixed,
            MemoryModel::Bounce => Kind::Bounced(self.bounces.make(&self.physical, buffer, direction)?),
        };
        let mut done = 0;
        for (index, frame) in buffer.frames.iter().enumerate() {
            let offset = if index == 0 { buffer.offset } else { 0 };
            let length = (PAGE - offset).min(buffer.length - done);
            let page = match kind {
                Kind::Window(_, start) => start + index as u64,
                Kind::Bounced(bounced) => self.fixed_page(bounced.page(index)),
                Kind::Fixed => self.fixed_page(*frame),
            };
            self.add_piece(
                &mut pieces,
                Piece {
                    address: page * PAGE as u64 + offset as u64,
                    length: length as u32,
                },
            );
            done += length;
        }
        Some((Mapping(kind), pieces))
    }

    /// Makes a common buffer visible at consecutive device addresses.
    pub fn map_common(&self, device: FunctionId, buffer: &Buffer, width: u32) -> Option<(Mapping, u64)> {
        let space = match self.model {
            MemoryModel::Flat | MemoryModel::Bounce => {
                let first = buffer.frames.first()?;
                return Some((Mapping(Kind::Fixed), self.fixed_page(*first) * PAGE as u64));
            }
            MemoryModel::Scrambled => Space::Shared,
            MemoryModel::Iommu => Self::space(device, width),
        };
        let kind = self.open_window(space, buffer, Direction::Both)?;
        match kind {
            Kind::Window(_, start) => Some((Mapping(kind), start * PAGE as u64)),
            Kind::Fixed | Kind::Bounced(_) => None,
        }
    }

    fn space(device: FunctionId, width: u32) -> Space {
        if width <= 32 {
            Space::Low(device)
        } else {
            Space::High(device)
        }
    }

    fn add_piece(&self, pieces: &mut Vec<Piece>, piece: Piece) {
        match pieces.last_mut() {
            Some(last)
                if self.elements == Elements::Coalesced && last.address + u64::from(last.length) == piece.address =>
            {
                last.length += piece.length;
            }
            _ => pieces.push(piece),
        }
    }

    fn open_window(&self, space: Space, buffer: &Buffer, direction: Direction) -> Option<Kind> {
        let start = buffer.offset as u64;
        let window = Window {
            frames: crate::mem::runs(buffer.frames.iter().map(|frame| frame.0)),
            bytes: start..start + buffer.length as u64,
            direction,
        };
        let numbers = match space {
            Space::High(_) => HIGH,
            Space::Low(_) => LOW,
            Space::Shared => SHARED,
        };
        let mut windows = self.windows.borrow_mut();
        let ranges = windows
            .entry(space)
            .or_insert_with(|| Ranges::new(numbers.start, numbers.end, 1));
        let page = ranges.allocate(buffer.frames.len() as u64, 1, window)?;
        Some(Kind::Window(space, page))
    }

    /// Undoes a mapping.
    pub fn unmap(&self, mapping: Mapping) {
        match mapping.0 {
            Kind::Fixed => {}
            Kind::Window(space, start) => {
                if let Some(ranges) = self.windows.borrow_mut().get_mut(&space) {
                    ranges.free(start);
                }
            }
            Kind::Bounced(bounced) => self.bounces.undo(&self.physical, bounced),
        }
    }

    /// Forgets everything about a device that is gone.
    pub fn forget(&self, device: FunctionId) {
        self.windows
            .borrow_mut()
            .retain(|space, _| !matches!(space, Space::High(of) | Space::Low(of) if *of == device));
    }

    /// The page of device addresses that stands for a frame for ever.
    fn fixed_page(&self, frame: Frame) -> u64 {
        let pfn = self.physical.pfn(frame).0;
        match self.model {
            MemoryModel::Scrambled => SCRAMBLED + self.permutation.forward(pfn),
            MemoryModel::Flat | MemoryModel::Iommu | MemoryModel::Bounce => pfn,
        }
    }

    /// The memory behind a device address, if the device may access it so.
    pub fn translate(&self, device: FunctionId, address: u64, access: DeviceAccess) -> Result<Target, Wrong> {
        let target = match self.model {
            MemoryModel::Flat | MemoryModel::Bounce => self.fixed(Pfn(address / PAGE as u64), address)?,
            MemoryModel::Scrambled => self.scrambled(address)?,
            MemoryModel::Iommu => {
                let space = if address >> 32 == 0 {
                    Space::Low(device)
                } else {
                    Space::High(device)
                };
                self.in_window(space, address, access)?
            }
        };
        if self.physical.used_for(target.frame).is_none() {
            Err(Wrong::NoMemory)
        } else {
            Ok(target)
        }
    }

    fn fixed(&self, pfn: Pfn, address: u64) -> Result<Target, Wrong> {
        let frame = self.physical.frame(pfn).ok_or(Wrong::NoMemory)?;
        let offset = address as usize % PAGE;
        Ok(Target {
            frame,
            offset,
            length: PAGE - offset,
        })
    }

    fn scrambled(&self, address: u64) -> Result<Target, Wrong> {
        let page = address / PAGE as u64;
        if SHARED.contains(&page) {
            return self.in_window(Space::Shared, address, DeviceAccess::Read);
        }
        let permuted = page
            .checked_sub(SCRAMBLED)
            .filter(|permuted| *permuted < 1 << SCRAMBLED_BITS);
        let Some(permuted) = permuted else {
            return Err(self.unknown(page));
        };
        self.fixed(Pfn(self.permutation.inverse(permuted)), address)
    }

    fn in_window(&self, space: Space, address: u64, access: DeviceAccess) -> Result<Target, Wrong> {
        let page = address / PAGE as u64;
        let windows = self.windows.borrow();
        let Some(ranges) = windows.get(&space) else {
            return Err(self.unknown(page));
        };
        let Some(found) = ranges.find(page) else {
            return Err(if ranges.is_past(page) {
                Wrong::Unmapped
            } else {
                self.unknown(page)
            });
        };
        let window = found.value;
        let at = address - found.start * PAGE as u64;
        if !window.bytes.contains(&at) {
            return Err(Wrong::OutsideBuffer);
        }
        if !window.direction.allows(access) {
            return Err(Wrong::Direction);
        }
        let offset = at as usize % PAGE;
        let length = (PAGE - offset).min((window.bytes.end - at) as usize);
        let frame = nth_frame(&window.frames, at / PAGE as u64).ok_or(Wrong::NoMemory)?;
        Ok(Target { frame, offset, length })
    }

    /// What a page of device addresses is that stands for nothing.
    fn unknown(&self, page: u64) -> Wrong {
        let memory = self
            .physical
            .frame(Pfn(page))
            .is_some_and(|frame| self.physical.used_for(frame).is_some());
        if memory {
            Wrong::Untranslated
        } else {
            Wrong::NeverMapped
        }
    }

    /// Whether the device addresses of this model have more than 32 bits for every page.
    #[must_use]
    pub fn needs_wide_addresses(&self) -> bool {
        self.model != MemoryModel::Iommu
    }
}

fn nth_frame(runs: &[Run], mut index: u64) -> Option<Frame> {
    for run in runs {
        if index < run.pages {
            return Some(Frame(run.frame + index));
        }
        index -= run.pages;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{Buffer, Bus, DeviceAccess, Direction, Elements, Piece, Wrong};
    use crate::{
        mem::{Frame, MemoryModel, PAGE, Physical, Use},
        pci::FunctionId,
    };
    use proptest::prelude::*;
    use std::rc::Rc;

    const DEVICE: FunctionId = FunctionId(0);

    fn bus(model: MemoryModel) -> (Rc<Physical>, Bus) {
        let physical = Rc::new(Physical::new(model, 5));
        (Rc::clone(&physical), Bus::new(model, physical, 5, Elements::Coalesced))
    }

    fn buffer(physical: &Physical, pages: u64, offset: usize, length: usize) -> Buffer {
        let first = physical.allocate(pages, Use::User).unwrap();
        Buffer {
            frames: (0..pages).map(|page| Frame(first.0 + page)).collect(),
            offset,
            length,
        }
    }

    #[test]
    fn iommu_knows_every_way_to_be_wrong() {
        let (physical, bus) = bus(MemoryModel::Iommu);
        let buffer = buffer(&physical, 2, 100, 5000);
        let raw = physical.pfn(buffer.frames[0]).0 * PAGE as u64;
        let (mapping, pieces) = bus.map(DEVICE, &buffer, Direction::ToDevice, 64).unwrap();
        let Piece { address, length } = pieces[0];
        assert_eq!((pieces.len(), length), (1, 5000));
        assert!(bus.translate(DEVICE, address, DeviceAccess::Read).is_ok());
        assert_eq!(
            bus.translate(DEVICE, address, DeviceAccess::Write),
            Err(Wrong::Direction)
        );
        assert_eq!(
            bus.translate(DEVICE, address - 1, DeviceAccess::Read),
            Err(Wrong::OutsideBuffer)
        );
        assert_eq!(
            bus.translate(DEVICE, address + 5000, DeviceAccess::Read),
            Err(Wrong::OutsideBuffer)
        );
        assert_eq!(bus.translate(DEVICE, raw, DeviceAccess::Read), Err(Wrong::Untranslated));
        assert_eq!(
            bus.translate(FunctionId(1), address, DeviceAccess::Read),
            Err(Wrong::NeverMapped)
        );
        bus.unmap(mapping);
        assert_eq!(bus.translate(DEVICE, address, DeviceAccess::Read), Err(Wrong::Unmapped));
    }

    #[test]
    fn scrambled_refuses_physical_addresses() {
        let (physical, bus) = bus(MemoryModel::Scrambled);
        let buffer = buffer(&physical, 1, 0, PAGE);
        let raw = physical.pfn(buffer.frames[0]).0 * PAGE as u64;
        assert_eq!(bus.translate(DEVICE, raw, DeviceAccess::Read), Err(Wrong::Untranslated));
        let (_, pieces) = bus.map(DEVICE, &buffer, Direction::Both, 64).unwrap();
        assert_eq!(
            bus.translate(DEVICE, pieces[0].address, DeviceAccess::Read)
                .unwrap()
                .frame,
            buffer.frames[0]
        );
        physical.free(buffer.frames[0]);
        assert_eq!(
            bus.translate(DEVICE, pieces[0].address, DeviceAccess::Read),
            Err(Wrong::NoMemory)
        );
    }

    #[test]
    fn common_buffers_are_consecutive_in_every_model() {
        for model in MemoryModel::ALL {
            let (physical, bus) = bus(model);
            let buffer = buffer(&physical, 4, 0, 4 * PAGE);
            let (_, address) = bus.map_common(DEVICE, &buffer, 64).unwrap();
            for (page, frame) in buffer.frames.iter().enumerate() {
                let at = address + (page * PAGE) as u64;
                assert_eq!(
                    bus.translate(DEVICE, at, DeviceAccess::Write).unwrap().frame,
                    *frame,
                    "{model:?}"
                );
            }
        }
    }

    #[test]
    fn narrow_devices_get_narrow_addresses() {
        let (physical, bus) = bus(MemoryModel::Iommu);
        let buffer = buffer(&physical, 1, 0, 10);
        let (_, pieces) = bus.map(DEVICE, &buffer, Direction::Both, 32).unwrap();
        assert!(pieces[0].address < 1 << 32);
        assert!(bus.translate(DEVICE, pieces[0].address, DeviceAccess::Read).is_ok());
    }

    proptest! {
        #[test]
        fn every_byte_of_a_list_is_the_buffers(pages in 1_u64..6, offset in 0_usize..PAGE, cut in 0_usize..PAGE, coalesce in any::<bool>()) {
            for model in [MemoryModel::Flat, MemoryModel::Scrambled, MemoryModel::Iommu] {
                let physical = Rc::new(Physical::new(model, 5));
                let elements = if coalesce { Elements::Coalesced } else { Elements::PerPage };
                let bus = Bus::new(model, Rc::clone(&physical), 5, elements);
                let length = (pages as usize * PAGE - offset).saturating_sub(cut).max(1);
                let mut buffer = buffer(&physical, pages, offset, length);
                buffer.frames.truncate((offset + length).div_ceil(PAGE));
                let (_, pieces) = bus.map(DEVICE, &buffer, Direction::FromDevice, 64).unwrap();
                prop_assert_eq!(pieces.iter().map(|piece| piece.length as usize).sum::<usize>(), length);
                prop_assert!(coalesce || pieces.len() == buffer.frames.len());
                let mut done = offset;
                for piece in pieces {
                    let mut at = 0;
                    while at < u64::from(piece.length) {
                        let target = bus.translate(DEVICE, piece.address + at, DeviceAccess::Write).unwrap();
                        prop_assert_eq!(target.frame, buffer.frames[done / PAGE]);
                        prop_assert_eq!(target.offset, done % PAGE);
                        let step = target.length.min((u64::from(piece.length) - at) as usize);
                        done += step;
                        at += step as u64;
                    }
                }
            }
        }
    }
}
