//! The accelerator model in a PCI Express slot of the simulated PC.

use hawser_abi::pci;
use hawser_device::{Accelerator, Activity, BusError, BusMaster, HostBus};
use ntsim::pci::{self as slot, DevicePort, Level, PciFunction, PowerState};

/// The model as a PCI function.
pub struct AcceleratorSlot {
    model: Accelerator,
    desk: Desk,
}

impl AcceleratorSlot {
    /// Puts `model` into a slot.
    #[must_use]
    pub fn new(model: Accelerator) -> Self {
        Self {
            model,
            desk: Desk::default(),
        }
    }

    /// Runs `work` with the model and the host, and first hands over what the model said while the slot offered none.
    fn with_host<T>(
        &mut self,
        port: &mut dyn DevicePort,
        work: impl FnOnce(&mut Accelerator, &mut dyn HostBus) -> T,
    ) -> T {
        if let Some(level) = self.desk.line.take() {
            port.line(level);
        }
        work(&mut self.model, &mut Host { port })
    }
}

impl PciFunction for AcceleratorSlot {
    fn identity(&self) -> slot::Identity {
        let bar = |length, prefetchable| Some(slot::Bar { length, prefetchable });
        slot::Identity {
            vendor: pci::VENDOR_ID,
            device: pci::DEVICE_ID,
            subsystem_vendor: pci::VENDOR_ID,
            subsystem: 1,
            class: pci::CLASS_CODE,
            revision: pci::REVISION,
            bars: vec![
                bar(pci::REGISTER_BAR_SIZE, false),
                None,
                bar(pci::MEMORY_BAR_SIZE, true),
                None,
            ],
            messages: pci::MSIX_MESSAGES,
        }
    }

    fn read(&mut self, bar: u8, offset: u64, width: u8) -> u64 {
        match bar {
            pci::REGISTER_BAR => self.model.read_register(offset, width, &mut self.desk),
            _ => {
                let mut bytes = [0; 8];
                let length = usize::from(width).min(bytes.len());
                self.model.read_local(offset, &mut bytes[..length]);
                u64::from_le_bytes(bytes)
            }
        }
    }

    fn write(&mut self, bar: u8, offset: u64, width: u8, value: u64, port: &mut dyn DevicePort) {
        match bar {
            pci::REGISTER_BAR => self.with_host(port, |model, host| model.write_register(offset, width, value, host)),
            _ => self
                .model
                .write_local(offset, &value.to_le_bytes()[..usize::from(width).min(8)]),
        }
    }

    fn step(&mut self, port: &mut dyn DevicePort) -> slot::Activity {
        match self.with_host(port, |model, host| model.step(host)) {
            Activity::Idle => slot::Activity::Idle,
            Activity::Busy => slot::Activity::Busy,
            Activity::WaitUntil(ns) => slot::Activity::WaitUntil(ns),
        }
    }

    fn set_bus_master(&mut self, enabled: bool) {
        let mode = if enabled {
            BusMaster::Enabled
        } else {
            BusMaster::Disabled
        };
        self.model.set_bus_master(mode);
    }

    fn set_power(&mut self, state: PowerState) {
        match state {
            PowerState::D0 => self.model.power_on(),
            PowerState::D3 => self.model.power_off(&mut self.desk),
        }
    }

    fn unplug(&mut self) {
        self.model.unplug(&mut self.desk);
    }
}

/// The host as the model sees it while the slot serves it.
struct Host<'a> {
    port: &'a mut dyn DevicePort,
}

impl HostBus for Host<'_> {
    fn read(&mut self, address: u64, into: &mut [u8]) -> Result<(), BusError> {
        self.port.dma_read(address, into).map_err(|_| BusError)
    }

    fn write(&mut self, address: u64, from: &[u8]) -> Result<(), BusError> {
        self.port.dma_write(address, from).map_err(|_| BusError)
    }

    fn message(&mut self, vector: u16) {
        self.port.message(vector);
    }

    fn line(&mut self, asserted: bool) {
        self.port.line(level(asserted));
    }

    fn now_ns(&self) -> u64 {
        self.port.now_ns()
    }
}

/// Stands in for the host on the occasions at which a slot offers none (register reads, power and bus-master changes): memory cannot be
/// reached then, and a change of the interrupt line is kept for the next visit.
#[derive(Default)]
struct Desk {
    line: Option<Level>,
}

impl HostBus for Desk {
    fn read(&mut self, _address: u64, _into: &mut [u8]) -> Result<(), BusError> {
        Err(BusError)
    }

    fn write(&mut self, _address: u64, _from: &[u8]) -> Result<(), BusError> {
        Err(BusError)
    }

    fn message(&mut self, _vector: u16) {}

    fn line(&mut self, asserted: bool) {
        self.line = Some(level(asserted));
    }

    fn now_ns(&self) -> u64 {
        ntsim::machine::with(|machine| machine.now().ns())
    }
}

fn level(asserted: bool) -> Level {
    if asserted { Level::Asserted } else { Level::Deasserted }
}
