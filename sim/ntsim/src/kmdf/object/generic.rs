//! `WdfObjectCreate`: an object that is only a context, callbacks and a place in the tree.

use super::{Body, Kind, Typed};

/// The body of an object that the driver made for itself.
pub(crate) struct Generic;

impl Body for Generic {}

impl Typed for Generic {
    const KIND: Kind = Kind::Generic;
    type Raw = core::ffi::c_void;
}
