//! The function that the client's device is: a page of registers, and a message for whoever writes its number there.

use crate::setup::Setup;
use ntsim::machine::Machine;
use ntsim::nt::io::Failure;
use ntsim::nt::pnp::Device;
use ntsim::pci::{Activity, Bar, DevicePort, Identity, PciFunction, PowerState};
use std::cell::Cell;
use wdk_sys::*;

struct Function {
    messages: u16,
}

impl PciFunction for Function {
    fn identity(&self) -> Identity {
        Identity {
            vendor: 0x1AF4,
            device: 0x10F0,
            subsystem_vendor: 0,
            subsystem: 0,
            class: 0x12_0000,
            revision: 1,
            bars: vec![
                Some(Bar {
                    length: 0x1000,
                    prefetchable: false,
                }),
                None,
            ],
            messages: self.messages,
        }
    }

    fn read(&mut self, _bar: u8, _offset: u64, _width: u8) -> u64 {
        0
    }

    fn write(&mut self, _bar: u8, _offset: u64, _width: u8, value: u64, port: &mut dyn DevicePort) {
        let message = u16::try_from(value).expect("a message");
        if message < port.messages_granted() {
            port.message(message);
        }
    }

    fn step(&mut self, _port: &mut dyn DevicePort) -> Activity {
        Activity::Idle
    }

    fn set_bus_master(&mut self, _enabled: bool) {}

    fn set_power(&mut self, _state: PowerState) {}

    fn unplug(&mut self) {}
}

/// The device on the bus.
pub struct Bus {
    device: Device,
    driver: Cell<PDRIVER_OBJECT>,
}

impl Bus {
    /// Plugs the function in.
    pub fn load(machine: &Machine, setup: &Setup) -> Result<Self, Failure> {
        let device = machine.enumerate(Box::new(Function {
            messages: setup.messages,
        }))?;
        Ok(Self {
            device,
            driver: Cell::new(core::ptr::null_mut()),
        })
    }

    /// Says whose device it is going to be.
    pub fn set_driver(&self, driver: PDRIVER_OBJECT) {
        self.driver.set(driver);
    }

    /// The physical device object.
    pub fn pdo(&self) -> PDEVICE_OBJECT {
        self.device.pdo()
    }

    /// Calls the client's AddDevice, which is the framework's.
    pub fn add_device(&self) -> NTSTATUS {
        let driver = self.driver.get();
        // SAFETY: a loaded driver has an extension.
        let extension = unsafe { (*driver).DriverExtension };
        // SAFETY: as above.
        let add = unsafe { (*extension).AddDevice }.expect("a framework driver has AddDevice");
        // SAFETY: the driver's own routine, at PASSIVE_LEVEL.
        unsafe { add(driver, self.pdo()) }
    }

    /// The parameters of IRP_MN_START_DEVICE.
    pub fn start_parameters(&self) -> _IO_STACK_LOCATION__bindgen_ty_1 {
        let lists = self.device.resource_lists();
        let mut parameters = _IO_STACK_LOCATION__bindgen_ty_1::default();
        parameters.StartDevice.AllocatedResources = lists.raw;
        parameters.StartDevice.AllocatedResourcesTranslated = lists.translated;
        parameters
    }

    /// Lets the function send a message.
    pub fn fire(&self, message: u32) {
        let resources = ntsim::pci::resources(self.device.function());
        let base = resources.bars.first().expect("one BAR").base;
        let address = PHYSICAL_ADDRESS {
            QuadPart: base.cast_signed(),
        };
        // SAFETY: the register page of a started device.
        let registers = unsafe { ntddk::MmMapIoSpace(address, 0x1000, _MEMORY_CACHING_TYPE::MmNonCached) };
        // SAFETY: mapped right above.
        unsafe { registers.cast::<u32>().write_volatile(message) };
        // SAFETY: as above; nothing uses the mapping any more.
        unsafe { ntddk::MmUnmapIoSpace(registers, 0x1000) };
    }
}
