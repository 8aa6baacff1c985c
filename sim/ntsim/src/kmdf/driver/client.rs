//! The client of a machine's framework, from its bind to its unbind.

use super::Driver;
use crate::kmdf::event::Event;
use crate::kmdf::object::{Handle, Object, Ref};
use crate::kmdf::{self, object, verifier};
use crate::verifier::kmdf::{INVALID_HANDLE, OBJECT_LEAK};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wdk_sys::*;

/// What the framework knows of the driver that is bound to it.
pub(crate) struct Client {
    driver_object: Cell<PDRIVER_OBJECT>,
    registry_path: Cell<PUNICODE_STRING>,
    verifier_on: Cell<bool>,
    driver: RefCell<Option<Ref<Driver>>>,
    disposal: Cell<PIO_WORKITEM>,
    /// Signaled while no disposal is put off.
    idle: RefCell<Option<Rc<Event>>>,
    /// Why a driver was refused that wanted to bind.
    pub(crate) refusal: RefCell<Option<String>>,
}

impl Client {
    pub(crate) fn new() -> Self {
        Self {
            driver_object: Cell::new(core::ptr::null_mut()),
            registry_path: Cell::new(core::ptr::null_mut()),
            verifier_on: Cell::new(false),
            driver: RefCell::new(None),
            disposal: Cell::new(core::ptr::null_mut()),
            idle: RefCell::new(None),
            refusal: RefCell::new(None),
        }
    }

    /// Whether a driver is bound.
    pub(crate) fn is_bound(&self) -> bool {
        !self.driver_object.get().is_null()
    }

    /// Remembers a driver. The strings stay valid until it is unbound.
    pub(crate) fn bind(&self, driver_object: PDRIVER_OBJECT, registry_path: PUNICODE_STRING) {
        self.driver_object.set(driver_object);
        self.registry_path.set(registry_path);
    }

    /// The kernel's driver object.
    pub(crate) fn driver_object(&self) -> PDRIVER_OBJECT {
        self.driver_object.get()
    }

    /// The driver's service key.
    pub(crate) fn registry_path(&self) -> PUNICODE_STRING {
        self.registry_path.get()
    }

    /// Whether the framework's verifier is on for it.
    pub(crate) fn verifier_on(&self) -> bool {
        self.verifier_on.get()
    }

    pub(super) fn set_verifier_on(&self, on: bool) {
        self.verifier_on.set(on);
    }

    /// The `WDFDRIVER`, once it was created.
    pub(crate) fn driver(&self) -> Option<Ref<Driver>> {
        self.driver.borrow().clone()
    }

    pub(super) fn set_driver(&self, driver: Ref<Driver>, disposal: PIO_WORKITEM, idle: Event) {
        *self.driver.borrow_mut() = Some(driver);
        self.disposal.set(disposal);
        *self.idle.borrow_mut() = Some(Rc::new(idle));
    }
}

/// The `WDFDRIVER`. Bug check 0x10D/5 when the driver has not made it yet.
pub(crate) fn current() -> Ref<Driver> {
    kmdf::state(|s| s.driver.driver()).unwrap_or_else(|| {
        verifier::fatal(
            INVALID_HANDLE,
            Handle::DRIVER.value(),
            object::Kind::Driver as u64,
            "WdfDriverCreate was not called yet, or failed",
        )
    })
}

crate::framework_callbacks! {
    /// The work item that disposes objects at PASSIVE_LEVEL.
    fn FxDisposeWorker(_driver: PDEVICE_OBJECT, _context: PVOID) {
        object::deferred::run();
        let (done, idle) = kmdf::state(|s| (s.objects.deferred.is_empty(), s.driver.idle.borrow().clone()));
        if let (true, Some(idle)) = (done, idle) {
            idle.set();
        }
    }
}

/// Makes the disposal work item run.
pub(crate) fn queue_disposal() {
    let (item, idle) = kmdf::state(|s| (s.driver.disposal.get(), s.driver.idle.borrow().clone()));
    if let Some(idle) = idle {
        idle.clear();
    }
    // SAFETY: allocated by WdfDriverCreate, freed only when nothing is put off any more; not queued now, see `Queue::scheduled`.
    unsafe {
        ntddk::IoQueueWorkItem(
            item,
            Some(FxDisposeWorker),
            _WORK_QUEUE_TYPE::DelayedWorkQueue,
            core::ptr::null_mut(),
        )
    };
}

/// Waits until every disposal that was put off is done. PASSIVE_LEVEL.
pub(crate) fn flush_disposal() {
    while !kmdf::state(|s| s.objects.deferred.is_empty()) {
        let Some(idle) = kmdf::state(|s| s.driver.idle.borrow().clone()) else {
            break;
        };
        idle.wait();
    }
}

/// The driver lets go of the framework: what is left of its objects is deleted, and what survives that is a leak.
pub(crate) fn unbound() {
    if let Some(driver) = kmdf::state(|s| s.driver.driver()) {
        driver.object().delete();
        flush_disposal();
        report_leaks();
        let item = kmdf::state(|s| s.driver.disposal.replace(core::ptr::null_mut()));
        // SAFETY: allocated by WdfDriverCreate; nothing is put off any more, so it is not queued.
        unsafe { ntddk::IoFreeWorkItem(item) };
    }
    kmdf::state(|s| {
        *s.driver.driver.borrow_mut() = None;
        *s.driver.idle.borrow_mut() = None;
        s.driver.driver_object.set(core::ptr::null_mut());
    });
}

fn report_leaks() {
    let left: Vec<Rc<Object>> = kmdf::state(|s| s.objects.all());
    if left.is_empty() {
        return;
    }
    let list: Vec<String> = left.iter().map(|object| format!("{object:?}")).collect();
    verifier::debug_break(
        OBJECT_LEAK,
        format!("{} objects are left at unload: {}", left.len(), list.join(", ")),
    );
}
