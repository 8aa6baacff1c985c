//! The HAL: DMA adapters, and the address translation between devices and memory.

mod access;
mod adapter;
mod bounce;
mod bus;
mod common;
mod control;
mod lists;
mod operations;
mod request;
mod table;
mod types;

pub use access::{device_read, device_write};
pub use bounce::STALE;
pub use bus::{Bus, Mapping};
pub use control::{Control, Registers};
pub use types::{Buffer, DeviceAccess, Direction, Elements, Piece, Target, Wrong};

use crate::{
    cross::Export,
    machine::{self, LedgerEntry, Options},
    mem::Physical,
    pci::FunctionId,
    verifier,
};
use std::{cell::RefCell, rc::Rc};
use wdk_sys::PMDL;

/// The functions that this part exports.
pub(crate) const EXPORTS: &[&[Export]] = &[adapter::EXPORTS];

/// The state of this part of a machine.
#[derive(Debug)]
pub struct State {
    pub(crate) bus: Bus,
    pub(crate) control: Control,
    pub(crate) adapters: RefCell<adapter::Adapters>,
    pub(crate) waiting: RefCell<std::collections::VecDeque<lists::Waiting>>,
}

impl State {
    pub(crate) fn new(options: &Options, physical: Rc<Physical>) -> Self {
        Self {
            bus: Bus::new(options.memory, physical, options.seed, options.dma_elements),
            control: Control::default(),
            adapters: RefCell::default(),
            waiting: RefCell::default(),
        }
    }

    /// Adds what is outstanding.
    pub(crate) fn ledger(&self, out: &mut Vec<LedgerEntry>) {
        self.adapters.borrow().ledger(out);
    }
}

/// Whether a device has a mapping of the buffer of an MDL.
pub(crate) fn is_mapped_for_dma(mdl: PMDL) -> bool {
    machine::with(|m| m.hal.adapters.borrow().maps(mdl))
}

/// Forgets the mappings of a device that is gone from the bus.
pub(crate) fn forget(function: FunctionId) {
    machine::with(|m| m.hal.bus.forget(function));
}

/// Reports what a driver that is being unloaded forgot.
pub(crate) fn check_unload(driver: &str) {
    let left = machine::with(|m| m.hal.adapters.borrow().live_count());
    if left > 0 {
        let text = format!("{driver} unloads and leaves {left} DMA adapters");
        verifier::violation_with(verifier::dma::ADAPTER_LEAK, [0, 0, left as u64], text);
    }
}
