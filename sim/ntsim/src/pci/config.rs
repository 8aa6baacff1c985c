//! Configuration space of a type 0 function with PCI Express, power management and MSI-X capabilities.

use super::{BarResource, Identity, PowerState};

/// The size of the space that is modelled, without extended capabilities.
const SIZE: usize = 256;

/// Offset of the command register.
const COMMAND: usize = 0x04;
/// Command register: memory decoding.
const MEMORY_SPACE: u16 = 1 << 1;
/// Command register: bus mastering.
const BUS_MASTER: u16 = 1 << 2;
/// Command register: the interrupt line is not driven.
const INTERRUPT_DISABLE: u16 = 1 << 10;
/// Status register: there is a capability list.
const STATUS_CAPABILITIES: u16 = 1 << 4;

const PM_CAPABILITY: usize = 0x40;
const PM_CONTROL: usize = PM_CAPABILITY + 4;
const MSIX_CAPABILITY: usize = 0x50;
const MSIX_CONTROL: usize = MSIX_CAPABILITY + 2;
const MSIX_ENABLE: u16 = 1 << 15;
const EXPRESS_CAPABILITY: usize = 0x70;

/// What a write changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) before: Control,
    pub(super) after: Control,
}

/// The bits that steer the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Control {
    pub(super) memory: bool,
    pub(super) bus_master: bool,
    pub(super) power: PowerState,
}

/// The configuration space of one function.
pub(super) struct ConfigSpace {
    bytes: [u8; SIZE],
    /// Bits that a write can change.
    writable: [u8; SIZE],
}

impl ConfigSpace {
    pub(super) fn new(identity: &Identity, bars: &[BarResource], messages: u16) -> Self {
        let mut space = Self {
            bytes: [0; SIZE],
            writable: [0; SIZE],
        };
        space.put16(0x00, identity.vendor);
        space.put16(0x02, identity.device);
        space.put16(0x06, STATUS_CAPABILITIES);
        space.bytes[0x08] = identity.revision;
        space.bytes[0x09..0x0C].copy_from_slice(&identity.class.to_le_bytes()[..3]);
        space.put16(0x2C, identity.subsystem_vendor);
        space.put16(0x2E, identity.subsystem);
        space.bytes[0x34] = PM_CAPABILITY as u8;
        space.bytes[0x3D] = 1;
        space.allow16(COMMAND, MEMORY_SPACE | BUS_MASTER | INTERRUPT_DISABLE);
        space.writable[0x0C] = 0xFF;
        space.writable[0x3C] = 0xFF;
        bars.iter().for_each(|bar| space.put_bar(bar));
        space.put_capabilities(identity.messages.min(messages.max(identity.messages)));
        space
    }

    fn put_bar(&mut self, bar: &BarResource) {
        let at = 0x10 + 4 * usize::from(bar.bar);
        let kind = if bar.prefetchable { 0xC } else { 0x4 };
        self.bytes[at..at + 8].copy_from_slice(&(bar.base | kind).to_le_bytes());
        self.writable[at..at + 8].copy_from_slice(&(!(bar.length - 1)).to_le_bytes());
    }

    fn put_capabilities(&mut self, messages: u16) {
        self.put16(
            PM_CAPABILITY,
            0x01 | (if messages > 0 {
                MSIX_CAPABILITY
            } else {
                EXPRESS_CAPABILITY
            } as u16)
                << 8,
        );
        self.put16(PM_CAPABILITY + 2, 0x0003);
        self.allow16(PM_CONTROL, 0x3);
        if messages > 0 {
            self.put16(MSIX_CAPABILITY, 0x11 | (EXPRESS_CAPABILITY as u16) << 8);
            self.put16(MSIX_CONTROL, messages - 1);
            self.allow16(MSIX_CONTROL, MSIX_ENABLE | 1 << 14);
        }
        self.put16(EXPRESS_CAPABILITY, 0x10);
        self.put16(EXPRESS_CAPABILITY + 2, 0x0002);
    }

    fn put16(&mut self, at: usize, value: u16) {
        self.bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
    }

    fn allow16(&mut self, at: usize, bits: u16) {
        self.writable[at..at + 2].copy_from_slice(&bits.to_le_bytes());
    }

    fn get16(&self, at: usize) -> u16 {
        u16::from_le_bytes([self.bytes[at], self.bytes[at + 1]])
    }

    /// The bits that steer the function.
    pub(super) fn control(&self) -> Control {
        let command = self.get16(COMMAND);
        Control {
            memory: command & MEMORY_SPACE != 0,
            bus_master: command & BUS_MASTER != 0,
            power: if self.get16(PM_CONTROL) & 3 == 3 {
                PowerState::D3
            } else {
                PowerState::D0
            },
        }
    }

    /// Sets memory decoding and bus mastering.
    pub(super) fn enable(&mut self) -> Change {
        let command = self.get16(COMMAND) | MEMORY_SPACE | BUS_MASTER;
        self.change(COMMAND, &command.to_le_bytes())
    }

    /// Sets bus mastering, and nothing else.
    pub(super) fn keep_bus_master(&mut self) -> Control {
        let command = self.get16(COMMAND) | BUS_MASTER;
        self.change(COMMAND, &command.to_le_bytes()).after
    }

    /// Clears memory decoding and bus mastering.
    pub(super) fn disable(&mut self) -> Change {
        let command = self.get16(COMMAND) & !(MEMORY_SPACE | BUS_MASTER);
        self.change(COMMAND, &command.to_le_bytes())
    }

    /// Writes the power state into the power management capability.
    pub(super) fn set_power(&mut self, state: PowerState) -> Change {
        let bits = if state == PowerState::D3 { 3 } else { 0 };
        self.change(PM_CONTROL, &[self.bytes[PM_CONTROL] & !3 | bits])
    }

    /// Reads; what is past the space reads as zero. Returns the number of bytes that were inside.
    pub(super) fn read(&self, offset: usize, data: &mut [u8]) -> usize {
        data.fill(0);
        let inside = data.len().min(SIZE.saturating_sub(offset));
        if let (Some(from), Some(to)) = (self.bytes.get(offset..offset + inside), data.get_mut(..inside)) {
            to.copy_from_slice(from);
        }
        inside
    }

    /// Writes the bits that can be written; the rest stays. Returns what that changed.
    pub(super) fn change(&mut self, offset: usize, data: &[u8]) -> Change {
        let before = self.control();
        for (index, value) in data.iter().enumerate() {
            let at = offset.saturating_add(index);
            if let (Some(byte), Some(mask)) = (self.bytes.get_mut(at), self.writable.get(at)) {
                *byte = *byte & !mask | value & mask;
            }
        }
        Change {
            before,
            after: self.control(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Bar, *};

    fn identity() -> Identity {
        Identity {
            vendor: 0x1AF4,
            device: 0x10F0,
            subsystem_vendor: 0x1AF4,
            subsystem: 1,
            class: 0x12_00_00,
            revision: 1,
            bars: vec![
                Some(Bar {
                    length: 0x1_0000,
                    prefetchable: false,
                }),
                None,
            ],
            messages: 5,
        }
    }

    fn space() -> ConfigSpace {
        let bar = BarResource {
            bar: 0,
            base: 0x8000_0000,
            length: 0x1_0000,
            prefetchable: false,
        };
        ConfigSpace::new(&identity(), &[bar], 5)
    }

    #[test]
    fn the_header_says_who_it_is() {
        let mut header = [0; 16];
        assert_eq!(space().read(0, &mut header), 16);
        assert_eq!(header[..4], [0xF4, 0x1A, 0xF0, 0x10]);
        assert_eq!(header[8..12], [1, 0, 0, 0x12]);
    }

    #[test]
    fn the_capability_list_ends_and_has_msi_x() {
        let space = space();
        let mut at = usize::from(space.bytes[0x34]);
        let mut found = Vec::new();
        while at != 0 && found.len() < 10 {
            found.push(space.bytes[at]);
            at = usize::from(space.bytes[at + 1]);
        }
        assert_eq!(found, [0x01, 0x11, 0x10]);
        assert_eq!(space.get16(MSIX_CONTROL) & 0x7FF, 4);
    }

    #[test]
    fn only_writable_bits_change() {
        let mut space = space();
        let change = space.change(0, &[0xFF; 64]);
        assert!(!change.before.bus_master && change.after.bus_master && change.after.memory);
        let mut id = [0; 4];
        space.read(0, &mut id);
        assert_eq!(id, [0xF4, 0x1A, 0xF0, 0x10]);
        let mut bar = [0; 8];
        space.read(0x10, &mut bar);
        assert_eq!(
            u64::from_le_bytes(bar),
            0xFFFF_FFFF_FFFF_0004,
            "sizing a BAR shows its length"
        );
    }

    #[test]
    fn accesses_past_the_end_are_cut() {
        let mut space = space();
        let mut data = [7; 8];
        assert_eq!(space.read(252, &mut data), 4);
        assert_eq!(data[4..], [0; 4]);
        assert_eq!(space.read(usize::MAX, &mut data), 0);
        space.change(usize::MAX, &[1, 2, 3]);
    }
}
