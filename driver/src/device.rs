//! The device: what it consists of, and its callbacks.

use hawser_abi::ioctl::DEVICE_INTERFACE_GUID;
use hawser_abi::pci;
use hawser_core::{Limits, SlotId};
use kmdf::dma::{DmaEnabler, EnablerConfig};
use kmdf::{
    DeviceHandle, DeviceInit, DeviceOps, DriverOps, InterfaceClass, Ledger, LedgerRef, NewDevice, Pool, PoolTag,
    Presented, Resources, Result, SpinLock,
};

use crate::carve::{Arena, LargeLists, Scratch};
use crate::controller;
use crate::hardware::{self, Hardware};
use crate::ioctl::Requests;
use crate::isr::{Interrupts, Messages};
use crate::job::Job;
use crate::let_go::LetGo;
use crate::params::Params;
use crate::results::Handle;
use crate::rings::QueuePair;
use crate::settle::Settling;
use crate::slots::Slots;
use crate::stage::MapStage;
use crate::stats::Counters;
use crate::submit::{Arrival, Workbench};
use crate::teardown::{self, Control};
use crate::waiting::Waiting;
use crate::watchdog::Watchdog;

/// The tag of the driver's pool memory.
const TAG: PoolTag = PoolTag::new(b"Hwsr");
/// Bytes to which buffers should be aligned: a cache line.
const ALIGNMENT: u32 = 64;
const PAGE: usize = 4096;
const QUEUES: usize = pci::MAX_QUEUES as usize;

/// The driver.
#[derive(Debug)]
pub struct Hawser;
kmdf::context_type!(Hawser);

impl DriverOps for Hawser {
    fn device_add(&self, init: DeviceInit<'_>) -> Result {
        let params = Params::read(init.parameters());
        init.with_files::<Handle>()
            .with_request_notes::<Arrival>()
            .create(|new| Device::new(new, params))
    }

    fn unload(&self, ledger: &Ledger) {
        if !ledger.is_even() {
            kmdf::message(c"hawser: unloaded while it still holds resources");
        }
    }
}

/// A Hawser device.
#[derive(Debug)]
pub struct Device {
    pub handle: DeviceHandle,
    pub ledger: LedgerRef,
    pub pool: Pool,
    pub params: Params,
    /// Pages that the mappings of one request in one direction may span together.
    pub map_registers: u32,
    pub counters: Counters,
    pub interrupts: Interrupts,
    pub let_go: LetGo,
    pub arena: Arena,
    pub scratch: Scratch,
    pub large_lists: LargeLists,
    pub workbench: Workbench,
    pub slots: Slots,
    pub waiting: Waiting,
    pub map_stage: MapStage,
    pub settling: Settling,
    pub control: Control,
    pub watchdog: Watchdog,
    queues: [Option<SpinLock<QueuePair>>; QUEUES],
}
kmdf::context_type!(Device);

// It passes through the stack when it is made, and a kernel stack has 24 KiB.
const _: () = assert!(size_of::<Device>() <= 2560);

/// What the parts of a device are made of.
#[derive(Debug)]
pub struct Parts<'a> {
    pub enabler: &'a DmaEnabler,
    pub ledger: LedgerRef,
    pub pool: Pool,
}

impl Device {
    fn new(new: &NewDevice<'_>, params: Params) -> Result<Self> {
        // A buffer that does not start at a page takes one page more.
        let config = EnablerConfig {
            maximum_length: params.max_data as usize + PAGE,
            alignment: ALIGNMENT,
        };
        let (enabler, authority) = new.dma_enabler(&config)?;
        let (ledger, pool) = (new.ledger(), new.pool(TAG));
        let parts = Parts {
            enabler: &enabler,
            ledger,
            pool,
        };
        let device = Self {
            handle: new.handle(),
            ledger,
            pool,
            params,
            map_registers: map_registers(config.maximum_length, enabler.fragment_length()),
            counters: Counters::default(),
            interrupts: Interrupts::default(),
            let_go: LetGo::new(authority),
            arena: Arena::new(new, &enabler, pool, params.arena)?,
            scratch: Scratch::new(new, pool)?,
            large_lists: LargeLists::new(new, pool, params.max_steps)?,
            workbench: Workbench::new(new, pool, params.max_steps)?,
            slots: Slots::new(new, pool, || Job::new(&parts))?,
            waiting: Waiting::new(new)?,
            map_stage: MapStage::new(new)?,
            settling: Settling::new(new)?,
            control: Control::new(new)?,
            watchdog: Watchdog::new(new)?,
            queues: queues(new, &enabler, params.queues)?,
        };
        for message in 0..pci::MSIX_MESSAGES.into() {
            new.interrupt::<Messages>(message)?;
        }
        new.default_queue::<Requests>(Presented::All)?;
        new.interface(&InterfaceClass::new(DEVICE_INTERFACE_GUID))?;
        Ok(device)
    }

    /// What the device takes, while it has hardware.
    pub fn limits(&self) -> Option<Limits> {
        self.interrupts.hardware.borrow().map(|hardware| hardware.limits)
    }

    /// Queue `number`, if there is one.
    pub fn queue(&self, number: u16) -> Option<&SpinLock<QueuePair>> {
        self.queues.get(usize::from(number))?.as_ref()
    }

    /// The queue for the commands of a slot.
    pub fn queue_of(&self, slot: SlotId, hardware: &Hardware) -> Option<&SpinLock<QueuePair>> {
        self.queue(slot.tag().checked_rem(hardware.queues)?)
    }

    /// All queues.
    pub fn all_queues(&self) -> impl Iterator<Item = &SpinLock<QueuePair>> {
        self.queues.iter().flatten()
    }
}

/// How many map registers a request can count on. A transfer of the longest length that the framework allows has one page more where it does not begin at one.
fn map_registers(wanted: usize, longest: usize) -> u32 {
    if longest >= wanted {
        return u32::MAX;
    }
    u32::try_from(longest / PAGE).unwrap_or(u32::MAX)
}

fn queues(new: &NewDevice<'_>, enabler: &DmaEnabler, count: u16) -> Result<[Option<SpinLock<QueuePair>>; QUEUES]> {
    let mut queues = [const { None }; QUEUES];
    for (number, place) in (0..count).zip(&mut queues) {
        *place = Some(new.spin_lock(QueuePair::new(enabler, number)?)?);
    }
    Ok(queues)
}

impl DeviceOps for Device {
    fn prepare_hardware(&self, resources: &Resources<'_>) -> Result {
        hardware::prepare(self, resources)
    }

    fn release_hardware(&self) -> Result {
        hardware::release(self)
    }

    fn d0_entry(&self) -> Result {
        teardown::power_up(self)
    }

    fn interrupts_enabled(&self) -> Result {
        if let Some(hardware) = self.interrupts.hardware.borrow() {
            controller::unmask(&hardware);
        }
        Ok(())
    }

    fn interrupts_disabling(&self) -> Result {
        if let Some(hardware) = self.interrupts.hardware.borrow() {
            controller::mask(&hardware);
        }
        Ok(())
    }

    fn d0_exit(&self) -> Result {
        self.watchdog.rest();
        teardown::power_down(self);
        Ok(())
    }

    fn suspending(&self) -> Result {
        self.waiting.pause();
        Ok(())
    }

    fn restarted(&self) -> Result {
        self.waiting.resume();
        Ok(())
    }

    fn surprise_removal(&self) {
        // Requests must not be touched here. The work item finds the device gone, and ends them.
        teardown::request(self);
    }
}
