//! `WDFWORKITEM`.

use super::call;
use super::device::Device;
use super::object::{self, Attributes, Body, Flags, Handle, Kind, New, Object, ParentRule, Ref, Typed};
use super::sync::{self, CallbackLock};
use super::system_workitem::SystemWorkItem;
use crate::kmdf::verifier;
use crate::verifier::kmdf::WRONG_STRUCTURE_SIZE;
use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use wdk_sys::*;

/// The body of a `WDFWORKITEM`.
struct WorkItem {
    function: PFN_WDF_WORKITEM,
    lock: Option<Rc<CallbackLock>>,
    parent: Handle,
    item: OnceCell<Rc<SystemWorkItem>>,
    runner: RefCell<Option<crate::sched::ContextId>>,
}

impl Body for WorkItem {
    fn dispose(&self, _object: &Rc<Object>) {
        if let Some(item) = self.item.get() {
            item.close();
        }
    }
}

impl Typed for WorkItem {
    const KIND: Kind = Kind::WorkItem;
    type Raw = WDFWORKITEM__;
}

fn create(config: PWDF_WORKITEM_CONFIG, attributes: PWDF_OBJECT_ATTRIBUTES) -> Result<Ref<WorkItem>, NTSTATUS> {
    // SAFETY: the driver passes a readable structure.
    let config = unsafe { config.read() };
    if config.Size as usize != size_of::<WDF_WORKITEM_CONFIG>() {
        verifier::debug_break(WRONG_STRUCTURE_SIZE, "WDF_WORKITEM_CONFIG");
        return Err(STATUS_INFO_LENGTH_MISMATCH);
    }
    if config.EvtWorkItemFunc.is_none() {
        return Err(STATUS_INVALID_PARAMETER);
    }
    let attributes = Attributes::read_plain(attributes, ParentRule::Required)?;
    let parent = object::any(attributes.parent);
    let device = parent.ancestor::<Device>().ok_or(STATUS_INVALID_DEVICE_REQUEST)?;
    let level = _WDF_EXECUTION_LEVEL::WdfExecutionLevelPassive;
    let lock = if config.AutomaticSerialization == 0 {
        None
    } else {
        sync::serialization(&parent, level)?
    };
    let body = WorkItem {
        function: config.EvtWorkItemFunc,
        lock,
        parent: parent.handle(),
        item: OnceCell::new(),
        runner: RefCell::new(None),
    };
    let made = object::create(
        &New {
            attributes: &attributes,
            parent: Some(&parent),
            flags: Flags::PASSIVE,
        },
        body,
    )?;
    let raw = made.raw();
    let Some(item) = SystemWorkItem::new(device.fdo(), move || run(raw)) else {
        made.object().delete_from_failed_create();
        return Err(STATUS_INSUFFICIENT_RESOURCES);
    };
    let _ = made.item.set(item);
    Ok(made)
}

fn run(raw: WDFWORKITEM) {
    let Some(item) = object::find::<WorkItem>(raw) else {
        return;
    };
    let Some(function) = item.function else { return };
    *item.runner.borrow_mut() = Some(crate::sched::context());
    sync::under(item.lock.as_deref(), || {
        // SAFETY: the driver's callback, with a live handle.
        call::void("EvtWorkItem", || unsafe { function(raw) }, String::new);
    });
    *item.runner.borrow_mut() = None;
}

crate::wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// Makes a work item.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfWorkItemCreate(config: PWDF_WORKITEM_CONFIG, attributes: PWDF_OBJECT_ATTRIBUTES, item: *mut WDFWORKITEM) -> NTSTATUS {
        match create(config, attributes) {
            Ok(made) => {
                // SAFETY: the driver's own variable.
                unsafe { item.write(made.raw()) };
                STATUS_SUCCESS
            }
            Err(status) => status,
        }
    }

    /// Queues a work item; when it is queued already it runs once.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfWorkItemEnqueue(item: WDFWORKITEM) {
        let item = object::get::<WorkItem>(item);
        if let Some(system) = item.item.get() {
            system.enqueue();
        }
    }

    /// Waits until a work item is neither queued nor running.
    #[irql(PASSIVE_LEVEL)]
    fn WdfWorkItemFlush(item: WDFWORKITEM) {
        let item = object::get::<WorkItem>(item);
        if *item.runner.borrow() == Some(crate::sched::context()) {
            crate::verifier::violation(crate::verifier::kmdf::WAIT_NOT_ALLOWED, "WdfWorkItemFlush from the work item's own callback waits for ever");
            return;
        }
        if let Some(system) = item.item.get() {
            system.flush();
        }
    }

    /// The parent that the work item was made with.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfWorkItemGetParentObject(item: WDFWORKITEM) -> WDFOBJECT {
        object::get::<WorkItem>(item).parent.raw()
    }
}
