//! `WDFDPC`.

use super::call;
use super::device::Device;
use super::object::{self, Attributes, Body, Flags, Handle, Kind, New, Object, ParentRule, Ref, Typed};
use super::sync::{self, CallbackLock};
use crate::kmdf::verifier;
use crate::verifier::kmdf::WRONG_STRUCTURE_SIZE;
use core::cell::UnsafeCell;
use std::rc::Rc;
use wdk_sys::*;

/// The body of a `WDFDPC`.
struct Dpc {
    function: PFN_WDF_DPC,
    lock: Option<Rc<CallbackLock>>,
    parent: Handle,
    dpc: Box<UnsafeCell<KDPC>>,
}

impl Body for Dpc {
    fn dispose(&self, _object: &Rc<Object>) {
        // SAFETY: initialized in `create`; it stays in its box.
        unsafe { ntddk::KeRemoveQueueDpc(self.dpc.get()) };
        // SAFETY: PASSIVE_LEVEL: no DPC of this object runs afterwards.
        unsafe { ntddk::KeFlushQueuedDpcs() };
    }
}

impl Typed for Dpc {
    const KIND: Kind = Kind::Dpc;
    type Raw = WDFDPC__;
}

crate::framework_callbacks! {
    /// The DPC. DISPATCH_LEVEL.
    fn FxDpcRoutine(_dpc: *mut KDPC, context: PVOID, _argument1: PVOID, _argument2: PVOID) {
        let raw: WDFDPC = context.cast();
        let Some(dpc) = object::find::<Dpc>(raw) else { return };
        let Some(function) = dpc.function else { return };
        sync::under(dpc.lock.as_deref(), || {
            // SAFETY: the driver's callback, with a live handle.
            call::void("EvtDpcFunc", || unsafe { function(raw) }, String::new);
        });
    }
}

fn create(config: PWDF_DPC_CONFIG, attributes: PWDF_OBJECT_ATTRIBUTES) -> Result<Ref<Dpc>, NTSTATUS> {
    // SAFETY: the driver passes a readable structure.
    let config = unsafe { config.read() };
    if config.Size as usize != size_of::<WDF_DPC_CONFIG>() {
        verifier::debug_break(WRONG_STRUCTURE_SIZE, "WDF_DPC_CONFIG");
        return Err(STATUS_INFO_LENGTH_MISMATCH);
    }
    if config.EvtDpcFunc.is_none() {
        return Err(STATUS_INVALID_PARAMETER);
    }
    let attributes = Attributes::read_plain(attributes, ParentRule::Required)?;
    let parent = object::any(attributes.parent);
    let _device = parent.ancestor::<Device>().ok_or(STATUS_INVALID_DEVICE_REQUEST)?;
    let level = _WDF_EXECUTION_LEVEL::WdfExecutionLevelDispatch;
    let lock = if config.AutomaticSerialization == 0 {
        None
    } else {
        sync::serialization(&parent, level)?
    };
    let body = Dpc {
        function: config.EvtDpcFunc,
        lock,
        parent: parent.handle(),
        dpc: Box::new(UnsafeCell::new(KDPC::default())),
    };
    let made = object::create(
        &New {
            attributes: &attributes,
            parent: Some(&parent),
            flags: Flags::PASSIVE,
        },
        body,
    )?;
    // SAFETY: memory of the right size that stays in its box; the context is a handle, which the routine checks.
    unsafe { ntddk::KeInitializeDpc(made.dpc.get(), Some(FxDpcRoutine), made.raw().cast()) };
    Ok(made)
}

crate::wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// Makes a DPC object.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDpcCreate(config: PWDF_DPC_CONFIG, attributes: PWDF_OBJECT_ATTRIBUTES, dpc: *mut WDFDPC) -> NTSTATUS {
        match create(config, attributes) {
            Ok(made) => {
                // SAFETY: the driver's own variable.
                unsafe { dpc.write(made.raw()) };
                STATUS_SUCCESS
            }
            Err(status) => status,
        }
    }

    /// Queues a DPC. Says whether it was not queued already.
    #[irql(any)]
    fn WdfDpcEnqueue(dpc: WDFDPC) -> BOOLEAN {
        let dpc = object::get::<Dpc>(dpc);
        // SAFETY: initialized in `create`; it stays in its box.
        unsafe { ntddk::KeInsertQueueDpc(dpc.dpc.get(), core::ptr::null_mut(), core::ptr::null_mut()) }
    }

    /// Takes a DPC out of the queue, and waits for a running one if asked to. Says whether it was queued.
    #[irql(any)]
    fn WdfDpcCancel(dpc: WDFDPC, wait: BOOLEAN) -> BOOLEAN {
        let dpc = object::get::<Dpc>(dpc);
        // SAFETY: initialized in `create`; it stays in its box.
        let was_queued = unsafe { ntddk::KeRemoveQueueDpc(dpc.dpc.get()) };
        if wait != 0 {
            // SAFETY: whether the IRQL allows waiting is the kernel's rule.
            unsafe { ntddk::KeFlushQueuedDpcs() };
        }
        was_queued
    }

    /// The parent that the DPC was made with.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDpcGetParentObject(dpc: WDFDPC) -> WDFOBJECT {
        object::get::<Dpc>(dpc).parent.raw()
    }

    /// The kernel's DPC.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDpcWdmGetDpc(dpc: WDFDPC) -> PKDPC {
        object::get::<Dpc>(dpc).dpc.get()
    }
}
