//! A device with narrow addresses: it starts only where it reaches the memory that it shares with the driver.

use hawser_abi::{pci, registers as reg};
use hawser_device::Accelerator;
use hawser_machine::{AcceleratorSlot, SimConfig, SimError, SimPc};
use ntsim::pci::{Activity, DevicePort, Identity, PciFunction, PowerState};

/// A device that says that it has so many address bits.
struct Narrow {
    inner: AcceleratorSlot,
    bits: u64,
}

impl PciFunction for Narrow {
    fn identity(&self) -> Identity {
        self.inner.identity()
    }

    fn read(&mut self, bar: u8, offset: u64, width: u8) -> u64 {
        let value = self.inner.read(bar, offset, width);
        if bar == pci::REGISTER_BAR && offset == reg::CAP {
            value & !(0xFF << 32) | self.bits << 32
        } else {
            value
        }
    }

    fn write(&mut self, bar: u8, offset: u64, width: u8, value: u64, port: &mut dyn DevicePort) {
        self.inner.write(bar, offset, width, value, port);
    }

    fn step(&mut self, port: &mut dyn DevicePort) -> Activity {
        self.inner.step(port)
    }

    fn set_bus_master(&mut self, enabled: bool) {
        self.inner.set_bus_master(enabled);
    }

    fn set_power(&mut self, state: PowerState) {
        self.inner.set_power(state);
    }

    fn unplug(&mut self) {
        self.inner.unplug();
    }
}

fn start(bits: u64) -> Result<SimPc, SimError> {
    let device = Narrow {
        inner: AcceleratorSlot::new(Accelerator::new()),
        bits,
    };
    let config = SimConfig {
        memory: crate::common::MODELS[1],
        ..crate::common::config()
    };
    SimPc::start_with(&config, Box::new(device))
}

#[test]
fn a_device_that_cannot_reach_the_arena_or_a_ring_does_not_start() {
    let refused = start(32).err();
    assert!(matches!(refused, Some(SimError::DeviceStart { .. })), "{refused:?}");
}

#[test]
fn a_device_that_reaches_them_starts() {
    crate::common::stop(start(64).expect("the device starts"));
}
