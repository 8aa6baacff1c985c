//! Work items: calls at PASSIVE_LEVEL in a system thread.

use super::thread;
use crate::{
    cross, machine, sched,
    verifier::{self, irql},
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};
use wdk_sys::{PDEVICE_OBJECT, PIO_WORKITEM, PIO_WORKITEM_ROUTINE, PIO_WORKITEM_ROUTINE_EX, PVOID, WORK_QUEUE_TYPE};

/// One work item.
struct WorkItem {
    device: PDEVICE_OBJECT,
    queued: Cell<bool>,
}

/// The work items of a machine, by the address that stands for them.
#[derive(Default)]
pub(crate) struct WorkItems {
    all: RefCell<BTreeMap<usize, Rc<WorkItem>>>,
}

impl WorkItems {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.all.borrow().len()
    }
}

/// Reports the work items of a driver's devices that were never freed. To be called when the driver unloads.
pub fn check_unload(driver: &str, devices: &[PDEVICE_OBJECT]) {
    let left = machine::with(|m| {
        m.ke.work_items
            .all
            .borrow()
            .values()
            .filter(|i| devices.contains(&i.device))
            .count()
    });
    if left > 0 {
        verifier::violation(
            irql::WORK_ITEM_LEAKED,
            format!("{driver} unloads and leaves {left} work item(s)"),
        );
    }
}

fn find(item: PIO_WORKITEM) -> Rc<WorkItem> {
    let found = machine::with(|m| m.ke.work_items.all.borrow().get(&item.addr()).cloned());
    found.unwrap_or_else(|| {
        verifier::fatal(
            irql::WORK_ITEM_UNKNOWN,
            [0; 3],
            "a work item was used that does not exist (any more)",
        )
    })
}

/// Queues a work item; `call` calls the driver's routine.
fn queue(item: PIO_WORKITEM, call: impl FnOnce(PDEVICE_OBJECT) + 'static) {
    let found = find(item);
    if found.queued.replace(true) {
        verifier::fatal(
            irql::WORK_ITEM_QUEUED,
            [0; 3],
            "a work item was queued that is queued already",
        );
    }
    sched::spawn("work item", move || {
        found.queued.set(false);
        let device = found.device;
        drop(found);
        call(device);
        thread::check_end("a work item returned");
    });
}

crate::nt_exports! {
    pub const EXPORTS = "ntoskrnl.exe";

    /// Allocates a work item.
    #[irql(..= DISPATCH_LEVEL)]
    fn IoAllocateWorkItem(device: PDEVICE_OBJECT) -> PIO_WORKITEM {
        let item = Rc::new(WorkItem { device, queued: Cell::new(false) });
        let handle = machine::with(|m| m.ke.new_handle());
        machine::with(|m| m.ke.work_items.all.borrow_mut().insert(handle, item));
        core::ptr::without_provenance_mut(handle)
    }

    /// Queues a work item; the routine is given the device object.
    #[irql(..= DISPATCH_LEVEL)]
    fn IoQueueWorkItem(item: PIO_WORKITEM, routine: PIO_WORKITEM_ROUTINE, _queue: WORK_QUEUE_TYPE, context: PVOID) {
        queue(item, move |device| {
            if let Some(routine) = routine {
                // SAFETY: the driver gave this routine, with this context.
                cross::callback("IO_WORKITEM_ROUTINE", || unsafe { routine(device, context) }, String::new);
            }
        });
    }

    /// Queues a work item; the routine is given the device object and the work item.
    #[irql(..= DISPATCH_LEVEL)]
    fn IoQueueWorkItemEx(
        item: PIO_WORKITEM,
        routine: PIO_WORKITEM_ROUTINE_EX,
        _queue: WORK_QUEUE_TYPE,
        context: PVOID,
    ) {
        queue(item, move |device| {
            if let Some(routine) = routine {
                // SAFETY: the driver gave this routine, with this context.
                let call = || unsafe { routine(device.cast(), context, item) };
                cross::callback("IO_WORKITEM_ROUTINE_EX", call, String::new);
            }
        });
    }

    /// Frees a work item.
    #[irql(..= DISPATCH_LEVEL)]
    fn IoFreeWorkItem(item: PIO_WORKITEM) {
        if find(item).queued.get() {
            verifier::fatal(irql::WORK_ITEM_QUEUED, [1, 0, 0], "a work item was freed that is queued");
        }
        machine::with(|m| m.ke.work_items.all.borrow_mut().remove(&item.addr()));
    }
}
