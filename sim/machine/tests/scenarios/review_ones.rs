//! Registers that read as ones are no proof that the device has stopped: it is stopped by its configuration space before any memory is let go.

use std::cell::Cell;
use std::rc::Rc;

use crate::common::{MODELS, copy_halves, open, pattern, stop, submit};
use hawser_abi::pci;
use hawser_device::Accelerator;
use hawser_machine::{AcceleratorSlot, MemoryModel, SimConfig, SimPc};
use ntsim::pci::{Activity, DevicePort, Identity, PciFunction, PowerState};

const SIZE: usize = 64 * 1024;

/// What the test sees of the device, and tells it.
#[derive(Clone, Default)]
struct Switches {
    /// Its registers read as ones, and what is written to them is lost.
    blind: Rc<Cell<bool>>,
    /// Its bus mastering.
    mastering: Rc<Cell<bool>>,
}

/// A device whose register side fails while its DMA side goes on: it would write as soon as it is let.
struct Blind {
    inner: AcceleratorSlot,
    switches: Switches,
}

impl PciFunction for Blind {
    fn identity(&self) -> Identity {
        self.inner.identity()
    }

    fn read(&mut self, bar: u8, offset: u64, width: u8) -> u64 {
        if bar == pci::REGISTER_BAR && self.switches.blind.get() {
            return u64::MAX;
        }
        self.inner.read(bar, offset, width)
    }

    fn write(&mut self, bar: u8, offset: u64, width: u8, value: u64, port: &mut dyn DevicePort) {
        if !self.switches.blind.get() {
            self.inner.write(bar, offset, width, value, port);
        }
    }

    fn step(&mut self, port: &mut dyn DevicePort) -> Activity {
        self.inner.step(port)
    }

    fn set_bus_master(&mut self, enabled: bool) {
        self.switches.mastering.set(enabled);
        self.inner.set_bus_master(enabled);
    }

    fn set_power(&mut self, state: PowerState) {
        self.inner.set_power(state);
    }

    fn unplug(&mut self) {
        self.inner.unplug();
    }
}

fn start(memory: MemoryModel, switches: &Switches) -> SimPc {
    let device = Blind {
        inner: AcceleratorSlot::new(Accelerator::new()),
        switches: switches.clone(),
    };
    let config = SimConfig {
        memory,
        parameters: vec![("TimeoutMs".to_owned(), 250)],
        ..crate::common::config()
    };
    SimPc::start_with(&config, Box::new(device)).expect("the PC starts")
}

#[test]
fn memory_is_let_go_only_when_bus_mastering_is_off() {
    for memory in MODELS {
        let switches = Switches::default();
        let pc = start(memory, &switches);
        let handle = open(&pc);
        let buffer = pc.allocate(SIZE, 0).expect("user memory");
        buffer.write(0, &pattern(SIZE, 3));
        assert_eq!(submit(&handle, &copy_halves(SIZE, 1), Some(&buffer)).status, 0);
        assert!(switches.mastering.get());
        switches.blind.set(true);
        assert_ne!(submit(&handle, &copy_halves(SIZE, 2), Some(&buffer)).status, 0);
        assert!(
            !switches.mastering.get(),
            "the request has ended, and the device may still write its memory"
        );
        handle.close();
        stop(pc);
    }
}

#[test]
fn a_device_that_was_pulled_out_is_gone_by_its_vendor_identifier() {
    let switches = Switches::default();
    let pc = start(MemoryModel::Iommu, &switches);
    let handle = open(&pc);
    let buffer = pc.allocate(SIZE, 0).expect("user memory");
    switches.blind.set(true);
    let io = handle
        .submit(
            hawser_abi::ioctl::IOCTL_HAWSER_SUBMIT,
            &copy_halves(SIZE, 1),
            Some(&buffer),
        )
        .expect("sent");
    pc.run_for_progress().expect("the machine goes on");
    pc.device().surprise_remove().expect("the machine goes on");
    assert_eq!(
        io.wait().expect("the machine goes on").status,
        hawser_abi::reason::Reason::DeviceGone.status()
    );
    drop(io);
    handle.close();
    stop(pc);
}
