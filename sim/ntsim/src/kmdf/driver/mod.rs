//! The driver object: `WdfDriverCreate`, AddDevice, unload, and what the framework knows of its client.

mod api;
mod client;
mod settings;
mod wdm;

pub(crate) use api::FUNCTIONS;
pub(crate) use client::{Client, current, flush_disposal, queue_disposal, unbound};
pub(crate) use settings::read_settings;

use super::object::{Body, Kind, Typed};
use super::sync::Constraints;
use wdk_sys::*;

/// The body of a `WDFDRIVER`.
pub(crate) struct Driver {
    pub(crate) device_add: PFN_WDF_DRIVER_DEVICE_ADD,
    pub(crate) unload: PFN_WDF_DRIVER_UNLOAD,
    pub(crate) constraints: Constraints,
}

impl Body for Driver {}

impl Typed for Driver {
    const KIND: Kind = Kind::Driver;
    type Raw = WDFDRIVER__;
}
