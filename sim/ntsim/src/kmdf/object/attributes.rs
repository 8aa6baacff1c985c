//! `WDF_OBJECT_ATTRIBUTES`: the checks that every function which makes an object does, and the copy it keeps.

use super::{Object, any};
use crate::kmdf::status::*;
use std::rc::Rc;
use wdk_sys::*;

/// Whether a function accepts a parent in the attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ParentRule {
    /// The framework decides: giving one is an error.
    Forbidden,
    /// Given or not.
    Optional,
    /// Must be given.
    Required,
}

/// A checked copy of the attributes. `Default` is what no attributes mean.
#[derive(Clone, Copy)]
pub(crate) struct Attributes {
    /// `EvtCleanupCallback`.
    pub(crate) cleanup: PFN_WDF_OBJECT_CONTEXT_CLEANUP,
    /// `EvtDestroyCallback`.
    pub(crate) destroy: PFN_WDF_OBJECT_CONTEXT_DESTROY,
    /// The parent's handle, or null.
    pub(crate) parent: WDFOBJECT,
    /// `ExecutionLevel`.
    pub(crate) execution_level: WDF_EXECUTION_LEVEL,
    /// `SynchronizationScope`.
    pub(crate) synchronization_scope: WDF_SYNCHRONIZATION_SCOPE,
    /// The context type, or null.
    pub(crate) context_type: PCWDF_OBJECT_CONTEXT_TYPE_INFO,
    /// The size of the context in bytes.
    pub(crate) context_size: usize,
}

impl Default for Attributes {
    fn default() -> Self {
        Self {
            cleanup: None,
            destroy: None,
            parent: core::ptr::null_mut(),
            execution_level: _WDF_EXECUTION_LEVEL::WdfExecutionLevelInheritFromParent,
            synchronization_scope: _WDF_SYNCHRONIZATION_SCOPE::WdfSynchronizationScopeInheritFromParent,
            context_type: core::ptr::null(),
            context_size: 0,
        }
    }
}

impl Attributes {
    /// Checks and copies what the driver passed; null means the defaults, unless a parent is required.
    pub(crate) fn read(raw: PWDF_OBJECT_ATTRIBUTES, parent: ParentRule) -> Result<Self, NTSTATUS> {
        if raw.is_null() {
            return if parent == ParentRule::Required {
                Err(STATUS_WDF_PARENT_NOT_SPECIFIED)
            } else {
                Ok(Self::default())
            };
        }
        // SAFETY: the driver passes a readable structure; a wild pointer faults inside the machine, as it would in Windows.
        let raw = unsafe { raw.read() };
        if raw.Size as usize != size_of::<WDF_OBJECT_ATTRIBUTES>() {
            return Err(STATUS_INFO_LENGTH_MISMATCH);
        }
        let context_size = context_size(&raw)?;
        let parent_given = !raw.ParentObject.is_null();
        match parent {
            ParentRule::Forbidden if parent_given => return Err(STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED),
            ParentRule::Required if !parent_given => return Err(STATUS_WDF_PARENT_NOT_SPECIFIED),
            _ => {}
        }
        let level = raw.ExecutionLevel;
        let levels =
            _WDF_EXECUTION_LEVEL::WdfExecutionLevelInheritFromParent..=_WDF_EXECUTION_LEVEL::WdfExecutionLevelDispatch;
        let scope = raw.SynchronizationScope;
        let scopes = _WDF_SYNCHRONIZATION_SCOPE::WdfSynchronizationScopeInheritFromParent
            ..=_WDF_SYNCHRONIZATION_SCOPE::WdfSynchronizationScopeNone;
        if !levels.contains(&level) || !scopes.contains(&scope) {
            return Err(STATUS_WDF_OBJECT_ATTRIBUTES_INVALID);
        }
        Ok(Self {
            cleanup: raw.EvtCleanupCallback,
            destroy: raw.EvtDestroyCallback,
            parent: raw.ParentObject,
            execution_level: level,
            synchronization_scope: scope,
            context_type: raw.ContextTypeInfo,
            context_size,
        })
    }

    /// As [`Attributes::read`], for object types that have neither an execution level nor a synchronization scope of their own.
    pub(crate) fn read_plain(raw: PWDF_OBJECT_ATTRIBUTES, parent: ParentRule) -> Result<Self, NTSTATUS> {
        let attributes = Self::read(raw, parent)?;
        if attributes.execution_level != _WDF_EXECUTION_LEVEL::WdfExecutionLevelInheritFromParent {
            return Err(STATUS_WDF_EXECUTION_LEVEL_INVALID);
        }
        if attributes.synchronization_scope != _WDF_SYNCHRONIZATION_SCOPE::WdfSynchronizationScopeInheritFromParent {
            return Err(STATUS_WDF_SYNCHRONIZATION_SCOPE_INVALID);
        }
        Ok(attributes)
    }

    /// The parent that the driver named, or the given one. A wrong parent handle is bug check 0x10D/5.
    pub(crate) fn parent_or(&self, default: &Rc<Object>) -> Rc<Object> {
        if self.parent.is_null() {
            Rc::clone(default)
        } else {
            any(self.parent)
        }
    }
}

/// The size of the context that the attributes ask for.
fn context_size(raw: &WDF_OBJECT_ATTRIBUTES) -> Result<usize, NTSTATUS> {
    if raw.ContextTypeInfo.is_null() {
        return if raw.ContextSizeOverride == 0 {
            Ok(0)
        } else {
            Err(STATUS_WDF_OBJECT_ATTRIBUTES_INVALID)
        };
    }
    // SAFETY: not null; the driver passes its static type information.
    let info = unsafe { raw.ContextTypeInfo.read() };
    let wrong_size = info.Size as usize != size_of::<WDF_OBJECT_CONTEXT_TYPE_INFO>();
    let unnamed = info.ContextSize != 0 && info.ContextName.is_null();
    let shrunk = raw.ContextSizeOverride != 0 && raw.ContextSizeOverride < info.ContextSize;
    if wrong_size || unnamed || shrunk {
        return Err(STATUS_WDF_OBJECT_ATTRIBUTES_INVALID);
    }
    Ok(if raw.ContextSizeOverride == 0 {
        info.ContextSize
    } else {
        raw.ContextSizeOverride
    })
}
