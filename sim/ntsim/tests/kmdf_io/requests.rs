//! The rules of requests.

use crate::io::*;
use crate::support::*;
use core::ptr::null_mut;
use wdk_sys::{ntddk::*, *};

fn buffered(handler: impl Fn(WDFREQUEST) + 'static) -> &'static str {
    Io::new().broken_by(METHOD_BUFFERED, &[1; 4], 4, handler)
}

unsafe extern "win64" fn cancelled(request: WDFREQUEST) {
    complete(request, STATUS_CANCELLED, 0);
}

fn mark(request: WDFREQUEST) {
    assert_eq!(
        wdf!(WdfRequestMarkCancelableEx, request, Some(cancelled)),
        STATUS_SUCCESS
    );
}

fn reference(request: WDFREQUEST) {
    wdf!(
        WdfObjectReferenceActual,
        request.cast(),
        null_mut(),
        0,
        c"test".as_ptr()
    );
}

#[test]
fn more_bytes_than_the_buffer_has() {
    assert_eq!(
        buffered(|request| complete(request, STATUS_SUCCESS, 5)),
        "kmdf-request-information-too-large"
    );
}

/// An IRP whose issuer gave an address of its own for no bytes, as the I/O manager of Windows passes it on.
fn irp_with_empty_output(top: PDEVICE_OBJECT) -> PIRP {
    unsafe {
        let irp = IoAllocateIrp((*top).StackSize, 0);
        (*irp).RequestorMode = _MODE::UserMode as KPROCESSOR_MODE;
        (*irp).Flags = IRP_BUFFERED_IO | IRP_INPUT_OPERATION;
        let next = (*irp)
            .Tail
            .Overlay
            .__bindgen_anon_2
            .__bindgen_anon_1
            .CurrentStackLocation
            .sub(1);
        (*next).MajorFunction = IRP_MJ_DEVICE_CONTROL as UCHAR;
        (*next).Parameters.DeviceIoControl.IoControlCode = code(METHOD_BUFFERED);
        irp
    }
}

#[test]
fn bytes_without_a_buffer() {
    let io = Io::new();
    on_request(|_, request| complete(request, STATUS_SUCCESS, 1));
    let pdo = io.device().pdo();
    let crash = io.crash(move || unsafe {
        let top = IoGetAttachedDeviceReference(pdo);
        let _status = IofCallDriver(top, irp_with_empty_output(top));
    });
    assert_eq!(rule(&crash), "kmdf-request-information-without-output");
}

#[test]
fn completed_twice() {
    let twice = |request| {
        complete(request, STATUS_SUCCESS, 0);
        complete(request, STATUS_SUCCESS, 0);
    };
    assert_eq!(buffered(twice), "kmdf-request-not-owned");
    assert_eq!(
        Io::unverified().broken_by(METHOD_BUFFERED, &[], 0, twice_and_kept),
        "kmdf-request-framework-fault"
    );
}

/// Completes a request twice whose object is still there. Without the reference the handle is no longer one.
fn twice_and_kept(request: WDFREQUEST) {
    reference(request);
    complete(request, STATUS_SUCCESS, 0);
    complete(request, STATUS_SUCCESS, 0);
}

#[test]
fn used_after_completion() {
    let rule = buffered(|request| {
        reference(request);
        complete(request, STATUS_SUCCESS, 0);
        let _unseen = wdf!(WdfRequestGetInformation, request);
    });
    assert_eq!(rule, "kmdf-request-completed");
}

#[test]
fn forwarded_while_cancelable() {
    let rule = buffered(|request| {
        let manual = make_queue(
            device(),
            &mut queue_config(_WDF_IO_QUEUE_DISPATCH_TYPE::WdfIoQueueDispatchManual),
        );
        mark(request);
        let _unseen = wdf!(WdfRequestForwardToIoQueue, request, manual);
    });
    assert_eq!(rule, "kmdf-request-cancelable");
}

#[test]
fn unmarked_without_being_marked() {
    let rule = buffered(|request| {
        let _unseen = wdf!(WdfRequestUnmarkCancelable, request);
    });
    assert_eq!(rule, "kmdf-request-not-cancelable");
}

#[test]
fn completed_while_cancelable() {
    let rule = buffered(|request| {
        mark(request);
        complete(request, STATUS_SUCCESS, 0);
    });
    assert_eq!(rule, "kmdf-request-completed-cancelable");
}

#[test]
fn a_user_address_outside_the_callers_context() {
    let rule = Io::new().broken_by(METHOD_NEITHER, &[1; 4], 4, |request| {
        let (mut buffer, mut length) = (null_mut(), 0);
        let _unseen = wdf!(
            WdfRequestRetrieveUnsafeUserInputBuffer,
            request,
            1,
            &mut buffer,
            &mut length
        );
    });
    assert_eq!(rule, "kmdf-request-user-buffer");
}

#[test]
fn the_file_of_a_driver_without_files() {
    let rule = buffered(|request| {
        assert!(wdf!(WdfRequestGetFileObject, request).is_null());
    });
    assert_eq!(rule, "kmdf-request-no-file-object");
}

#[test]
fn acknowledged_without_a_stop() {
    assert_eq!(
        buffered(|request| wdf!(WdfRequestStopAcknowledge, request, 0)),
        "kmdf-request-not-stopping"
    );
}

#[test]
fn forwarded_to_the_queue_it_came_from() {
    let rule = buffered(|request| {
        let _unseen = wdf!(WdfRequestForwardToIoQueue, request, queue());
    });
    assert_eq!(rule, "kmdf-request-forwarded-wrong");
}

#[test]
fn completed_while_its_memory_is_referenced() {
    let rule = Io::unverified().broken_by(METHOD_BUFFERED, &[1; 4], 0, |request| {
        let mut memory = null_mut();
        assert_eq!(
            wdf!(WdfRequestRetrieveInputMemory, request, &mut memory),
            STATUS_SUCCESS
        );
        wdf!(WdfObjectReferenceActual, memory.cast(), null_mut(), 0, c"test".as_ptr());
        complete(request, STATUS_SUCCESS, 0);
    });
    assert_eq!(rule, "kmdf-request-completed-with-references");
}

#[test]
fn a_buffered_request_brings_input_and_takes_output() {
    let io = Io::new();
    on_request(|_, request| {
        let (mut input, mut output, mut length) = (null_mut(), null_mut(), 0);
        assert_eq!(
            wdf!(WdfRequestRetrieveInputBuffer, request, 3, &mut input, &mut length),
            STATUS_SUCCESS
        );
        assert_eq!(length, 3);
        let bytes = unsafe { input.cast::<[u8; 3]>().read() };
        assert_eq!(
            wdf!(WdfRequestRetrieveOutputBuffer, request, 3, &mut output, null_mut()),
            STATUS_SUCCESS
        );
        unsafe { output.cast::<[u8; 3]>().write(bytes.map(|byte| byte + 1)) };
        assert_eq!(
            wdf!(WdfRequestRetrieveOutputBuffer, request, 9, &mut output, null_mut()),
            STATUS_BUFFER_TOO_SMALL
        );
        complete(request, STATUS_SUCCESS, 3);
    });
    let memory = io.memory(8);
    let result = io
        .file
        .ioctl_and_wait(code(METHOD_BUFFERED), &[1, 2, 3], Some(memory.range()))
        .unwrap();
    assert_eq!((result.status, result.information), (STATUS_SUCCESS, 3));
    assert_eq!(&memory.to_vec()[..3], [2, 3, 4]);
    io.finish();
}
