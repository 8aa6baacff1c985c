//! Calls of the driver's event callbacks.

use crate::cross;
use wdk_sys::{BOOLEAN, NTSTATUS};

/// A callback without a result.
pub(crate) fn void(name: &'static str, call: impl FnOnce(), args: impl FnOnce() -> String) {
    cross::callback(name, call, args);
}

/// A callback that returns a status.
pub(crate) fn status(name: &'static str, call: impl FnOnce() -> NTSTATUS, args: impl FnOnce() -> String) -> NTSTATUS {
    cross::callback(name, call, args)
}

/// A callback that returns a truth value.
pub(crate) fn boolean(name: &'static str, call: impl FnOnce() -> BOOLEAN, args: impl FnOnce() -> String) -> bool {
    cross::callback(name, call, args) != 0
}
