//! KMDF: the framework between a driver and the kernel.
//!
//! Reaches the machine only through the kernel's exported functions, bound by name, and through the routine pointers that the kernel gives it (DMA operations).
//!
//! - `bind`, `table`: how a driver finds the framework's functions; `driver`: the client;
//! - `object`: what a handle stands for; `sync`: execution levels and synchronization scopes;
//! - `device`, `pnp`: the device object, and its way from START to REMOVE; `file`, `cmres`, `registry`;
//! - `queue`, `request`, `dma`: the I/O path;
//! - `interrupt`, `dpc`, `timer`, `workitem`, `lock`, `memory`: the smaller objects;
//! - `call`: calls of the driver's callbacks; `verifier`: what the framework does about misuse; `irp`, `event`, `pool`: the kernel, in the framework's words.

mod bind;
mod call;
mod cmres;
mod device;
pub mod dma;
mod dpc;
mod driver;
mod event;
mod file;
mod interrupt;
mod irp;
mod lock;
mod memory;
mod object;
mod pnp;
mod pool;
pub mod queue;
mod registry;
pub mod request;
mod status;
mod sync;
mod system_workitem;
mod table;
mod timer;
mod verifier;
mod workitem;

pub(crate) use bind::take_refusal;

use crate::{
    cross::{Export, WdfExport},
    machine::{self, LedgerEntry, Options},
};
use object::{Handle, Objects, Ref};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

/// The functions that the loader exports.
pub(crate) const EXPORTS: &[&[Export]] = &[bind::EXPORTS];

/// The framework's functions, for the table.
fn functions() -> impl Iterator<Item = &'static WdfExport> {
    let own: [&[WdfExport]; 12] = [
        cmres::FUNCTIONS,
        dpc::FUNCTIONS,
        driver::FUNCTIONS,
        file::FUNCTIONS,
        interrupt::FUNCTIONS,
        lock::SPIN_FUNCTIONS,
        lock::WAIT_FUNCTIONS,
        memory::FUNCTIONS,
        object::api::FUNCTIONS,
        registry::FUNCTIONS,
        timer::FUNCTIONS,
        workitem::FUNCTIONS,
    ];
    let folders = [device::FUNCTIONS, queue::FUNCTIONS, request::FUNCTIONS, dma::FUNCTIONS];
    own.into_iter()
        .flatten()
        .chain(folders.into_iter().flatten().copied().flatten())
}

/// The framework's state in one machine.
pub struct State {
    pub(crate) objects: Objects,
    pub(crate) driver: driver::Client,
    pub(crate) inits: RefCell<BTreeMap<Handle, Rc<device::Init>>>,
    pub(crate) devices: RefCell<BTreeMap<usize, Ref<device::Device>>>,
    pub(crate) dma: dma::State,
}

impl State {
    pub(crate) fn new(_options: &Options) -> Self {
        Self {
            objects: Objects::new(),
            driver: driver::Client::new(),
            inits: RefCell::default(),
            devices: RefCell::default(),
            dma: dma::State::default(),
        }
    }

    /// Adds what is outstanding.
    pub(crate) fn ledger(&self, out: &mut Vec<LedgerEntry>) {
        let mut kinds: BTreeMap<object::Kind, u64> = BTreeMap::new();
        for object in self.objects.all() {
            *kinds.entry(object.kind()).or_default() += 1;
        }
        for (kind, count) in kinds {
            out.push(LedgerEntry {
                kind: kind.handle_name(),
                owner: "framework".to_owned(),
                count,
                bytes: 0,
            });
        }
    }
}

impl core::fmt::Debug for State {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.objects.all()).finish()
    }
}

/// Runs something with the framework's state of the current machine. Not across a scheduling point.
pub(crate) fn state<R>(f: impl FnOnce(&State) -> R) -> R {
    machine::with(|machine| f(&machine.kmdf))
}
