//! The `WdfObject*` functions.

use super::context::Added;
use super::generic::Generic;
use super::{Attributes, Flags, New, ParentRule, any, create};
use crate::kmdf::status::STATUS_OBJECT_NAME_EXISTS;
use crate::kmdf::{self, driver, verifier};
use crate::verifier::kmdf::*;
use wdk_sys::*;

/// Bug check 0x10D/4 when a required pointer is null.
fn require<T>(pointer: *const T, what: &str) {
    if pointer.is_null() {
        verifier::fatal(REQUIRED_PARAMETER_IS_NULL, 0, 0, format!("{what} is null"));
    }
}

crate::wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// Makes an object that is only a context and callbacks.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfObjectCreate(attributes: PWDF_OBJECT_ATTRIBUTES, object: *mut WDFOBJECT) -> NTSTATUS {
        require(object, "the place for the handle");
        // SAFETY: not null; the driver's own variable.
        unsafe { object.write(core::ptr::null_mut()) };
        let attributes = match Attributes::read(attributes, ParentRule::Optional) {
            Ok(attributes) => attributes,
            Err(status) => return status,
        };
        let parent = attributes.parent_or(driver::current().object());
        let passive = attributes.execution_level == _WDF_EXECUTION_LEVEL::WdfExecutionLevelPassive;
        let flags = if passive { Flags::PASSIVE } else { Flags::empty() };
        match create(&New { attributes: &attributes, parent: Some(&parent), flags }, Generic) {
            Ok(made) => {
                // SAFETY: not null; the driver's own variable.
                unsafe { object.write(made.raw()) };
                STATUS_SUCCESS
            }
            Err(status) => status,
        }
    }

    /// Deletes an object and everything below it. Objects that the framework owns (queues, PnP devices, requests from a queue...) are refused.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfObjectDelete(object: WDFOBJECT) {
        let object = any(object);
        if object.has(Flags::NO_DELETE_SILENT) {
            return;
        }
        if object.has(Flags::NO_DELETE) {
            verifier::debug_break(OBJECT_NOT_DELETABLE, format!("{} {:?}", object.kind().handle_name(), object.handle()));
            return;
        }
        object.delete();
    }

    /// Adds a reference to an object.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfObjectReferenceActual(object: WDFOBJECT, _tag: PVOID, _line: LONG, _file: PCHAR) {
        require(object, "the handle");
        any(object).reference();
    }

    /// Drops a reference to an object.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfObjectDereferenceActual(object: WDFOBJECT, _tag: PVOID, _line: LONG, _file: PCHAR) {
        require(object, "the handle");
        any(object).dereference();
    }

    /// The context of a type, or null.
    #[irql(any)]
    fn WdfObjectGetTypedContextWorker(object: WDFOBJECT, type_info: PCWDF_OBJECT_CONTEXT_TYPE_INFO) -> PVOID {
        require(object, "the handle");
        any(object).context(type_info)
    }

    /// Adds a context to an object.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfObjectAllocateContext(object: WDFOBJECT, attributes: PWDF_OBJECT_ATTRIBUTES, context: *mut PVOID) -> NTSTATUS {
        require(object, "the handle");
        let object = any(object);
        if attributes.is_null() {
            return kmdf::status::STATUS_WDF_OBJECT_ATTRIBUTES_INVALID;
        }
        let attributes = match Attributes::read(attributes, ParentRule::Forbidden) {
            Ok(attributes) => attributes,
            Err(status) => return status,
        };
        if attributes.context_type.is_null() {
            return STATUS_OBJECT_NAME_INVALID;
        }
        let (status, data) = match object.add_context(&attributes) {
            Added::New(data) => (STATUS_SUCCESS, data),
            Added::Exists(data) => (STATUS_OBJECT_NAME_EXISTS, data),
            Added::TooLate => return STATUS_DELETE_PENDING,
            Added::NoMemory => return STATUS_INSUFFICIENT_RESOURCES,
        };
        if !context.is_null() {
            // SAFETY: not null; the driver's own variable.
            unsafe { context.write(data) };
        }
        status
    }

    /// The object of a context.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfObjectContextGetObject(context: PVOID) -> WDFOBJECT {
        require(context, "the context");
        match kmdf::state(|s| s.objects.context_owner(context.addr())) {
            Some(handle) => handle.raw(),
            None => verifier::fatal(INVALID_HANDLE, context.addr() as u64, 0, format!("{context:p} is not the start of an object's context")),
        }
    }

    /// Takes the lock of a device or queue that has a synchronization scope.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfObjectAcquireLock(object: WDFOBJECT) {
        lock_of(object).acquire();
    }

    /// Lets go of the lock of [`WdfObjectAcquireLock`].
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfObjectReleaseLock(object: WDFOBJECT) {
        lock_of(object).release();
    }
}

/// The callback lock of an object; bug check 0x10D/B when its type has none.
fn lock_of(object: WDFOBJECT) -> std::rc::Rc<kmdf::sync::CallbackLock> {
    let object = any(object);
    object.callback_lock().unwrap_or_else(|| {
        let text = format!(
            "{} {:?} has no lock: only devices and queues with a synchronization scope have one",
            object.kind().handle_name(),
            object.handle()
        );
        verifier::fatal(NO_CALLBACK_LOCK, object.handle().value(), 0, text)
    })
}
