//! The rules of DMA.

use crate::io::*;
use crate::support::*;
use core::ptr::null_mut;
use ntsim::verifier::Policy;
use wdk_sys::{ntddk::*, *};

const PAGE: usize = 4096;
const READ: WDF_DMA_DIRECTION = _WDF_DMA_DIRECTION::WdfDmaDirectionReadFromDevice;

fn enabler_config(version: u32) -> WDF_DMA_ENABLER_CONFIG {
    WDF_DMA_ENABLER_CONFIG {
        Size: size_of::<WDF_DMA_ENABLER_CONFIG>() as ULONG,
        Profile: _WDF_DMA_PROFILE::WdfDmaProfileScatterGather64Duplex,
        MaximumLength: 16 * PAGE,
        WdmDmaVersionOverride: version,
        ..Default::default()
    }
}

fn enabler(version: u32) -> WDFDMAENABLER {
    let mut enabler = null_mut();
    let status = wdf!(
        WdfDmaEnablerCreate,
        device(),
        &mut enabler_config(version),
        null_mut(),
        &mut enabler
    );
    assert_eq!(status, STATUS_SUCCESS);
    enabler
}

fn transaction(version: u32) -> WDFDMATRANSACTION {
    let mut transaction = null_mut();
    let status = wdf!(WdfDmaTransactionCreate, enabler(version), null_mut(), &mut transaction);
    assert_eq!(status, STATUS_SUCCESS);
    transaction
}

unsafe extern "win64" fn program(
    _: WDFDMATRANSACTION,
    _: WDFDEVICE,
    _: WDFCONTEXT,
    _: WDF_DMA_DIRECTION,
    _: PSCATTER_GATHER_LIST,
) -> BOOLEAN {
    1
}

fn buffer(length: usize) -> PMDL {
    let memory = unsafe { ExAllocatePool2(POOL_FLAG_NON_PAGED, length as u64, 1) };
    let mdl = unsafe { IoAllocateMdl(memory, length as ULONG, 0, 0, null_mut()) };
    unsafe { MmBuildMdlForNonPagedPool(mdl) };
    mdl
}

fn initialize(transaction: WDFDMATRANSACTION, mdl: PMDL, length: usize) -> NTSTATUS {
    let start = unsafe { (*mdl).StartVa }.wrapping_byte_add(unsafe { (*mdl).ByteOffset } as usize);
    wdf!(
        WdfDmaTransactionInitialize,
        transaction,
        Some(program),
        READ,
        mdl,
        start,
        length
    )
}

fn execute(transaction: WDFDMATRANSACTION) {
    assert_eq!(wdf!(WdfDmaTransactionExecute, transaction, null_mut()), STATUS_SUCCESS);
}

/// A transaction whose device is at work.
fn running(version: u32) -> WDFDMATRANSACTION {
    let transaction = transaction(version);
    assert_eq!(initialize(transaction, buffer(2 * PAGE), 2 * PAGE), STATUS_SUCCESS);
    execute(transaction);
    transaction
}

fn broken_by(f: impl FnOnce() + 'static) -> &'static str {
    rule(&Rig::started().crash(f))
}

#[test]
fn executed_without_a_buffer() {
    let rule = broken_by(|| {
        let _status = wdf!(WdfDmaTransactionExecute, transaction(3), null_mut());
    });
    assert_eq!(rule, "kmdf-dma-state");
}

#[test]
fn released_while_the_device_works() {
    let release = || {
        let _status = wdf!(WdfDmaTransactionRelease, running(3));
    };
    assert_eq!(broken_by(release), "kmdf-dma-released-during-transfer");
    let unverified = Rig::started_with(&Options {
        verifier_on: false,
        ..Options::default()
    });
    assert_eq!(rule(&unverified.crash(release)), "kmdf-dma-released-during-transfer");
}

#[test]
fn deleted_while_the_device_works() {
    assert_eq!(
        broken_by(|| wdf!(WdfObjectDelete, running(3).cast())),
        "kmdf-dma-deleted-during-transfer"
    );
}

#[test]
fn deleted_while_it_waits_for_map_registers() {
    let rig = Rig::started_with(&Options {
        policy: Policy::Collect,
        verifier_on: false,
        ..Options::default()
    });
    rig.machine.withhold_map_registers();
    rig.run(|| wdf!(WdfObjectDelete, running(2).cast())).unwrap();
    let crash = rig.crash(|| ntsim::machine::current().free_map_registers());
    assert_eq!(rule(&crash), "kmdf-dma-callback-after-delete");
}

#[test]
fn a_limit_for_a_transaction_without_a_buffer() {
    let rule = broken_by(|| wdf!(WdfDmaTransactionSetMaximumLength, transaction(3), PAGE));
    assert_eq!(rule, "kmdf-dma-framework-fault");
}

#[test]
fn a_limit_of_elements_for_a_device_that_runs() {
    let rule = broken_by(|| wdf!(WdfDmaEnablerSetMaximumScatterGatherElements, enabler(3), 8));
    assert_eq!(rule, "kmdf-dma-configuration");
}

#[test]
fn a_single_transfer_with_version_2() {
    let rule = broken_by(|| wdf!(WdfDmaTransactionSetSingleTransferRequirement, transaction(2), 1));
    assert_eq!(rule, "kmdf-dma-needs-version-3");
}

#[test]
fn immediate_execution_of_what_is_executed() {
    let rule = broken_by(|| wdf!(WdfDmaTransactionSetImmediateExecution, running(3), 1));
    assert_eq!(rule, "kmdf-dma-setting-too-late");
}

#[test]
fn more_reported_than_moved() {
    let rule = broken_by(|| {
        let mut status = 0;
        let _over = wdf!(
            WdfDmaTransactionDmaCompletedWithLength,
            running(3),
            3 * PAGE,
            &mut status
        );
    });
    assert_eq!(rule, "kmdf-dma-report-too-long");
}

#[test]
fn more_bytes_than_the_mdl_has() {
    let rule = broken_by(|| {
        initialize(transaction(3), buffer(PAGE), 8 * PAGE);
    });
    assert_eq!(rule, "kmdf-dma-buffer-too-short");
}

/// The MDL of a request's output buffer.
fn output(request: WDFREQUEST) -> PMDL {
    let mut mdl = null_mut();
    assert_eq!(wdf!(WdfRequestRetrieveOutputWdmMdl, request, &mut mdl), STATUS_SUCCESS);
    mdl
}

#[test]
fn completed_under_the_hands_of_the_device() {
    let handler = |request| {
        let transaction = transaction(3);
        assert_eq!(initialize(transaction, output(request), 2 * PAGE), STATUS_SUCCESS);
        execute(transaction);
        complete(request, STATUS_SUCCESS, 0);
    };
    assert_eq!(
        Io::new().broken_by(METHOD_OUT_DIRECT, &[], 2 * PAGE, handler),
        "kmdf-dma-request-completed-under-dma"
    );
    assert_eq!(
        Io::unverified().broken_by(METHOD_OUT_DIRECT, &[], 2 * PAGE, handler),
        "kmdf-dma-request-completed-under-dma"
    );
}

#[test]
fn completed_although_a_transaction_holds_it() {
    let rule = Io::unverified().broken_by(METHOD_OUT_DIRECT, &[], 2 * PAGE, |request| {
        let transaction = transaction(3);
        assert_eq!(
            wdf!(
                WdfDmaTransactionInitializeUsingRequest,
                transaction,
                request,
                Some(program),
                READ
            ),
            STATUS_SUCCESS
        );
        execute(transaction);
        complete(request, STATUS_SUCCESS, 0);
    });
    assert!(
        [
            "kmdf-request-completed-with-references",
            "kmdf-dma-request-completed-under-dma"
        ]
        .contains(&rule),
        "{rule}"
    );
}

#[test]
fn a_transfer_ends_and_leaves_nothing() {
    let io = Io::new();
    on_request(|_, request| {
        let transaction = transaction(3);
        assert_eq!(
            wdf!(
                WdfDmaTransactionInitializeUsingRequest,
                transaction,
                request,
                Some(program),
                READ
            ),
            STATUS_SUCCESS
        );
        execute(transaction);
        let mut status = 0;
        assert_eq!(wdf!(WdfDmaTransactionDmaCompleted, transaction, &mut status), 1);
        let moved = wdf!(WdfDmaTransactionGetBytesTransferred, transaction);
        assert_eq!(wdf!(WdfDmaTransactionRelease, transaction), STATUS_SUCCESS);
        wdf!(WdfObjectDelete, transaction.cast());
        complete(request, status, moved as u64);
    });
    let result = io.exchange(METHOD_OUT_DIRECT, &[], 3 * PAGE).unwrap();
    assert_eq!((result.status, result.information), (STATUS_SUCCESS, 3 * PAGE as u64));
    io.finish();
}

#[test]
fn common_buffers_have_addresses_for_both_sides() {
    let rig = Rig::started();
    rig.run(|| {
        let mut made = null_mut();
        assert_eq!(
            wdf!(WdfCommonBufferCreate, enabler(3), 2 * PAGE, null_mut(), &mut made),
            STATUS_SUCCESS
        );
        assert_eq!(wdf!(WdfCommonBufferGetLength, made), 2 * PAGE);
        let memory = wdf!(WdfCommonBufferGetAlignedVirtualAddress, made);
        unsafe { memory.cast::<u64>().write(7) };
        let address = wdf!(WdfCommonBufferGetAlignedLogicalAddress, made);
        assert_ne!(unsafe { address.QuadPart }, 0);
        wdf!(WdfObjectDelete, made.cast());
    })
    .unwrap();
    rig.finish().unwrap();
}
