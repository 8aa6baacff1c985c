//! All plugged functions of a machine, and where their BARs are.

use super::{Activity, FunctionId, PciFunction, slot::Slot};
use crate::machine::Options;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

/// The physical address of the first BAR; memory is below it.
pub(super) const BAR_START: u64 = 0xE0_0000_0000;

/// The PCI bus of a machine.
pub struct State {
    slots: RefCell<Vec<Rc<Slot>>>,
    next_base: Cell<u64>,
}

impl State {
    pub(crate) fn new(_options: &Options) -> Self {
        Self {
            slots: RefCell::default(),
            next_base: Cell::new(BAR_START),
        }
    }

    pub(crate) fn slot(&self, id: FunctionId) -> Option<Rc<Slot>> {
        self.slots.borrow().get(id.0 as usize).cloned()
    }

    /// Adds a function: `make` is given its number.
    pub(super) fn add(&self, make: impl FnOnce(FunctionId) -> Slot) -> FunctionId {
        let id = FunctionId(self.slots.borrow().len() as u32);
        let slot = Rc::new(make(id));
        self.slots.borrow_mut().push(slot);
        id
    }

    /// Takes physical address space for a BAR.
    pub(super) fn allocate(&self, length: u64) -> u64 {
        let base = self.next_base.get().next_multiple_of(length);
        self.next_base.set(base + length);
        base
    }

    pub(crate) fn all(&self) -> Vec<Rc<Slot>> {
        self.slots.borrow().clone()
    }

    /// Names the functions that could do something now.
    pub(crate) fn busy_devices(&self, mut found: impl FnMut(usize)) {
        for (index, slot) in self.slots.borrow().iter().enumerate() {
            if slot.activity.get() == Activity::Busy {
                found(index);
            }
        }
    }
}

impl core::fmt::Debug for dyn PciFunction {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:04X}:{:04X}", self.identity().vendor, self.identity().device)
    }
}
