//! A PC from power-on to shutdown.

use std::rc::Rc;

use hawser_abi::ioctl::DEVICE_INTERFACE_GUID;
use hawser_abi::package::SERVICE;
use hawser_device::Accelerator;
use ntsim::hal::Registers;
use ntsim::machine::{InterruptSupply, Machine, MachineOwner, Scarcity};
use ntsim::mem::{MemoryModel, PAGE, Protection};
use ntsim::nt::io::{Account, Driver, Failure};
use ntsim::nt::pnp::{Device, DeviceState};
use ntsim::nt::registry::{SERVICES, Value};
use ntsim::pci::PciFunction;
use ntsim::sched::Schedule;
use ntsim::trace::TraceMode;
use wdk_sys::GUID;

use crate::{AcceleratorSlot, Access, DriverForm, Report, SimBuffer, SimError, SimHandle};

/// How a PC is built.
#[derive(Clone, Debug)]
pub struct SimConfig {
    /// The form of the driver that is loaded.
    pub driver: DriverForm,
    /// How device addresses relate to memory.
    pub memory: MemoryModel,
    /// Seed of the order in which things happen; without one, first come, first served.
    pub seed: Option<u64>,
    /// Interrupts that the bus grants the device.
    pub interrupts: InterruptSupply,
    /// What is kept of the trace.
    pub trace: TraceMode,
    /// Map registers of the device's adapter.
    pub map_registers: Registers,
    /// REG_DWORD values in the driver's parameters key.
    pub parameters: Vec<(String, u32)>,
    /// Which calls fail for want of memory or address space.
    pub scarcity: Scarcity,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            driver: DriverForm::default(),
            memory: MemoryModel::Iommu,
            seed: None,
            interrupts: InterruptSupply::Messages(u16::MAX),
            trace: TraceMode::Off,
            map_registers: Registers::Enough,
            parameters: Vec::new(),
            scarcity: Scarcity::default(),
        }
    }
}

/// A running PC. Clones are the same PC.
#[derive(Clone, Debug)]
pub struct SimPc {
    inner: Rc<Inner>,
}

#[derive(Debug)]
struct Inner {
    machine: MachineOwner,
    driver: Driver,
    device: Device,
}

impl SimPc {
    /// Boots a PC, loads the driver and starts the device.
    ///
    /// # Errors
    /// The driver did not load, the device did not start, something was left when it did not, or the machine stopped.
    pub fn start(config: &SimConfig) -> Result<Self, SimError> {
        Self::start_with(config, Box::new(AcceleratorSlot::new(Accelerator::new())))
    }

    /// The same with a device of the caller's, such as one that misbehaves.
    ///
    /// # Errors
    /// As for [`start`](Self::start).
    pub fn start_with(config: &SimConfig, function: Box<dyn PciFunction>) -> Result<Self, SimError> {
        let machine = build(config);
        let key = format!(r"{SERVICES}\{SERVICE}\Parameters");
        for (name, number) in &config.parameters {
            machine.set_registry_value(&key, name, Value::dword(*number));
        }
        let driver = config.driver.load(&machine, SERVICE).map_err(|failure| {
            explain(failure, |status| SimError::DriverLoad {
                driver: config.driver.to_string(),
                status,
            })
        })?;
        let device = machine
            .plug(&driver, function)
            .map_err(|failure| not_started(&machine, driver, failure))?;
        Ok(Self {
            inner: Rc::new(Inner {
                machine,
                driver,
                device,
            }),
        })
    }

    /// The machine, for tests that look inside.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        &self.inner.machine
    }

    /// The device in its slot, for tests of plug and play and power.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.inner.device
    }

    /// Opens the device as a plain user.
    ///
    /// # Errors
    /// The user may not, the driver refuses, or the machine stopped.
    pub fn open(&self, access: Access) -> Result<SimHandle, SimError> {
        self.open_as(Account::User, access)
    }

    /// Opens the device.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn open_as(&self, account: Account, access: Access) -> Result<SimHandle, SimError> {
        let (data1, data2, data3, data4) = DEVICE_INTERFACE_GUID;
        let class = GUID {
            Data1: data1,
            Data2: data2,
            Data3: data3,
            Data4: data4,
        };
        let opened = self.inner.machine.open_as(account, class, access.into());
        let handle = opened.map_err(|failure| explain(failure, |status| SimError::Open { status }))?;
        Ok(SimHandle::new(self.clone(), handle))
    }

    /// Allocates zeroed memory of the user process that begins `page_offset` bytes into a page.
    ///
    /// # Errors
    /// The offset is not inside a page.
    pub fn allocate(&self, length: usize, page_offset: usize) -> Result<SimBuffer, SimError> {
        self.allocate_as(length, page_offset, Protection::ReadWrite)
    }

    /// The same, as memory that the process may not write.
    ///
    /// # Errors
    /// The offset is not inside a page.
    pub fn allocate_read_only(&self, length: usize, page_offset: usize) -> Result<SimBuffer, SimError> {
        self.allocate_as(length, page_offset, Protection::ReadOnly)
    }

    fn allocate_as(&self, length: usize, page_offset: usize, protection: Protection) -> Result<SimBuffer, SimError> {
        if page_offset >= PAGE {
            return Err(SimError::PageOffset { page_offset });
        }
        Ok(SimBuffer::new(self.inner.machine.user_memory().allocate(
            length,
            page_offset,
            protection,
        )))
    }

    /// Lets the machine run for a microsecond of its own time.
    ///
    /// # Errors
    /// The machine stopped.
    pub fn run_for_progress(&self) -> Result<(), SimError> {
        Ok(self.inner.machine.pass_time(1000)?)
    }

    /// Fails where the machine has stopped.
    pub(crate) fn alive(&self) -> Result<(), SimError> {
        self.inner.machine.crash().map_or(Ok(()), |crash| Err(crash.into()))
    }

    fn until_removed(&self) -> Result<(), SimError> {
        let device = &self.inner.device;
        Ok(self
            .inner
            .machine
            .run_until(|| device.state() == DeviceState::Removed)?)
    }

    /// Removes the device, unless it is gone already, unloads the driver and checks that nothing is outstanding.
    ///
    /// # Errors
    /// The machine stopped, or something is left.
    pub fn shutdown(self) -> Result<Report, SimError> {
        let outstanding = |failure| explain(failure, |status| SimError::Shutdown { status });
        match self.inner.device.state() {
            // A device that was pulled out goes by itself when its last handle is closed.
            DeviceState::SurpriseRemoved | DeviceState::Removed => self.until_removed()?,
            _ => self.inner.device.remove().map_err(outstanding)?,
        }
        self.inner.driver.unload().map_err(outstanding)?;
        let report = Report::new(self.inner.machine.report());
        if report.is_clean() {
            Ok(report)
        } else {
            Err(SimError::Outstanding(Box::new(report)))
        }
    }
}

fn build(config: &SimConfig) -> MachineOwner {
    let builder = Machine::builder()
        .memory(config.memory)
        .interrupts(config.interrupts)
        .record_trace(config.trace)
        .scarcity(config.scarcity)
        .with(|options| options.map_registers = config.map_registers);
    match config.seed {
        None => builder.build(),
        Some(seed) => builder.seed(seed).schedule(Schedule::Random).build(),
    }
}

/// A device that did not start has been removed. Its driver goes too, and must leave nothing: what it leaves is reported in place of the status.
fn not_started(machine: &Machine, driver: Driver, failure: Failure) -> SimError {
    let Failure::Status(start) = failure else {
        return explain(failure, |status| SimError::DeviceStart { status });
    };
    if let Err(failure) = driver.unload() {
        return explain(failure, |status| SimError::Shutdown { status });
    }
    let report = Report::new(machine.report());
    if report.is_clean() {
        SimError::DeviceStart {
            status: start.cast_unsigned(),
        }
    } else {
        SimError::Outstanding(Box::new(report))
    }
}

/// A refusal by its status, or the stop of the machine.
fn explain(failure: Failure, refusal: impl FnOnce(u32) -> SimError) -> SimError {
    match failure {
        Failure::Status(status) => refusal(status.cast_unsigned()),
        Failure::Image(error) => SimError::Image(error),
        Failure::Crash(crash) => SimError::Stopped(crash),
    }
}
