//! Operations on plugged functions: for the bus driver, for register accesses, and their own work.

use super::{
    Activity, BarResource, FunctionId, Identity, InterruptResource, PciFunction, PowerState, Resources,
    config::{Change, ConfigSpace},
    port::Port,
    slot::{Presence, Slot},
};
use crate::{
    machine::{self, InterruptSupply, Machine},
    nt::ke,
    sched::{self, ContextKind},
};
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    rc::Rc,
};
use wdk_sys::PDEVICE_OBJECT;

/// A register access: where and how wide. Naturally aligned and inside the BAR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) bar: u8,
    pub(crate) offset: u64,
    pub(crate) width: u8,
}

/// Plugs a function in and gives it resources.
pub fn plug(model: Box<dyn PciFunction>) -> FunctionId {
    let identity = model.identity();
    machine::with(|m| {
        let bars = place_bars(m, &identity);
        let interrupts = ke::interrupt::allocate(m, supply(m.options.interrupts, identity.messages));
        let lines = interrupts.iter().map(|(line, _)| *line).collect();
        let interrupts: Vec<_> = interrupts.into_iter().map(|(_, resource)| resource).collect();
        m.pci.add(|id| Slot {
            id,
            config: RefCell::new(ConfigSpace::new(&identity, &bars, identity.messages)),
            model: RefCell::new(model),
            identity,
            resources: Resources { bars, interrupts },
            lines,
            power: Cell::new(PowerState::D0),
            present: Cell::new(Presence::Plugged),
            activity: Cell::new(Activity::Idle),
            pdo: Cell::new(0),
            stepper: RefCell::new(None),
        })
    })
}

fn place_bars(m: &Machine, identity: &Identity) -> Vec<BarResource> {
    let bars = identity.bars.iter().enumerate();
    bars.filter_map(|(bar, shape)| {
        let shape = (*shape)?;
        assert!(
            shape.length.is_power_of_two() && shape.length >= 4096,
            "a BAR is a power of two of at least a page"
        );
        let base = m.pci.allocate(shape.length);
        Some(BarResource {
            bar: bar as u8,
            base,
            length: shape.length,
            prefetchable: shape.prefetchable,
        })
    })
    .collect()
}

/// How many messages a function gets; 0 for a line.
fn supply(supply: InterruptSupply, wanted: u16) -> u16 {
    match supply {
        InterruptSupply::Messages(most) => wanted.min(most),
        InterruptSupply::Line => 0,
    }
}

fn slot(id: FunctionId) -> Rc<Slot> {
    machine::with(|m| m.pci.slot(id)).expect("a function is named by the machine it is plugged into")
}

/// Who a function is.
#[must_use]
pub fn identity(id: FunctionId) -> Identity {
    slot(id).identity.clone()
}

/// What a function was given.
#[must_use]
pub fn resources(id: FunctionId) -> Resources {
    slot(id).resources.clone()
}

/// Switches the function on: D0, memory decoding and bus mastering.
pub fn start(id: FunctionId) {
    set_power(id, PowerState::D0);
    let slot = slot(id);
    let change = slot.config.borrow_mut().enable();
    slot.apply(change);
}

/// Switches memory decoding and bus mastering off.
pub fn stop(id: FunctionId) {
    let slot = slot(id);
    let change = slot.config.borrow_mut().disable();
    slot.apply(change);
}

/// Changes the power state.
pub fn set_power(id: FunctionId, state: PowerState) {
    let slot = slot(id);
    let change = slot.config.borrow_mut().set_power(state);
    slot.apply(change);
}

/// Pulls the function out: registers read as all ones, and it does nothing more.
pub fn unplug(id: FunctionId) {
    let slot = slot(id);
    slot.present.set(Presence::Gone);
    slot.activity.set(Activity::Idle);
    slot.model.borrow_mut().unplug();
    ke::interrupt::silence(&slot.lines);
}

/// The function's device was removed: it is switched off until it is started again.
pub fn remove(id: FunctionId) {
    stop(id);
    let slot = slot(id);
    slot.pdo.set(0);
    ke::interrupt::silence(&slot.lines);
}

/// Reads configuration space. All ones when the function is gone. Returns the number of bytes.
pub fn config_read(id: FunctionId, offset: u32, data: &mut [u8]) -> u32 {
    let slot = slot(id);
    if slot.present.get() == Presence::Gone {
        data.fill(0xFF);
        return data.len() as u32;
    }
    let read = slot.config.borrow().read(offset as usize, data);
    read as u32
}

/// Writes configuration space. Returns the number of bytes.
pub fn config_write(id: FunctionId, offset: u32, data: &[u8]) -> u32 {
    let slot = slot(id);
    if slot.present.get() == Presence::Plugged {
        let mut change = slot.config.borrow_mut().change(offset as usize, data);
        let taken = change.before.bus_master && !change.after.bus_master;
        if taken && !slot.model.borrow().gives_up_bus_mastering() {
            change.after = slot.config.borrow_mut().keep_bus_master();
        }
        slot.apply(change);
    }
    data.len() as u32
}

/// Says which device object stands for a function.
pub fn bind_pdo(id: FunctionId, pdo: PDEVICE_OBJECT) {
    slot(id).pdo.set(pdo.addr());
}

/// The function that a device object stands for.
#[must_use]
pub fn of_pdo(pdo: PDEVICE_OBJECT) -> Option<FunctionId> {
    let slots = machine::with(|m| m.pci.all());
    slots
        .iter()
        .find(|slot| !pdo.is_null() && slot.pdo.get() == pdo.addr())
        .map(|slot| slot.id)
}

/// A read of a register, or of what is in its place: all ones.
pub(crate) fn register_read(id: FunctionId, access: Access) -> u64 {
    let slot = slot(id);
    let ones = u64::MAX >> (64 - 8 * u32::from(access.width));
    if !slot.decodes() {
        return ones;
    }
    let value = slot.model.borrow_mut().read(access.bar, access.offset, access.width);
    value & ones
}

/// A write of a register; nothing when the function does not decode it.
pub(crate) fn register_write(id: FunctionId, access: Access, value: u64) {
    let slot = slot(id);
    if !slot.decodes() {
        return;
    }
    let mut port = Port { id };
    slot.model
        .borrow_mut()
        .write(access.bar, access.offset, access.width, value, &mut port);
    slot.kick();
}

impl Slot {
    /// Whether register accesses reach the function.
    pub(crate) fn decodes(&self) -> bool {
        self.present.get() == Presence::Plugged
            && self.power.get() == PowerState::D0
            && self.config.borrow().control().memory
    }

    /// Whether register accesses are right: a function that was pulled out is the device's doing, not the driver's.
    pub(crate) fn may_be_accessed(&self) -> bool {
        self.present.get() == Presence::Gone || self.decodes()
    }

    /// Whether a driver has the function: it was started and neither removed nor pulled out.
    pub(crate) fn is_started(&self) -> bool {
        self.present.get() == Presence::Plugged && self.config.borrow().control().memory
    }

    /// The BARs.
    pub(crate) fn bars(&self) -> &[BarResource] {
        &self.resources.bars
    }

    /// Its name.
    pub(crate) fn id(&self) -> FunctionId {
        self.id
    }

    /// The interrupts.
    pub(crate) fn interrupts(&self) -> impl Iterator<Item = (ke::interrupt::LineId, &InterruptResource)> {
        self.lines.iter().copied().zip(&self.resources.interrupts)
    }

    /// Whether a line is the function's.
    pub(crate) fn has_line(&self, line: ke::interrupt::LineId) -> bool {
        self.lines.contains(&line)
    }

    /// The number of messages that were granted.
    pub(super) fn messages_granted(&self) -> u16 {
        self.resources
            .interrupts
            .iter()
            .filter(|interrupt| interrupt.message.is_some())
            .count() as u16
    }

    /// Lets the function look for work.
    fn kick(&self) {
        if self.present.get() == Presence::Plugged {
            self.activity.set(Activity::Busy);
        }
    }

    /// Tells the function what a change of its configuration space means.
    fn apply(&self, change: Change) {
        if self.present.get() == Presence::Gone {
            return;
        }
        let (before, after) = (change.before, change.after);
        if before.power != after.power {
            self.power.set(after.power);
            self.model.borrow_mut().set_power(after.power);
        }
        if before.bus_master != after.bus_master {
            self.model.borrow_mut().set_bus_master(after.bus_master);
        }
        self.kick();
    }

    /// Takes note of what the function wants to do next.
    fn plan(&self, activity: Activity) {
        self.activity.set(activity);
        if let Activity::WaitUntil(ns) = activity {
            let id = self.id;
            let wake = Box::new(move || slot(id).wake(ns));
            machine::with(|m| m.sched.clock.at(sched::Time::from_ns(ns), wake));
        }
    }

    /// The time that the function wanted to wait for has come.
    fn wake(&self, ns: u64) {
        if self.activity.get() == Activity::WaitUntil(ns) {
            self.activity.set(Activity::Busy);
        }
    }
}

impl super::State {
    /// Lets a function do a little, in its own context.
    pub(crate) fn step(&self, machine: &Machine, index: usize) {
        let Some(slot) = self.slot(FunctionId(index as u32)) else {
            return;
        };
        let context = {
            let mut stepper = slot.stepper.borrow_mut();
            Rc::clone(stepper.get_or_insert_with(|| make_stepper(machine, &slot)))
        };
        sched::resume_device(&context);
    }
}

/// The context in which a function works, step by step, for ever.
fn make_stepper(machine: &Machine, slot: &Rc<Slot>) -> Rc<sched::Context> {
    let name = format!("device {:04X}:{:04X}", slot.identity.vendor, slot.identity.device);
    let slot = Rc::clone(slot);
    let body = move || loop {
        slot.activity.set(Activity::Idle);
        let activity = slot.model.borrow_mut().step(&mut Port { id: slot.id });
        if slot.activity.get() == Activity::Idle {
            slot.plan(activity);
        }
        sched::suspend_device();
    };
    machine
        .sched
        .make_context(Cow::Owned(name), ContextKind::Device, 0, Box::new(body))
}
