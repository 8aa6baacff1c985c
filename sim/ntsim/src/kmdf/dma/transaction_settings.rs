//! The functions that configure a transaction, and those that ask about it.

use super::profile::VERSION_3;
use super::state::Operation;
use super::transaction::Transaction;
use crate::kmdf::object::{self, Ref};
use crate::kmdf::verifier;
use crate::verifier::kmdf_dma::{DMA_NEEDS_VERSION_3, DMA_SETTING_TOO_LATE};
use wdk_sys::*;

/// The transaction of a handle.
fn transaction(handle: WDFDMATRANSACTION) -> Ref<Transaction> {
    object::get::<Transaction>(handle)
}

/// Whether the enabler uses DMA version 3; a verifier break when not.
pub(super) fn needs_version_3(transaction: &Ref<Transaction>, function: &str) -> bool {
    let fits = transaction.version() >= VERSION_3;
    if !fits {
        verifier::debug_break(
            DMA_NEEDS_VERSION_3,
            format!("{function} on WDFDMATRANSACTION {:?}", transaction.handle()),
        );
    }
    fits
}

fn too_late(transaction: &Ref<Transaction>, function: &str) {
    let text = format!(
        "{function} on WDFDMATRANSACTION {:?} in state {:?}",
        transaction.handle(),
        transaction.state()
    );
    verifier::debug_break(DMA_SETTING_TOO_LATE, text);
}

wdf_exports! {
    pub(crate) const FUNCTIONS;

    /// Lowers the fragment length until the transaction is released. After Initialize only.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDmaTransactionSetMaximumLength(handle: WDFDMATRANSACTION, maximum: usize) {
        let transaction = transaction(handle);
        transaction.set_fragment_limit(transaction.handle(), maximum as u64);
    }

    /// Demands that the transaction is one transfer. Before Initialize, DMA version 3 only; lost at Release.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDmaTransactionSetSingleTransferRequirement(handle: WDFDMATRANSACTION, single: BOOLEAN) {
        let transaction = transaction(handle);
        if !needs_version_3(&transaction, "WdfDmaTransactionSetSingleTransferRequirement") {
            return;
        }
        if transaction.state().may_set_single_transfer() {
            transaction.set_single(single != 0);
        } else {
            too_late(&transaction, "WdfDmaTransactionSetSingleTransferRequirement");
        }
    }

    /// Demands that Execute fails rather than waits for map registers. DMA version 3 only; lost at Release.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDmaTransactionSetImmediateExecution(handle: WDFDMATRANSACTION, immediate: BOOLEAN) {
        let transaction = transaction(handle);
        if !needs_version_3(&transaction, "WdfDmaTransactionSetImmediateExecution") {
            return;
        }
        if !transaction.state().may_set_immediate_execution() {
            too_late(&transaction, "WdfDmaTransactionSetImmediateExecution");
        }
        transaction.set_immediate(immediate != 0);
    }

    /// Bytes reported as moved since Initialize.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDmaTransactionGetBytesTransferred(handle: WDFDMATRANSACTION) -> usize {
        usize::try_from(transaction(handle).bytes_transferred()).expect("64-bit host")
    }

    /// Bytes of the current fragment.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDmaTransactionGetCurrentDmaTransferLength(handle: WDFDMATRANSACTION) -> usize {
        usize::try_from(transaction(handle).current_length()).expect("64-bit host")
    }

    /// The device.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDmaTransactionGetDevice(handle: WDFDMATRANSACTION) -> WDFDEVICE {
        transaction(handle).enabler().device().raw()
    }

    /// The request that the transaction was initialized with, or null.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDmaTransactionGetRequest(handle: WDFDMATRANSACTION) -> WDFREQUEST {
        transaction(handle).request().map_or(core::ptr::null_mut(), |request| request.raw())
    }

    /// The HAL's transfer context. DMA version 3 only, while the transaction is initialized.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDmaTransactionWdmGetTransferContext(handle: WDFDMATRANSACTION) -> PVOID {
        let transaction = transaction(handle);
        if !needs_version_3(&transaction, "WdfDmaTransactionWdmGetTransferContext") {
            return core::ptr::null_mut();
        }
        if !transaction.state().has_transfer_context() {
            too_late(&transaction, "WdfDmaTransactionWdmGetTransferContext");
            return core::ptr::null_mut();
        }
        transaction.transfer_context()
    }

    /// Map registers and elements that the transaction takes. Between Initialize and Execute.
    #[irql(..= DISPATCH_LEVEL)]
    fn WdfDmaTransactionGetTransferInfo(handle: WDFDMATRANSACTION, registers: *mut ULONG, elements: *mut ULONG) {
        let transaction = transaction(handle);
        transaction.demand(transaction.handle(), Operation::GetTransferInfo);
        let found = transaction.transfer_info();
        for (place, value) in [(registers, found.0), (elements, found.1)] {
            if !place.is_null() {
                // SAFETY: not null; the driver's own variable.
                unsafe { place.write(value) };
            }
        }
    }
}
