//! The PnP and power managers, and the PCI bus driver under every device stack.

mod bus;
mod bus_interface;
mod device;
mod node;
mod power;
mod properties;
mod resources;

pub(crate) use bus::dispatch as bus_dispatch;
pub use device::Device;
pub use node::DeviceState;
pub use resources::ResourceLists;

use crate::{
    cross::Export,
    machine::{self, LedgerEntry, Options},
    pci::FunctionId,
};
use node::Node;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};
use wdk_sys::{PDEVICE_OBJECT, PDRIVER_OBJECT, POWER_STATE_TYPE};

/// The functions that this part exports.
pub(crate) const EXPORTS: &[&[Export]] = &[power::EXPORTS, properties::EXPORTS];

/// The state of this part of a machine.
#[derive(Debug)]
pub struct State {
    nodes: RefCell<BTreeMap<usize, Rc<Node>>>,
    bus_driver: Cell<PDRIVER_OBJECT>,
    /// The power states that drivers reported, by device object and kind.
    reported_power: RefCell<BTreeMap<(usize, POWER_STATE_TYPE), i32>>,
}

impl State {
    pub(crate) fn new(_options: &Options) -> Self {
        Self {
            nodes: RefCell::default(),
            bus_driver: Cell::new(core::ptr::null_mut()),
            reported_power: RefCell::default(),
        }
    }

    /// The physical device object of a function; null when it has none.
    pub(crate) fn pdo_of(&self, function: FunctionId) -> PDEVICE_OBJECT {
        let nodes = self.nodes.borrow();
        nodes
            .values()
            .find(|node| node.function == function)
            .map_or(core::ptr::null_mut(), |node| node.pdo)
    }

    /// Adds what is outstanding.
    pub(crate) fn ledger(&self, out: &mut Vec<LedgerEntry>) {
        let count = self.nodes.borrow().len() as u64;
        if count > 0 {
            out.push(LedgerEntry {
                kind: "device",
                owner: "PnP".to_owned(),
                count,
                bytes: 0,
            });
        }
    }
}

/// Whether a program may open a device now.
pub(crate) fn may_be_opened(pdo: PDEVICE_OBJECT) -> bool {
    node_of(pdo).is_some_and(|node| node.may_be_opened())
}

/// The node of a physical device object.
fn node_of(pdo: PDEVICE_OBJECT) -> Option<Rc<Node>> {
    machine::with(|m| m.pnp.nodes.borrow().get(&pdo.addr()).cloned())
}
