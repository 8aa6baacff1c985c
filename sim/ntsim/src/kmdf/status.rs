//! NTSTATUS codes that the bindings do not have: those of the framework's own facility (`wdfstatus.h`), and a few of the kernel's.
#![allow(
    dead_code,
    reason = "the list is the interface's, complete as far as this framework's functions return them"
)]

use wdk_sys::NTSTATUS;

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {$(
        $(#[$doc])*
        pub(crate) const $name: NTSTATUS = ($value as u32).cast_signed();
    )*};
}

statuses! {
    /// There is one already: informational, so it counts as success.
    STATUS_OBJECT_NAME_EXISTS = 0x4000_0000;
    /// The security descriptor does not fit.
    STATUS_INVALID_SECURITY_DESCR = 0xC000_0079;
    /// Something is missing inside the framework.
    STATUS_WDF_INTERNAL_ERROR = 0xC020_0201;
    /// The attributes contradict themselves.
    STATUS_WDF_OBJECT_ATTRIBUTES_INVALID = 0xC020_0208;
    /// A required callback was not given.
    STATUS_WDF_NO_CALLBACK = 0xC020_020B;
    /// The parent's execution level does not fit.
    STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL = 0xC020_020C;
    /// The object has a parent already.
    STATUS_WDF_PARENT_ALREADY_ASSIGNED = 0xC020_020D;
    /// The object would be its own parent.
    STATUS_WDF_PARENT_IS_SELF = 0xC020_020E;
    /// This object type chooses its parent itself.
    STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED = 0xC020_020F;
    /// This object type has no synchronization scope.
    STATUS_WDF_SYNCHRONIZATION_SCOPE_INVALID = 0xC020_0210;
    /// This object type has no execution level.
    STATUS_WDF_EXECUTION_LEVEL_INVALID = 0xC020_0211;
    /// This object type needs a parent in its attributes.
    STATUS_WDF_PARENT_NOT_SPECIFIED = 0xC020_0212;
}
