//! `WDFDMATRANSACTION`: one buffer on its way to or from the device.
//!
//! The framework does not lock a transaction: the driver must not let two threads use one at a time. The scatter-gather list exists from the call of
//! `EvtProgramDma` until the driver reports the fragment as done, or releases or deletes the transaction.

mod initialize;

use super::adapter::{Adapter, ListBuffer, ListRequest};
use super::enabler::{Direction, Enabler};
use super::overlap;
use super::profile::VERSION_3;
use super::state::{Operation, TransactionState};
use super::transfer::{Fragment, Limits, Progress, Report, StageError, Transfer};
use crate::kmdf::object::{self, Attributes, Body, Flags, Handle, Kind, New, Object, ParentRule, Ref, Typed};
use crate::kmdf::request::Request;
use crate::kmdf::request::status::*;
use crate::kmdf::{call, pool, verifier};
use crate::verifier as rules;
use crate::verifier::kmdf_dma::*;
use core::ffi::c_void;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wdk_sys::*;

/// What Initialize was told.
pub(super) struct Setup {
    /// `EvtProgramDma`.
    pub(super) program: PFN_WDF_PROGRAM_DMA,
    /// The direction.
    pub(super) direction: Direction,
    /// The first MDL.
    pub(super) mdl: PMDL,
    /// Where the buffer begins in it.
    pub(super) offset: u64,
    /// Bytes.
    pub(super) length: u32,
}

/// An initialized transaction.
struct Job {
    setup: Setup,
    mdls: Vec<PMDL>,
    transfer: Transfer,
    limits: Limits,
    /// The driver's context for `EvtProgramDma`.
    context: WDFCONTEXT,
}

/// The request of a transaction that was initialized with one.
struct Owner {
    request: Ref<Request>,
    /// Whether the transaction holds the IRP: from Execute until it is over.
    held: bool,
}

/// The body of a `WDFDMATRANSACTION`.
pub(crate) struct Transaction {
    enabler: Ref<Enabler>,
    state: Cell<TransactionState>,
    /// Memory for lists; `None` when the HAL allocates them.
    buffer: Cell<Option<ListBuffer>>,
    /// The transfer context of DMA version 3.
    transfer_context: Cell<*mut c_void>,
    job: RefCell<Option<Job>>,
    /// The adapter, from Initialize until the transaction is over.
    adapter: Cell<Option<Adapter>>,
    /// The list that `EvtProgramDma` was called with.
    list: Cell<PSCATTER_GATHER_LIST>,
    /// `DMA_SYNCHRONOUS_CALLBACK` or 0.
    flags: Cell<u32>,
    single: Cell<bool>,
    owner: RefCell<Option<Owner>>,
}

impl Body for Transaction {
    fn dispose(&self, object: &Rc<Object>) {
        self.check_not_running(object.handle(), DELETED_DURING_TRANSFER);
        self.state.set(TransactionState::Deleted);
        self.release_resources(object.handle());
        self.forget_request();
        if let Some(buffer) = self.buffer.take() {
            pool::free(buffer.memory);
        }
        let context = self.transfer_context.replace(core::ptr::null_mut());
        if !context.is_null() {
            pool::free(context);
        }
    }
}

impl Typed for Transaction {
    const KIND: Kind = Kind::DmaTransaction;
    type Raw = WDFDMATRANSACTION__;
}

/// Makes a transaction, a child of its enabler.
pub(super) fn create(enabler: WDFDMAENABLER, attributes: PWDF_OBJECT_ATTRIBUTES) -> Result<Ref<Transaction>, NTSTATUS> {
    let enabler = object::get::<Enabler>(enabler);
    let attributes = Attributes::read_plain(attributes, ParentRule::Forbidden)?;
    let single = enabler.settings().single_transfer;
    let body = Transaction {
        enabler: enabler.clone(),
        state: Cell::new(TransactionState::Created),
        buffer: Cell::new(None),
        transfer_context: Cell::new(core::ptr::null_mut()),
        job: RefCell::new(None),
        adapter: Cell::new(None),
        list: Cell::new(core::ptr::null_mut()),
        flags: Cell::new(0),
        single: Cell::new(single),
        owner: RefCell::new(None),
    };
    let made = object::create(
        &New {
            attributes: &attributes,
            parent: Some(enabler.object()),
            flags: Flags::empty(),
        },
        body,
    )?;
    if made.allocate().is_err() {
        made.object().delete_from_failed_create();
        return Err(STATUS_INSUFFICIENT_RESOURCES);
    }
    Ok(made)
}

impl Transaction {
    /// The list memory and the transfer context.
    fn allocate(&self) -> Result<(), ()> {
        if let Some(bytes) = self.enabler.preallocated_list() {
            let memory = pool::allocate(bytes as usize);
            if memory.is_null() {
                return Err(());
            }
            self.buffer.set(Some(ListBuffer { memory, bytes }));
        }
        if self.version() >= VERSION_3 {
            let context = pool::allocate(DMA_TRANSFER_CONTEXT_SIZE_V1 as usize);
            self.transfer_context.set(context);
            if context.is_null() {
                return Err(());
            }
        }
        Ok(())
    }

    /// The enabler.
    pub(super) fn enabler(&self) -> &Ref<Enabler> {
        &self.enabler
    }

    /// The version of the DMA interface.
    pub(super) fn version(&self) -> u32 {
        self.enabler.settings().version
    }

    /// Where it is in its life.
    pub(super) fn state(&self) -> TransactionState {
        self.state.get()
    }

    /// The transfer context of DMA version 3.
    pub(super) fn transfer_context(&self) -> PVOID {
        self.transfer_context.get()
    }

    /// Sets or clears flags of the list functions.
    pub(super) fn set_immediate(&self, immediate: bool) {
        self.flags.set(if immediate { DMA_SYNCHRONOUS_CALLBACK } else { 0 });
    }

    /// Whether it must be one transfer.
    pub(super) fn set_single(&self, single: bool) {
        self.single.set(single);
    }

    /// The request it was initialized with.
    pub(super) fn request(&self) -> Option<Ref<Request>> {
        self.owner.borrow().as_ref().map(|owner| owner.request.clone())
    }

    /// Bytes reported as moved, since Initialize.
    pub(super) fn bytes_transferred(&self) -> u64 {
        self.job.borrow().as_ref().map_or(0, |job| job.transfer.transferred())
    }

    /// Bytes of the current fragment.
    pub(super) fn current_length(&self) -> u64 {
        self.job
            .borrow()
            .as_ref()
            .map_or(0, |job| job.transfer.current().length)
    }

    /// Bug check 0x10D/8 when the state forbids an operation.
    pub(super) fn demand(&self, handle: Handle, operation: Operation) {
        let state = self.state.get();
        if !state.allows(operation) {
            let text = format!("{operation:?} on WDFDMATRANSACTION {handle:?} in state {state:?}");
            verifier::fatal(DMA_STATE, handle.value(), u64::from(state.number()), text);
        }
    }

    /// The adapter in use. The real framework reads through a null pointer when there is none.
    pub(super) fn adapter_in_use(&self, handle: Handle, function: &str) -> Adapter {
        self.adapter.get().unwrap_or_else(|| {
            let text = format!(
                "{function} on WDFDMATRANSACTION {handle:?} in state {:?}: the framework reads through a null pointer",
                self.state.get()
            );
            verifier::fatal(DMA_FRAMEWORK_FAULT, handle.value(), 0, text)
        })
    }

    /// Lowers the fragment length for this use of the transaction.
    pub(super) fn set_fragment_limit(&self, handle: Handle, bytes: u64) {
        let adapter = self.adapter_in_use(handle, "WdfDmaTransactionSetMaximumLength");
        if let Some(job) = self.job.borrow_mut().as_mut() {
            job.limits.fragment = bytes.min(u64::from(adapter.fragment));
        }
    }

    /// What the whole transaction takes: map registers and elements, as the real framework reports them.
    pub(super) fn transfer_info(&self) -> (u32, u32) {
        if self.version() >= VERSION_3 {
            // The framework asks the HAL without naming a version of the structure, and does not look at the status: nothing comes back.
            return (0, 0);
        }
        let pages = self.job.borrow().as_ref().map_or(0, |job| job.transfer.pages());
        let pages = u32::try_from(pages).unwrap_or(u32::MAX);
        (pages, pages)
    }

    /// Ties the transaction to a request: from Execute on the request must not be completed.
    pub(super) fn set_request(&self, request: Ref<Request>) {
        *self.owner.borrow_mut() = Some(Owner { request, held: false });
    }

    /// Execute: the first fragment is mapped, and `EvtProgramDma` is called, now or when map registers are free.
    pub(super) fn execute(&self, handle: Handle, context: WDFCONTEXT) -> NTSTATUS {
        self.demand(handle, Operation::Execute);
        self.hold_request();
        self.state.set(TransactionState::Transfer);
        if let Some(job) = self.job.borrow_mut().as_mut() {
            job.context = context;
            overlap::started(handle, &job.mdls);
        }
        let status = self.stage(handle);
        if !NT_SUCCESS(status) {
            self.state.set(TransactionState::TransferFailed);
            overlap::ended(handle);
            self.let_request_go();
        }
        status
    }

    /// Has the next fragment mapped. After success the transaction may be gone: `EvtProgramDma` may have ended it.
    fn stage(&self, handle: Handle) -> NTSTATUS {
        let staged = {
            let mut job = self.job.borrow_mut();
            let Some(job) = job.as_mut() else {
                return STATUS_INVALID_DEVICE_STATE;
            };
            let limits = job.limits;
            job.transfer
                .stage(&limits)
                .map(|fragment| (fragment, self.list_request(handle, job, fragment)))
        };
        let (_, request) = match staged {
            Ok(staged) => staged,
            Err(StageError::TooFragmented) => return STATUS_WDF_TOO_FRAGMENTED,
            Err(StageError::ChainTooShort) => return STATUS_BUFFER_TOO_SMALL,
        };
        let adapter = self.adapter_in_use(handle, "staging a transfer");
        let status = match self.buffer.get() {
            Some(buffer) => adapter.build_list(self.version(), &request, buffer),
            None => adapter.get_list(self.version(), &request),
        };
        if !NT_SUCCESS(status)
            && let Some(job) = self.job.borrow_mut().as_mut()
        {
            job.transfer.unstage();
        }
        status
    }

    fn list_request(&self, handle: Handle, job: &Job, fragment: Fragment) -> ListRequest {
        ListRequest {
            device: self.enabler.device().fdo(),
            mdl: job.mdls[fragment.at.span],
            offset: fragment.at.offset,
            length: u32::try_from(fragment.length).expect("not above the configured length"),
            write_to_device: job.setup.direction.write(),
            flags: self.flags.get(),
            routine: Some(FxDmaListControl),
            context: handle.raw(),
            transfer_context: self.transfer_context.get(),
        }
    }

    /// The list of the current fragment is there: tells the driver.
    fn program(&self, handle: Handle, list: PSCATTER_GATHER_LIST) {
        let (function, context, direction) = {
            let job = self.job.borrow();
            let Some(job) = job.as_ref() else { return };
            (job.setup.program, job.context, job.setup.direction)
        };
        self.list.set(list);
        let device = self.enabler.device().raw();
        if let Some(function) = function {
            // The result has no meaning: a driver that cannot start the device reports the transaction as over.
            let _programmed = call::boolean(
                "EvtProgramDma",
                // SAFETY: the driver's callback for exactly this; the list lives until the fragment is reported as done.
                || unsafe { function(handle.raw(), device, context, direction.raw(), list) },
                || format!("direction={}", direction.raw()),
            );
        }
    }

    /// The driver reports the current fragment as done. The first result is whether the transaction is over.
    pub(super) fn completed(&self, handle: Handle, report: Report) -> (bool, NTSTATUS) {
        self.demand(handle, Operation::Complete);
        let progress = self.job.borrow_mut().as_mut().map(|job| job.transfer.report(report));
        let status = match progress {
            Some(Ok(progress)) => self.fragment_done(handle, progress),
            _ => {
                verifier::debug_break(
                    DMA_REPORT_TOO_LONG,
                    format!("WDFDMATRANSACTION {handle:?}: {report:?} is more than the fragment has"),
                );
                STATUS_INVALID_PARAMETER
            }
        };
        if status == STATUS_MORE_PROCESSING_REQUIRED {
            return (false, status);
        }
        self.state.set(if NT_SUCCESS(status) {
            TransactionState::TransferCompleted
        } else {
            TransactionState::TransferFailed
        });
        self.release_resources(handle);
        self.let_request_go();
        if let Some(job) = self.job.borrow_mut().as_mut() {
            job.transfer.finish();
        }
        (true, status)
    }

    fn fragment_done(&self, handle: Handle, progress: Progress) -> NTSTATUS {
        self.put_list(handle);
        let remaining = self
            .job
            .borrow()
            .as_ref()
            .is_some_and(|job| job.transfer.has_remaining());
        if self.single.get() && remaining {
            return STATUS_WDF_TOO_MANY_TRANSFERS;
        }
        match progress {
            Progress::Over => STATUS_SUCCESS,
            Progress::Remaining => match self.stage(handle) {
                status if NT_SUCCESS(status) => STATUS_MORE_PROCESSING_REQUIRED,
                status => status,
            },
        }
    }

    /// Release: everything but the enabler is forgotten. Releasing twice does nothing.
    pub(super) fn release(&self, handle: Handle) {
        if self.state.get() == TransactionState::Released {
            return;
        }
        self.check_not_running(handle, RELEASED_DURING_TRANSFER);
        self.state.set(TransactionState::Released);
        self.release_resources(handle);
        *self.job.borrow_mut() = None;
        self.flags.set(0);
        self.single.set(self.enabler.settings().single_transfer);
        self.forget_request();
    }

    /// Gives up waiting for map registers. `false` when `EvtProgramDma` ran or is about to.
    pub(super) fn cancel(&self, handle: Handle) -> bool {
        self.demand(handle, Operation::Cancel);
        let adapter = self.adapter_in_use(handle, "WdfDmaTransactionCancel");
        let cancelled = adapter.cancel_channel(self.enabler.device().fdo(), self.transfer_context.get());
        if cancelled {
            self.state.set(TransactionState::TransferFailed);
            overlap::ended(handle);
            self.let_request_go();
        }
        cancelled
    }

    /// A transaction is given up while the device may be working on it: the framework bug-checks only with its verifier on, and else pulls the mapping
    /// from under the device.
    fn check_not_running(&self, handle: Handle, rule: rules::Rule) {
        if self.state.get() != TransactionState::Transfer {
            return;
        }
        let text = format!("WDFDMATRANSACTION {handle:?}: the device may still be using the scatter-gather list");
        if verifier::verifier_on() {
            let state = u64::from(TransactionState::Transfer.number());
            verifier::fatal(rule, handle.value(), state, text);
        }
        rules::violation_with(rule, [handle.value(), 0, 0], text);
    }

    /// Gives the list back, and the adapter up.
    fn release_resources(&self, handle: Handle) {
        self.put_list(handle);
        overlap::ended(handle);
        self.adapter.set(None);
    }

    fn put_list(&self, handle: Handle) {
        let list = self.list.replace(core::ptr::null_mut());
        if list.is_null() {
            return;
        }
        let direction = self
            .job
            .borrow()
            .as_ref()
            .map_or(Direction::ReadFromDevice, |job| job.setup.direction);
        self.adapter_in_use(handle, "giving a list back")
            .put_list(list, direction.write());
    }

    fn hold_request(&self) {
        if let Some(owner) = self.owner.borrow_mut().as_mut() {
            owner.held = true;
            owner.request.hold_irp();
            owner.request.object().reference();
        }
    }

    /// The request may be completed again; it is still known.
    fn let_request_go(&self) {
        let held = {
            let mut owner = self.owner.borrow_mut();
            owner
                .as_mut()
                .and_then(|owner| core::mem::take(&mut owner.held).then(|| owner.request.clone()))
        };
        if let Some(request) = held {
            request.release_irp(request.handle());
            request.object().dereference();
        }
    }

    fn forget_request(&self) {
        self.let_request_go();
        *self.owner.borrow_mut() = None;
    }
}

framework_callbacks! {
    /// The HAL has the list of a fragment. The context is the transaction's handle.
    fn FxDmaListControl(_device: *mut DEVICE_OBJECT, _irp: *mut IRP, list: PSCATTER_GATHER_LIST, context: PVOID) {
        let Some(transaction) = object::find::<Transaction>(context.cast()) else {
            verifier::fatal(DMA_CALLBACK_AFTER_DELETE, context.addr() as u64, 0, "map registers became free for a transaction that was deleted")
        };
        transaction.program(transaction.handle(), list);
    }
}
