//! A DMA engine as simple as can be: it fills memory at one address, a little later, and interrupts.

use ntsim::pci::{Activity, Bar, DevicePort, Identity, PciFunction, PowerState};
use std::{cell::Cell, rc::Rc};

/// Register: device address, 64 bits.
pub const ADDRESS: usize = 0x00;
/// Register: bytes, 32 bits.
pub const LENGTH: usize = 0x08;
/// Register: a write of what the engine is to do starts it, 32 bits.
pub const GO: usize = 0x0C;
/// Vendor and device of the engine.
pub const VENDOR: u16 = 0x1AF4;
pub const DEVICE: u16 = 0x10F1;
/// Bytes of the register BAR.
pub const BAR_LENGTH: u64 = 4096;
/// Fill the memory.
pub const GO_FILL: u32 = 1;
/// Add one to each byte of the memory.
pub const GO_INCREMENT: u32 = 2;
/// Fill the first half of the memory.
pub const GO_FILL_HALF: u32 = 3;
/// What the engine writes.
pub const FILL: u8 = 0xD5;
/// Turns that the engine takes before it touches memory.
const DELAY: u32 = 20;

/// The engine, and a count of the runs that reached memory, for whoever watches.
pub struct Engine {
    address: u64,
    length: u32,
    go: u32,
    countdown: Option<u32>,
    done: Rc<Cell<u32>>,
}

impl Engine {
    pub fn new(done: Rc<Cell<u32>>) -> Self {
        Self {
            address: 0,
            length: 0,
            go: 0,
            countdown: None,
            done,
        }
    }

    fn run(&mut self, port: &mut dyn DevicePort) {
        let length = self.length as usize;
        let bytes = match self.go {
            GO_INCREMENT => {
                let mut bytes = vec![0; length];
                let read = port.dma_read(self.address, &mut bytes);
                bytes.iter_mut().for_each(|byte| *byte = byte.wrapping_add(1));
                if read.is_ok() { bytes } else { Vec::new() }
            }
            GO_FILL_HALF => vec![FILL; length / 2],
            _ => vec![FILL; length],
        };
        if !bytes.is_empty() && port.dma_write(self.address, &bytes).is_ok() {
            self.done.set(self.done.get() + 1);
        }
        port.message(0);
    }
}

impl PciFunction for Engine {
    fn identity(&self) -> Identity {
        Identity {
            vendor: VENDOR,
            device: DEVICE,
            subsystem_vendor: VENDOR,
            subsystem: 1,
            class: 0x12_0000,
            revision: 1,
            bars: vec![
                Some(Bar {
                    length: BAR_LENGTH,
                    prefetchable: false,
                }),
                None,
            ],
            messages: 1,
        }
    }

    fn read(&mut self, _bar: u8, _offset: u64, _width: u8) -> u64 {
        0
    }

    fn write(&mut self, _bar: u8, offset: u64, _width: u8, value: u64, _port: &mut dyn DevicePort) {
        match offset as usize {
            ADDRESS => self.address = value,
            LENGTH => self.length = value as u32,
            GO => {
                self.go = value as u32;
                self.countdown = Some(DELAY);
            }
            _ => {}
        }
    }

    fn step(&mut self, port: &mut dyn DevicePort) -> Activity {
        match self.countdown {
            None => Activity::Idle,
            Some(0) => {
                self.countdown = None;
                self.run(port);
                Activity::Idle
            }
            Some(turns) => {
                self.countdown = Some(turns - 1);
                Activity::Busy
            }
        }
    }

    fn set_bus_master(&mut self, _enabled: bool) {}

    fn set_power(&mut self, _state: PowerState) {}

    fn unplug(&mut self) {
        self.countdown = None;
    }
}
