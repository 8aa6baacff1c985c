//! The device object: `WDFDEVICE_INIT`, `WDFDEVICE`, and the dispatch of the IRPs that reach it.

mod api;
mod create;
mod dispatch;
mod init;
mod init_api;
mod interface;
mod property;
mod query;

pub(crate) use create::{added, new_init};
pub(crate) use dispatch::FxDispatch;
pub(crate) use init::{Init, Settings};
pub(crate) use query::DEVICE_FAILED;

use super::cmres::CmResList;
use super::file::FileObject;
use super::interrupt::Interrupts;
use super::object::{Attributes, Body, Kind, Object, Ref, Typed};
use super::pnp::Machine;
use super::sync::{CallbackLock, Constraints};
use super::{dma, queue};
use crate::cross::WdfExport;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use wdk_sys::*;

/// The functions of this folder.
pub(crate) const FUNCTIONS: &[&[WdfExport]] = &[
    api::FUNCTIONS,
    init_api::FUNCTIONS,
    interface::FUNCTIONS,
    property::FUNCTIONS,
    query::FUNCTIONS,
    create::FUNCTIONS,
];

/// The body of a `WDFDEVICE`: a function device object in a PnP stack.
pub(crate) struct Device {
    fdo: PDEVICE_OBJECT,
    pdo: PDEVICE_OBJECT,
    attached: Cell<PDEVICE_OBJECT>,
    /// What the driver chose before WdfDeviceCreate.
    pub(crate) settings: Settings,
    constraints: Constraints,
    lock: Option<Rc<CallbackLock>>,
    package: OnceCell<Rc<Object>>,
    io: queue::Package,
    enablers: dma::Enablers,
    pub(crate) pnp: Machine,
    pub(crate) interrupts: Interrupts,
    pub(crate) interfaces: interface::Interfaces,
    pub(crate) files: RefCell<BTreeMap<usize, Ref<FileObject>>>,
    pub(crate) capabilities: RefCell<query::Capabilities>,
    pub(crate) stop_count: Cell<u32>,
    /// Raw and translated, from EvtDevicePrepareHardware to EvtDeviceReleaseHardware.
    resources: RefCell<Option<(Ref<CmResList>, Ref<CmResList>)>>,
}

impl Body for Device {
    fn destroy(&self, _object: &Object) {
        self.interfaces.free();
    }

    fn callback_lock(&self, _object: &Object) -> Option<Rc<CallbackLock>> {
        self.lock.clone()
    }
}

impl Typed for Device {
    const KIND: Kind = Kind::Device;
    type Raw = WDFDEVICE__;
}

/// The framework's own object that is the parent of a device's queues: the first child of the device, so that queues are disposed before everything else.
struct IoPackage;

impl Body for IoPackage {}

impl Typed for IoPackage {
    const KIND: Kind = Kind::IoPackage;
    type Raw = core::ffi::c_void;
}

impl Device {
    /// The framework's device object.
    pub(crate) fn fdo(&self) -> PDEVICE_OBJECT {
        self.fdo
    }

    /// The bus driver's device object.
    pub(crate) fn pdo(&self) -> PDEVICE_OBJECT {
        self.pdo
    }

    /// The device object below the framework's one; null once it was removed.
    pub(crate) fn attached(&self) -> PDEVICE_OBJECT {
        self.attached.get()
    }

    /// Whether the driver is a filter.
    pub(crate) fn is_filter(&self) -> bool {
        self.settings.filter
    }

    /// The attributes of every request.
    pub(crate) fn request_attributes(&self) -> Attributes {
        self.settings.request_attributes
    }

    /// How read and write buffers are passed.
    pub(crate) fn io_type(&self) -> WDF_DEVICE_IO_TYPE {
        self.settings.io_type
    }

    /// `EvtIoInCallerContext`.
    pub(crate) fn in_caller_context(&self) -> PFN_WDF_IO_IN_CALLER_CONTEXT {
        self.settings.in_caller_context
    }

    /// Execution level and synchronization scope, resolved.
    pub(crate) fn constraints(&self) -> Constraints {
        self.constraints
    }

    /// The I/O package.
    pub(crate) fn io(&self) -> &queue::Package {
        &self.io
    }

    /// The DMA enablers.
    pub(crate) fn enablers(&self) -> &dma::Enablers {
        &self.enablers
    }

    /// The parent of the device's queues.
    pub(crate) fn queue_parent(&self) -> Rc<Object> {
        Rc::clone(self.package.get().expect("made with the device"))
    }

    /// Whether the device was started at least once.
    pub(crate) fn started_once(&self) -> bool {
        self.pnp.started_once()
    }

    /// The framework's object of an open file.
    pub(crate) fn file_object(&self, file: PFILE_OBJECT) -> Option<Ref<FileObject>> {
        self.files.borrow().get(&file.addr()).cloned()
    }

    /// The resource lists, raw and translated.
    pub(crate) fn resources(&self) -> Option<(Ref<CmResList>, Ref<CmResList>)> {
        self.resources.borrow().clone()
    }

    /// Changes the resource lists; the former ones.
    pub(crate) fn set_resources(
        &self,
        lists: Option<(Ref<CmResList>, Ref<CmResList>)>,
    ) -> Option<(Ref<CmResList>, Ref<CmResList>)> {
        self.resources.replace(lists)
    }

    /// The device object left the stack.
    pub(crate) fn detached(&self) {
        self.attached.set(core::ptr::null_mut());
    }
}
