//! Putting the event loop off: to a work item when the queue's callbacks need PASSIVE_LEVEL and the IRQL is above it, to a DPC when the thread already holds the
//! lock of the callbacks.

use super::dispatch;
use super::object::Queue;
use crate::kmdf::object::{self, Ref};
use crate::kmdf::system_workitem::SystemWorkItem;
use core::cell::UnsafeCell;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wdk_sys::*;

/// What runs the loop later.
pub(super) struct Deferred {
    dpc: Box<UnsafeCell<KDPC>>,
    dpc_queued: Cell<bool>,
    item: RefCell<Option<Rc<SystemWorkItem>>>,
    item_queued: Cell<bool>,
    /// Something changed while it was running.
    again: Cell<bool>,
}

impl Deferred {
    pub(super) fn new() -> Self {
        Self {
            dpc: Box::new(UnsafeCell::new(KDPC::default())),
            dpc_queued: Cell::new(false),
            item: RefCell::new(None),
            item_queued: Cell::new(false),
            again: Cell::new(false),
        }
    }

    /// Ties it to its queue. `false`: no memory.
    pub(super) fn prepare(queue: &Ref<Queue>) -> bool {
        let handle = queue.handle();
        // SAFETY: the DPC stays in its box as long as the queue.
        unsafe { ntddk::KeInitializeDpc(queue.deferred.dpc.get(), Some(FxQueueDpc), handle.raw()) };
        if !queue.constraints.is_passive() {
            return true;
        }
        let item = SystemWorkItem::new(queue.device.fdo(), move || {
            if let Some(queue) = object::find::<Queue>(handle.raw()) {
                run(&queue, &queue.deferred.item_queued);
            }
        });
        let made = item.is_some();
        *queue.deferred.item.borrow_mut() = item;
        made
    }

    /// The queue is at its end: waits for what is queued.
    pub(super) fn close(&self) {
        let item = self.item.borrow_mut().take();
        if let Some(item) = item {
            item.close();
        }
    }
}

/// Whether the current thread must not run the loop.
pub(super) fn must_defer(queue: &Ref<Queue>) -> bool {
    // SAFETY: callable in any context.
    let irql = unsafe { ntddk::KeGetCurrentIrql() };
    let too_high = u32::from(irql) > PASSIVE_LEVEL && queue.constraints.is_passive();
    too_high || queue.lock.as_ref().is_some_and(|lock| lock.is_owner())
}

/// Makes sure that the loop runs later.
pub(super) fn schedule(queue: &Ref<Queue>) {
    let deferred = &queue.deferred;
    deferred.again.set(true);
    let item = deferred.item.borrow().clone();
    match item {
        Some(item) => {
            if !deferred.item_queued.replace(true) {
                item.enqueue();
            }
        }
        None => {
            if !deferred.dpc_queued.replace(true) {
                let null = core::ptr::null_mut();
                // SAFETY: initialized in `prepare`.
                unsafe { ntddk::KeInsertQueueDpc(deferred.dpc.get(), null, null) };
            }
        }
    }
}

/// The loop, later. Runs again when something changed meanwhile that could not be handled.
fn run(queue: &Ref<Queue>, queued: &Cell<bool>) {
    queue.deferred.again.set(false);
    dispatch::events(queue);
    queued.set(false);
    if queue.deferred.again.get() && !queue.deleted.get() {
        schedule(queue);
    }
}

framework_callbacks! {
    /// The DPC. Its context is the queue's handle.
    fn FxQueueDpc(_dpc: *mut KDPC, context: PVOID, _first: PVOID, _second: PVOID) {
        if let Some(queue) = object::find::<Queue>(context.cast()) {
            run(&queue, &queue.deferred.dpc_queued);
        }
    }
}
