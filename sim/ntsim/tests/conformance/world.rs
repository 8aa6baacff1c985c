//! What the client and the harness know of a running scenario.

use crate::harness::bus::Bus;
use crate::harness::irp::Sent;
use crate::scenario::{Ev, Event};
use crate::script::Script;
use crate::setup::Setup;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use wdk_sys::*;

/// What Initialize is to be called with next.
#[derive(Clone, Copy, Debug, Default)]
pub struct Buffer {
    pub byte_offset: usize,
    pub mdl_length: usize,
    pub va_offset: usize,
    pub length: usize,
    pub direction: i32,
}

/// The client's handles.
#[derive(Default)]
pub struct Handles {
    pub device: Cell<usize>,
    pub enabler: Cell<usize>,
    pub default_queue: Cell<usize>,
    pub manual_queue: Cell<usize>,
    pub transaction: Cell<usize>,
    pub request: Cell<usize>,
    pub driver: Cell<usize>,
    pub interrupts: RefCell<Vec<usize>>,
    /// The interrupt whose ISR ran last.
    pub interrupt: Cell<usize>,
    pub timer: Cell<usize>,
    pub work_item: Cell<usize>,
    pub lock: Cell<usize>,
    pub objects: RefCell<BTreeMap<&'static str, usize>>,
    pub mdl: Cell<usize>,
}

/// A running scenario.
pub struct World {
    pub script: Script,
    pub setup: Setup,
    pub handles: Handles,
    /// What objects are called in the record.
    pub labels: RefCell<BTreeMap<usize, &'static str>>,
    /// IRPs by name.
    pub sent: RefCell<BTreeMap<String, Rc<Sent>>>,
    /// Requests by the name of their IRP.
    pub requests: RefCell<BTreeMap<String, usize>>,
    pub bus: Bus,
    pub buffer: Cell<Buffer>,
    /// The status that DmaCompleted gave last.
    pub completed: Cell<NTSTATUS>,
    /// The length that a buffer was retrieved with last.
    pub length: Cell<usize>,
    pub create_parameters: Cell<(usize, usize)>,
    pub cancel_next: Cell<bool>,
    pub isr_claimed: Cell<bool>,
    /// The name of the device control that was sent last.
    pub last_request: RefCell<String>,
    /// The file on which requests are sent.
    pub file: Cell<usize>,
}

thread_local! {
    static WORLD: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
}

/// The scenario that runs on this thread.
pub fn world() -> Rc<World> {
    WORLD.with(|world| world.borrow().clone()).expect("a scenario runs")
}

/// Sets the scenario of this thread.
pub fn install(world: Option<Rc<World>>) {
    WORLD.with(|slot| *slot.borrow_mut() = world);
}

/// The current IRQL.
pub fn irql() -> u8 {
    ntsim::sched::current_irql()
}

impl World {
    /// Something that the client or the harness did or saw.
    pub fn saw(&self, ev: Ev, name: &str, args: String, ret: Option<String>) {
        self.script.drain();
        self.script.observe(Event {
            ev,
            irql: irql(),
            name: name.to_owned(),
            args,
            ret,
        });
    }

    /// The label of an object.
    pub fn label(&self, handle: usize) -> &'static str {
        self.labels.borrow().get(&handle).copied().unwrap_or("?")
    }

    /// Names an object.
    pub fn name(&self, handle: usize, label: &'static str) {
        self.labels.borrow_mut().insert(handle, label);
    }

    /// The file object of create, cleanup, close and the requests in between.
    pub fn file(&self) -> PFILE_OBJECT {
        if self.file.get() == 0 {
            let file = crate::harness::buffer::pages(size_of::<FILE_OBJECT>()).cast::<FILE_OBJECT>();
            let body = FILE_OBJECT {
                Type: IO_TYPE_FILE as CSHORT,
                Size: size_of::<FILE_OBJECT>() as CSHORT,
                DeviceObject: self.bus.pdo(),
                ..Default::default()
            };
            // SAFETY: fresh memory of a page.
            unsafe { file.write(body) };
            self.file.set(file.expose_provenance());
        }
        core::ptr::with_exposed_provenance_mut(self.file.get())
    }

    /// The name of an IRP.
    pub fn irp_name(&self, irp: PIRP) -> String {
        self.sent
            .borrow()
            .iter()
            .find(|(_, sent)| sent.irp() == irp)
            .map_or("?".to_owned(), |(name, _)| name.clone())
    }

    /// Whether an IRP was completed.
    pub fn is_done(&self, name: &str) -> bool {
        self.sent.borrow().get(name).is_some_and(|sent| sent.done.get())
    }
}
