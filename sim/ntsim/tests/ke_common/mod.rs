//! A small PCI function for the tests of registers and interrupts, and what they have in common.
#![allow(dead_code, reason = "each test program uses a part")]

use ntsim::pci::{self, Activity, Bar, DevicePort, FunctionId, Identity, Level, PciFunction, PowerState};
use std::{cell::RefCell, rc::Rc};
use wdk_sys::PHYSICAL_ADDRESS;

/// The length of BAR 0.
pub const LENGTH: u64 = 0x2000;
/// Writing a number here sends that message.
pub const MESSAGE: u64 = 0x1000;
/// Writing 1 or 0 here drives the line.
pub const LINE: u64 = 0x1008;
/// Writing n here sends message 0 after n nanoseconds.
pub const LATER: u64 = 0x1010;

/// What the function remembers.
#[derive(Debug, Default)]
pub struct Seen {
    /// BAR 0 below [`MESSAGE`].
    pub memory: Vec<u8>,
    /// Accesses in order: `'r'` or `'w'`, offset, width.
    pub log: Vec<(char, u64, u8)>,
    pub bus_master: bool,
    pub power: Vec<PowerState>,
    pub unplugged: bool,
    pub alarm: Option<u64>,
    pub steps: u32,
}

/// The function.
pub struct TestFunction {
    pub seen: Rc<RefCell<Seen>>,
    pub messages: u16,
}

impl PciFunction for TestFunction {
    fn identity(&self) -> Identity {
        Identity {
            vendor: 0x1AF4,
            device: 0x10F0,
            subsystem_vendor: 0x1AF4,
            subsystem: 0,
            class: 0x12_00_00,
            revision: 1,
            bars: vec![
                Some(Bar {
                    length: LENGTH,
                    prefetchable: false,
                }),
                None,
            ],
            messages: self.messages,
        }
    }

    fn read(&mut self, _bar: u8, offset: u64, width: u8) -> u64 {
        let mut seen = self.seen.borrow_mut();
        seen.log.push(('r', offset, width));
        let mut value = [0; 8];
        for (index, byte) in value.iter_mut().take(width.into()).enumerate() {
            *byte = seen.memory.get(offset as usize + index).copied().unwrap_or(0);
        }
        u64::from_le_bytes(value)
    }

    fn write(&mut self, _bar: u8, offset: u64, width: u8, value: u64, port: &mut dyn DevicePort) {
        let mut seen = self.seen.borrow_mut();
        seen.log.push(('w', offset, width));
        for (index, byte) in value.to_le_bytes().into_iter().take(width.into()).enumerate() {
            if let Some(place) = seen.memory.get_mut(offset as usize + index) {
                *place = byte;
            }
        }
        match offset {
            MESSAGE => port.message(value as u16),
            LINE => port.line(if value != 0 { Level::Asserted } else { Level::Deasserted }),
            LATER => seen.alarm = Some(port.now_ns() + value),
            _ => {}
        }
    }

    fn step(&mut self, port: &mut dyn DevicePort) -> Activity {
        let mut seen = self.seen.borrow_mut();
        seen.steps += 1;
        match seen.alarm {
            None => Activity::Idle,
            Some(time) if time > port.now_ns() => Activity::WaitUntil(time),
            Some(_) => {
                seen.alarm = None;
                port.message(0);
                Activity::Idle
            }
        }
    }

    fn set_bus_master(&mut self, enabled: bool) {
        self.seen.borrow_mut().bus_master = enabled;
    }

    fn set_power(&mut self, state: PowerState) {
        self.seen.borrow_mut().power.push(state);
    }

    fn unplug(&mut self) {
        self.seen.borrow_mut().unplugged = true;
    }
}

/// Plugs a function in and starts it.
pub fn plug(messages: u16) -> (FunctionId, Rc<RefCell<Seen>>) {
    let seen = Rc::new(RefCell::new(Seen {
        memory: vec![0; MESSAGE as usize],
        ..Seen::default()
    }));
    let id = pci::plug(Box::new(TestFunction {
        seen: Rc::clone(&seen),
        messages,
    }));
    pci::start(id);
    (id, seen)
}

/// The physical address of BAR 0.
pub fn bar0(id: FunctionId) -> u64 {
    pci::resources(id).bars[0].base
}

/// A physical address as the kernel writes it.
pub fn physical(address: u64) -> PHYSICAL_ADDRESS {
    PHYSICAL_ADDRESS {
        QuadPart: address.cast_signed(),
    }
}

/// Memory for kernel objects that stays in place.
pub fn leak<T>() -> *mut T {
    Box::into_raw(Box::<T>::new_uninit()).cast()
}
