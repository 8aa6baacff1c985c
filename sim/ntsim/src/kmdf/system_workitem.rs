//! A kernel work item that knows whether it is queued and whether it runs: behind `WDFWORKITEM`, passive timers and interrupt work items.

use super::event::Event;
use core::ffi::c_void;
use std::cell::Cell;
use std::rc::Rc;
use wdk_sys::*;

/// The work item.
pub(crate) struct SystemWorkItem {
    item: Cell<PIO_WORKITEM>,
    queued: Cell<bool>,
    runs: Cell<u32>,
    /// Signaled while it is neither queued nor running.
    idle: Event,
    body: Box<dyn Fn()>,
}

crate::framework_callbacks! {
    /// The routine that the kernel runs. The context is a counted pointer, made by `enqueue`.
    fn FxSystemWorker(_device: PDEVICE_OBJECT, context: PVOID) {
        // SAFETY: `enqueue` leaked one count of this pointer for exactly this call.
        let item = unsafe { Rc::from_raw(context.cast_const().cast::<SystemWorkItem>()) };
        item.queued.set(false);
        item.runs.set(item.runs.get() + 1);
        (item.body)();
        item.runs.set(item.runs.get() - 1);
        if item.runs.get() == 0 && !item.queued.get() {
            item.idle.set();
        }
    }
}

impl SystemWorkItem {
    /// A work item of a device.
    pub(crate) fn new(device: PDEVICE_OBJECT, body: impl Fn() + 'static) -> Option<Rc<Self>> {
        // SAFETY: the framework's own device object.
        let item = unsafe { ntddk::IoAllocateWorkItem(device) };
        if item.is_null() {
            return None;
        }
        Some(Rc::new(Self {
            item: Cell::new(item),
            queued: Cell::new(false),
            runs: Cell::new(0),
            idle: Event::new(true),
            body: Box::new(body),
        }))
    }

    /// Queues it. `false` when it is queued already: it then runs once.
    pub(crate) fn enqueue(self: &Rc<Self>) -> bool {
        if self.item.get().is_null() || self.queued.replace(true) {
            return false;
        }
        self.idle.clear();
        let context: *const c_void = Rc::into_raw(Rc::clone(self)).cast();
        // SAFETY: allocated, not freed, and not queued, see above.
        unsafe {
            ntddk::IoQueueWorkItem(
                self.item.get(),
                Some(FxSystemWorker),
                _WORK_QUEUE_TYPE::DelayedWorkQueue,
                context.cast_mut(),
            )
        };
        true
    }

    /// Waits until it is neither queued nor running. PASSIVE_LEVEL, and not from the work item itself.
    pub(crate) fn flush(&self) {
        self.idle.wait();
    }

    /// Waits, then frees it. It cannot be queued any more.
    pub(crate) fn close(&self) {
        self.flush();
        let item = self.item.replace(core::ptr::null_mut());
        if !item.is_null() {
            // SAFETY: allocated in `new`; neither queued nor running.
            unsafe { ntddk::IoFreeWorkItem(item) };
        }
    }
}
