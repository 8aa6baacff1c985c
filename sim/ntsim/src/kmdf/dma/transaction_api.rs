//! The functions that take a transaction through its life.

use super::enabler::Direction;
use super::mdl;
use super::transaction::{self, Setup, Transaction};
use super::transfer::Report;
use crate::kmdf::object::{self, Ref};
use crate::kmdf::request::Request;
use crate::kmdf::request::buffers::DmaBuffer;
use wdk_sys::*;

/// The transaction of a handle.
fn transaction(handle: WDFDMATRANSACTION) -> Ref<Transaction> {
    object::get::<Transaction>(handle)
}

/// Whether `EvtProgramDma` was given.
fn require_program(program: PFN_WDF_PROGRAM_DMA) {
    let pointer = program.map_or(core::ptr::null(), |function| function as *const ());
    super::require(pointer, "EvtProgramDma");
}

/// Initialize with a buffer that is described by an MDL chain and an address in its first MDL.
fn initialize(
    transaction: &Ref<Transaction>,
    program: PFN_WDF_PROGRAM_DMA,
    direction: WDF_DMA_DIRECTION,
    mdl: PMDL,
    va: usize,
    length: usize,
) -> NTSTATUS {
    require_program(program);
    super::require(mdl, "the MDL");
    if length == 0 {
        return STATUS_INVALID_PARAMETER;
    }
    let Some(direction) = Direction::from_raw(direction) else {
        return STATUS_INVALID_PARAMETER;
    };
    let addresses = mdl::addresses(mdl);
    if !addresses.contains(&va) {
        return STATUS_INVALID_PARAMETER;
    }
    let offset = (va - addresses.start) as u64;
    // The real framework keeps the low 32 bits of the length.
    #[allow(clippy::cast_possible_truncation, reason = "as the real framework does")]
    let length = length as u32;
    transaction.initialize(
        transaction.handle(),
        Setup {
            program,
            direction,
            mdl,
            offset,
            length,
        },
    )
}

/// Initialize with the buffer of a request: the direction must fit how the I/O manager probed it.
fn initialize_with_request(
    transaction: &Ref<Transaction>,
    request: &Ref<Request>,
    program: PFN_WDF_PROGRAM_DMA,
    direction: WDF_DMA_DIRECTION,
) -> NTSTATUS {
    require_program(program);
    let Some(direction) = Direction::from_raw(direction) else {
        return STATUS_INVALID_PARAMETER;
    };
    let DmaBuffer { mdl, length } = match request.dma_buffer(direction) {
        Ok(buffer) => buffer,
        Err(status) => return status,
    };
    if length == 0 {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    let status = transaction.initialize(
        transaction.handle(),
        Setup {
            program,
            direction,
            mdl,
            offset: 0,
            length,
        },
    );
    if NT_SUCCESS(status) {
        transaction.set_request(request.clone());
    }
    status
}

/// Reports the current fragment, and tells the driver how it went on.
fn completed(handle: WDFDMATRANSACTION, report: Report, status: *mut NTSTATUS) -> BOOLEAN {
    let transaction = transaction(handle);
    super::require(status, "the place for the status");
    let (over, result) = transaction.completed(transaction.handle(), report);
    // SAFETY: not null; the driver's own variable.
    unsafe { status.write(result) };
    BOOLEAN::from(over)
}

wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// Makes a transaction. Its parent is the enabler.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDmaTransactionCreate(enabler: WDFDMAENABLER, attributes: PWDF_OBJECT_ATTRIBUTES, made: *mut WDFDMATRANSACTION) -> NTSTATUS {
        super::answer(made, || transaction::create(enabler, attributes).map(|transaction| transaction.raw()))
    }

    /// Gives a transaction its buffer: an MDL chain, an address in its first MDL, and a length.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDmaTransactionInitialize(handle: WDFDMATRANSACTION, program: PFN_WDF_PROGRAM_DMA, direction: WDF_DMA_DIRECTION, mdl: PMDL, va: PVOID, length: usize) -> NTSTATUS {
        initialize(&transaction(handle), program, direction, mdl, va.addr(), length)
    }

    /// Gives a transaction its buffer: an MDL chain, an offset into its first MDL, and a length.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDmaTransactionInitializeUsingOffset(handle: WDFDMATRANSACTION, program: PFN_WDF_PROGRAM_DMA, direction: WDF_DMA_DIRECTION, mdl: PMDL, offset: usize, length: usize) -> NTSTATUS {
        let transaction = transaction(handle);
        super::require(mdl, "the MDL");
        let va = mdl::virtual_address(mdl).addr().wrapping_add(offset);
        initialize(&transaction, program, direction, mdl, va, length)
    }

    /// Gives a transaction the buffer of a request.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDmaTransactionInitializeUsingRequest(handle: WDFDMATRANSACTION, request: WDFREQUEST, program: PFN_WDF_PROGRAM_DMA, direction: WDF_DMA_DIRECTION) -> NTSTATUS {
        let transaction = transaction(handle);
        let request = object::get::<Request>(request);
        initialize_with_request(&transaction, &request, program, direction)
    }

    /// Starts the transaction: EvtProgramDma runs before this returns, or later when map registers are free.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDmaTransactionExecute(handle: WDFDMATRANSACTION, context: WDFCONTEXT) -> NTSTATUS {
        let transaction = transaction(handle);
        transaction.execute(transaction.handle(), context)
    }

    /// The current fragment was moved completely. TRUE: the transaction is over; FALSE: the next fragment is on its way.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDmaTransactionDmaCompleted(handle: WDFDMATRANSACTION, status: *mut NTSTATUS) -> BOOLEAN {
        completed(handle, Report::Full, status)
    }

    /// Part of the current fragment was moved; the next fragment begins behind it.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDmaTransactionDmaCompletedWithLength(handle: WDFDMATRANSACTION, length: usize, status: *mut NTSTATUS) -> BOOLEAN {
        completed(handle, Report::Partial(length as u64), status)
    }

    /// The transaction is over, whatever is left of it.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDmaTransactionDmaCompletedFinal(handle: WDFDMATRANSACTION, length: usize, status: *mut NTSTATUS) -> BOOLEAN {
        completed(handle, Report::Final(length as u64), status)
    }

    /// Makes a finished transaction ready to be initialized again.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDmaTransactionRelease(handle: WDFDMATRANSACTION) -> NTSTATUS {
        let transaction = transaction(handle);
        transaction.release(transaction.handle());
        STATUS_SUCCESS
    }

    /// Gives up waiting for map registers. DMA version 3 only.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDmaTransactionCancel(handle: WDFDMATRANSACTION) -> BOOLEAN {
        let transaction = transaction(handle);
        if !super::transaction_settings::needs_version_3(&transaction, "WdfDmaTransactionCancel") {
            return 0;
        }
        BOOLEAN::from(transaction.cancel(transaction.handle()))
    }
}
