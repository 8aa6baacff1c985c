//! How much work a run is: counted in scheduling points, never in seconds.
#![allow(unsafe_code, reason = "register accesses are")]
#![allow(clippy::undocumented_unsafe_blocks, reason = "driver code under test")]

use ntsim::{
    Machine,
    pci::{self, Activity, DevicePort, Identity, PciFunction, PowerState},
    sched,
};
use std::{cell::Cell, rc::Rc};

/// A function that needs many steps and then says so.
struct Worker {
    left: Rc<Cell<u32>>,
}

impl PciFunction for Worker {
    fn identity(&self) -> Identity {
        Identity {
            vendor: 1,
            device: 2,
            subsystem_vendor: 0,
            subsystem: 0,
            class: 0,
            revision: 0,
            bars: Vec::new(),
            messages: 1,
        }
    }

    fn read(&mut self, _bar: u8, _offset: u64, _width: u8) -> u64 {
        0
    }

    fn write(&mut self, _bar: u8, _offset: u64, _width: u8, _value: u64, _port: &mut dyn DevicePort) {}

    fn step(&mut self, _port: &mut dyn DevicePort) -> Activity {
        self.left.set(self.left.get().saturating_sub(1));
        if self.left.get() == 0 {
            Activity::Idle
        } else {
            Activity::Busy
        }
    }

    fn set_bus_master(&mut self, _enabled: bool) {}

    fn set_power(&mut self, _state: PowerState) {}

    fn unplug(&mut self) {}
}

#[test]
fn a_device_works_at_a_point_a_step_while_processors_are_idle() {
    let m = Machine::builder().build();
    let left = Rc::new(Cell::new(65_536));
    let id = pci::plug(Box::new(Worker { left: Rc::clone(&left) }));
    pci::start(id);
    m.run_until(|| left.get() == 0).unwrap();
    assert!(m.report().points < 70_000, "{}", m.report().points);
}

#[test]
fn a_device_works_while_processors_are_busy() {
    let m = Machine::builder().processors(1).build();
    let left = Rc::new(Cell::new(1000));
    let id = pci::plug(Box::new(Worker { left: Rc::clone(&left) }));
    pci::start(id);
    let seen = Rc::clone(&left);
    m.run("poller", move || {
        while seen.get() > 0 {
            sched::point("poll");
        }
    })
    .unwrap();
    assert!(m.report().points < 40_000, "{}", m.report().points);
}
