//! The rules of WdfInterruptCreate.

use super::connect::FxInterruptDpc;
use super::{Interrupt, resource};
use crate::kmdf::device::Device;
use crate::kmdf::lock::SpinLock;
use crate::kmdf::object::{self, Attributes, Flags, New, ParentRule, Ref};
use crate::kmdf::sync;
use crate::kmdf::system_workitem::SystemWorkItem;
use crate::kmdf::{call, verifier};
use crate::verifier::kmdf::{INTERRUPT_CREATE_PLACE, INVALID_PARAMETER, WRONG_STRUCTURE_SIZE};
use core::cell::UnsafeCell;
use std::cell::{Cell, OnceCell};
use wdk_sys::*;

/// Makes an interrupt object.
pub(super) fn create(
    device: &Ref<Device>,
    config: PWDF_INTERRUPT_CONFIG,
    attributes: PWDF_OBJECT_ATTRIBUTES,
) -> Result<Ref<Interrupt>, NTSTATUS> {
    // SAFETY: the driver passes a readable structure.
    let config = unsafe { config.read() };
    check(&config)?;
    let explicit = check_place(device, &config)?;
    let (attributes, parent) = parent(device, &config, attributes)?;
    let dispatch = _WDF_EXECUTION_LEVEL::WdfExecutionLevelDispatch;
    let passive = _WDF_EXECUTION_LEVEL::WdfExecutionLevelPassive;
    let level = if config.EvtInterruptWorkItem.is_some() {
        passive
    } else {
        dispatch
    };
    let lock = if config.AutomaticSerialization == 0 {
        None
    } else {
        sync::serialization(&parent, level)?
    };
    let body = Interrupt {
        device: device.raw(),
        config,
        associated: parent.handle(),
        lock,
        dpc: Box::new(UnsafeCell::new(KDPC::default())),
        dpc_used: Cell::new(false),
        item: OnceCell::new(),
        shared_lock: (!config.SpinLock.is_null()).then(|| object::get::<SpinLock>(config.SpinLock)),
        own_lock: Box::new(UnsafeCell::new(0)),
        resource: Cell::new(None),
        kernel: Cell::new(core::ptr::null_mut()),
        irql: Cell::new(0),
        explicit: explicit.is_some(),
        enabled: Cell::new(false),
    };
    let flags = Flags::NO_DELETE | Flags::PASSIVE;
    let made = object::create(
        &New {
            attributes: &attributes,
            parent: Some(&parent),
            flags,
        },
        body,
    )?;
    // SAFETY: memory of the right size that stays in its box; the context is a handle, which the routine checks.
    unsafe { ntddk::KeInitializeDpc(made.dpc.get(), Some(FxInterruptDpc), made.raw().cast()) };
    if config.EvtInterruptWorkItem.is_some() {
        let raw = made.raw();
        let Some(item) = SystemWorkItem::new(device.fdo(), move || run_work_item(raw)) else {
            made.object().delete_from_failed_create();
            return Err(STATUS_INSUFFICIENT_RESOURCES);
        };
        let _ = made.item.set(item);
    }
    made.resource.set(explicit);
    device.interrupts.0.borrow_mut().push(made.clone());
    Ok(made)
}

fn run_work_item(raw: WDFINTERRUPT) {
    let Some(interrupt) = object::find::<Interrupt>(raw) else {
        return;
    };
    let Some(function) = interrupt.config.EvtInterruptWorkItem else {
        return;
    };
    let associated = interrupt.associated.raw();
    sync::under(interrupt.lock.as_deref(), || {
        // SAFETY: the driver's callback, with live handles.
        call::void(
            "EvtInterruptWorkItem",
            || unsafe { function(raw, associated) },
            String::new,
        );
    });
}

fn refuse(text: &str, status: NTSTATUS) -> NTSTATUS {
    verifier::debug_break(INVALID_PARAMETER, text);
    status
}

fn check(config: &WDF_INTERRUPT_CONFIG) -> Result<(), NTSTATUS> {
    if config.Size as usize != size_of::<WDF_INTERRUPT_CONFIG>() {
        verifier::debug_break(WRONG_STRUCTURE_SIZE, "WDF_INTERRUPT_CONFIG");
        return Err(STATUS_INFO_LENGTH_MISMATCH);
    }
    if config.PassiveHandling != 0 || !config.WaitLock.is_null() || config.CanWakeDevice != 0 {
        crate::cross::unimplemented(
            "WDF01000.SYS",
            "WdfInterruptCreate with PassiveHandling, WaitLock or CanWakeDevice",
        );
    }
    if config.EvtInterruptIsr.is_none() {
        return Err(refuse("EvtInterruptIsr is required", STATUS_INVALID_PARAMETER));
    }
    if config.EvtInterruptDpc.is_some() && config.EvtInterruptWorkItem.is_some() {
        return Err(refuse(
            "EvtInterruptDpc and EvtInterruptWorkItem exclude each other",
            STATUS_INVALID_PARAMETER,
        ));
    }
    Ok(())
}

/// In EvtDriverDeviceAdd without resources, in EvtDevicePrepareHardware with both, nowhere else.
fn check_place(device: &Ref<Device>, config: &WDF_INTERRUPT_CONFIG) -> Result<Option<resource::Resource>, NTSTATUS> {
    let given = (!config.InterruptRaw.is_null(), !config.InterruptTranslated.is_null());
    let misplaced = |text: &str| {
        verifier::debug_break(INTERRUPT_CREATE_PLACE, text);
        STATUS_INVALID_DEVICE_STATE
    };
    if device.pnp.is_adding() {
        return match given {
            (false, false) => Ok(None),
            _ => Err(misplaced("in EvtDriverDeviceAdd there are no resources to give")),
        };
    }
    if !device.pnp.is_preparing() {
        return Err(misplaced(
            "interrupts are created in EvtDriverDeviceAdd or EvtDevicePrepareHardware",
        ));
    }
    if given != (true, true) {
        return Err(misplaced(
            "in EvtDevicePrepareHardware an interrupt needs its raw and translated resource",
        ));
    }
    if config.ShareVector != _WDF_TRI_STATE::WdfUseDefault {
        return Err(refuse(
            "in EvtDevicePrepareHardware the resource says whether the vector is shared",
            STATUS_INVALID_PARAMETER,
        ));
    }
    resource::explicit(device, config).map(Some)
}

/// The attributes, and the parent: the device, or with automatic serialization what the driver names.
fn parent(
    device: &Ref<Device>,
    config: &WDF_INTERRUPT_CONFIG,
    attributes: PWDF_OBJECT_ATTRIBUTES,
) -> Result<(Attributes, std::rc::Rc<object::Object>), NTSTATUS> {
    let rule = if config.AutomaticSerialization == 0 {
        ParentRule::Forbidden
    } else {
        ParentRule::Optional
    };
    let attributes = Attributes::read_plain(attributes, rule)?;
    let parent = attributes.parent_or(device.object());
    let owner = parent.ancestor::<Device>().map(|owner| owner.handle());
    if owner != Some(device.handle()) {
        return Err(STATUS_INVALID_DEVICE_REQUEST);
    }
    Ok((attributes, parent))
}
