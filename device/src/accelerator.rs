//! The device as a whole: presence, power, reset and the order in which it does its work.

use hawser_abi::pci::{MAX_QUEUES, MSIX_MESSAGES};
use hawser_abi::registers::control;

use crate::behaviour::{Behaviour, Faultless};
use crate::bus::{Activity, HostBus};
use crate::fault::FatalFault;
use crate::host_access::BusMaster;
use crate::interrupts::{Delivery, ERROR_CAUSE, Interrupts, queue_cause};
use crate::local_memory::LocalMemory;
use crate::moderation::Moderation;
use crate::queue_pair::QueuePair;

/// Pieces of work from power-on until the device is ready.
const STARTING_STEPS: u8 = 8;
/// Pieces of work that a reset takes.
pub(crate) const RESET_STEPS: u8 = 8;
/// Pieces left of a reset when the device stops accessing host memory.
const RESET_QUIET_STEPS: u8 = RESET_STEPS / 2;

/// Whether the device can be reached at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Powered,
    Unpowered,
    Gone,
}

/// What the device is busy with as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Starting { left: u8 },
    Ready,
    Failed,
    Resetting { left: u8 },
}

/// The accelerator.
///
/// Registers and doorbells only record what is asked for; the work is done by [`Accelerator::step`], one bounded piece a call.
pub struct Accelerator {
    pub(crate) presence: Presence,
    pub(crate) phase: Phase,
    pub(crate) control: u32,
    /// The first fatal fault since it was cleared.
    pub(crate) fault: Option<FatalFault>,
    pub(crate) interrupts: Interrupts,
    pub(crate) moderation: Moderation,
    pub(crate) queues: [QueuePair; MAX_QUEUES as usize],
    pub(crate) local: LocalMemory,
    pub(crate) master: BusMaster,
    pub(crate) behaviour: Box<dyn Behaviour>,
    /// The queue that is asked for work first.
    pub(crate) turn: u16,
}

impl Default for Accelerator {
    fn default() -> Self {
        Self::new()
    }
}

impl Accelerator {
    /// A device that works, just powered: it becomes ready after some pieces of work. Bus mastering is off.
    pub fn new() -> Self {
        Self::with_behaviour(Box::new(Faultless))
    }

    /// A device that behaves as it is told.
    pub fn with_behaviour(behaviour: Box<dyn Behaviour>) -> Self {
        Self {
            presence: Presence::Powered,
            phase: Phase::Starting { left: STARTING_STEPS },
            control: 0,
            fault: None,
            interrupts: Interrupts::new(),
            moderation: Moderation::default(),
            queues: Default::default(),
            local: LocalMemory::new(),
            master: BusMaster::Disabled,
            behaviour,
            turn: 0,
        }
    }

    /// Does one piece of work.
    pub fn step(&mut self, bus: &mut dyn HostBus) -> Activity {
        if self.presence != Presence::Powered {
            return Activity::Idle;
        }
        let activity = match self.phase {
            Phase::Starting { left } => self.start(left),
            Phase::Resetting { left } => self.reset(left, bus),
            Phase::Failed => Activity::Idle,
            Phase::Ready => self.work(bus),
        };
        self.deliver_interrupts(bus);
        activity
    }

    /// Follows the Bus Master Enable bit of the PCI command register. Messages that could not be sent are sent by the next
    /// [`Accelerator::step`] after it is set.
    pub fn set_bus_master(&mut self, master: BusMaster) {
        self.master = master;
    }

    /// Goes from D0 to D3: all state is lost, registers read as ones.
    pub fn power_off(&mut self, bus: &mut dyn HostBus) {
        if self.presence == Presence::Powered {
            self.presence = Presence::Unpowered;
            self.deliver_interrupts(bus);
            self.lose_state();
        }
    }

    /// Goes from D3 to D0: the device starts anew.
    pub fn power_on(&mut self) {
        if self.presence == Presence::Unpowered {
            self.presence = Presence::Powered;
        }
    }

    /// Removes the device for ever.
    pub fn unplug(&mut self, bus: &mut dyn HostBus) {
        self.presence = Presence::Gone;
        self.deliver_interrupts(bus);
        self.lose_state();
    }

    /// What the first fatal fault was, in words, for messages of a simulator; no register shows it.
    pub fn fault_detail(&self) -> Option<&'static str> {
        self.fault.map(|fault| fault.detail)
    }

    /// Reads device-local memory through BAR 2; ones where there is nothing.
    pub fn read_local(&self, offset: u64, into: &mut [u8]) {
        match self.local.get(offset, into.len()) {
            Some(bytes) if self.presence == Presence::Powered => into.copy_from_slice(bytes),
            _ => into.fill(0xFF),
        }
    }

    /// Writes device-local memory through BAR 2; dropped where there is nothing.
    pub fn write_local(&mut self, offset: u64, from: &[u8]) {
        if self.presence == Presence::Powered
            && let Some(bytes) = self.local.get_mut(offset, from.len())
        {
            bytes.copy_from_slice(from);
        }
    }

    /// Stops the device for a fault; the fault registers keep the first one.
    pub(crate) fn fail(&mut self, fault: FatalFault) {
        self.fault.get_or_insert(fault);
        self.phase = Phase::Failed;
        if self.behaviour.raises(ERROR_CAUSE) {
            self.interrupts.raise(ERROR_CAUSE);
        }
    }

    pub(crate) fn deliver_interrupts(&mut self, bus: &mut dyn HostBus) {
        let delivery = match (self.presence, self.control & control::MSIX, self.master) {
            (Presence::Unpowered | Presence::Gone, ..) => Delivery::Nothing,
            (_, 0, _) => Delivery::Line,
            (.., BusMaster::Disabled) => Delivery::MessagesHeld,
            (.., BusMaster::Enabled) => Delivery::Messages(self.vectors()),
        };
        self.interrupts.deliver(delivery, bus);
    }

    fn vectors(&self) -> [u16; MSIX_MESSAGES as usize] {
        let [q0, q1, q2, q3] = self.queues.each_ref().map(QueuePair::message);
        [hawser_abi::pci::ERROR_MESSAGE, q0, q1, q2, q3]
    }

    pub(crate) fn begin_reset(&mut self) {
        // A device that failed has stopped already.
        let left = match self.phase {
            Phase::Failed => RESET_QUIET_STEPS,
            _ => RESET_STEPS,
        };
        self.phase = Phase::Resetting { left };
        self.interrupts.reset();
    }

    fn start(&mut self, left: u8) -> Activity {
        self.phase = match left.checked_sub(1) {
            Some(left) => Phase::Starting { left },
            None => Phase::Ready,
        };
        Activity::Busy
    }

    fn reset(&mut self, left: u8, bus: &mut dyn HostBus) -> Activity {
        if left > RESET_QUIET_STEPS && self.control & control::ENABLE != 0 {
            self.run_down(bus);
        }
        match left.checked_sub(1) {
            Some(left) => self.phase = Phase::Resetting { left },
            None => {
                self.forget_configuration();
                self.phase = Phase::Ready;
            }
        }
        Activity::Busy
    }

    fn work(&mut self, bus: &mut dyn HostBus) -> Activity {
        if self.raise_due(bus.now_ns()) || (self.control & control::ENABLE != 0 && self.work_on_queues(bus)) {
            return Activity::Busy;
        }
        let moderation = self.moderation;
        let due = self
            .queues
            .iter()
            .filter_map(|queue| queue.collected.due_ns(moderation));
        due.min().map_or(Activity::Idle, Activity::WaitUntil)
    }

    /// Raises the interrupts whose moderation is over.
    fn raise_due(&mut self, now_ns: u64) -> bool {
        let mut any = false;
        for (queue, number) in self.queues.iter_mut().zip(0..) {
            if queue.collected.take_due(self.moderation, now_ns) {
                any = true;
                if self.behaviour.raises(queue_cause(number)) {
                    self.interrupts.raise(queue_cause(number));
                }
            }
        }
        any
    }

    fn forget_configuration(&mut self) {
        self.control = 0;
        self.interrupts.reset();
        self.moderation = Moderation::default();
        self.queues = Default::default();
        self.turn = 0;
    }

    fn lose_state(&mut self) {
        self.forget_configuration();
        self.fault = None;
        self.local = LocalMemory::new();
        self.phase = Phase::Starting { left: STARTING_STEPS };
    }
}
