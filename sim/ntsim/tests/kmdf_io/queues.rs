//! The rules of queues, and what they do that the recordings do not show.

use crate::io::*;
use crate::support::*;
use core::ptr::null_mut;
use std::cell::Cell;
use std::rc::Rc;
use wdk_sys::*;

const MANUAL: WDF_IO_QUEUE_DISPATCH_TYPE = _WDF_IO_QUEUE_DISPATCH_TYPE::WdfIoQueueDispatchManual;

fn manual() -> Io {
    Io::with(&Options::default(), |config| {
        config.DispatchType = MANUAL;
        config.EvtIoDeviceControl = None;
    })
}

fn retrieve() -> Result<WDFREQUEST, NTSTATUS> {
    let mut request = null_mut();
    match wdf!(WdfIoQueueRetrieveNextRequest, queue(), &mut request) {
        STATUS_SUCCESS => Ok(request),
        status => Err(status),
    }
}

#[test]
fn searching_a_queue_that_presents_its_requests() {
    let crash = Io::new().crash(|| {
        let mut found = null_mut();
        let _status = wdf!(
            WdfIoQueueFindRequest,
            queue(),
            null_mut(),
            null_mut(),
            null_mut(),
            &mut found
        );
    });
    assert_eq!(rule(&crash), "kmdf-queue-wrong-operation");
}

unsafe extern "win64" fn done(_queue: WDFQUEUE, _context: WDFCONTEXT) {}

#[test]
fn drained_while_it_is_being_drained() {
    let io = Io::new();
    let _request = io.send();
    let crash = io.crash(|| {
        wdf!(WdfIoQueueDrain, queue(), Some(done), null_mut());
        wdf!(WdfIoQueueDrain, queue(), Some(done), null_mut());
    });
    assert_eq!(rule(&crash), "kmdf-queue-fatal");
}

thread_local! {
    static READY: Cell<u32> = const { Cell::new(0) };
}

unsafe extern "win64" fn ready(_queue: WDFQUEUE, _context: WDFCONTEXT) {
    READY.set(READY.get() + 1);
}

#[test]
fn a_manual_queue_says_when_it_is_no_longer_empty() {
    let io = manual();
    READY.set(0);
    io.run(|| {
        assert_eq!(
            wdf!(WdfIoQueueReadyNotify, queue(), Some(ready), null_mut()),
            STATUS_SUCCESS
        )
    })
    .unwrap();
    let (first, second) = (io.send(), io.send());
    assert_eq!(READY.get(), 1);
    io.run(|| {
        complete(retrieve().unwrap(), STATUS_SUCCESS, 0);
        complete(retrieve().unwrap(), STATUS_SUCCESS, 0);
        assert_eq!(retrieve(), Err(STATUS_NO_MORE_ENTRIES));
    })
    .unwrap();
    assert!(first.result().is_some() && second.result().is_some());
    io.finish();
}

#[test]
fn a_request_is_found_and_retrieved_by_its_handle() {
    let io = manual();
    let requests = [io.send(), io.send()];
    io.run(|| {
        let (mut first, mut second, mut taken) = (null_mut(), null_mut(), null_mut());
        assert_eq!(
            wdf!(
                WdfIoQueueFindRequest,
                queue(),
                null_mut(),
                null_mut(),
                null_mut(),
                &mut first
            ),
            STATUS_SUCCESS
        );
        assert_eq!(
            wdf!(
                WdfIoQueueFindRequest,
                queue(),
                first,
                null_mut(),
                null_mut(),
                &mut second
            ),
            STATUS_SUCCESS
        );
        assert_ne!(first, second);
        assert_eq!(
            wdf!(WdfIoQueueRetrieveFoundRequest, queue(), second, &mut taken),
            STATUS_SUCCESS
        );
        assert_eq!(taken, second);
        for found in [first, second] {
            wdf!(
                WdfObjectDereferenceActual,
                found.cast(),
                null_mut(),
                0,
                c"test".as_ptr()
            );
        }
        complete(taken, STATUS_SUCCESS, 0);
        assert_eq!(retrieve(), Ok(first));
        complete(first, STATUS_SUCCESS, 0);
    })
    .unwrap();
    assert!(requests.iter().all(|request| request.result().is_some()));
    io.finish();
}

#[test]
fn purging_waits_for_the_drivers_requests() {
    let io = Io::new();
    let kept = Rc::new(Cell::new(null_mut()));
    let keep = Rc::clone(&kept);
    on_request(move |_, request| keep.set(request));
    let pending = io.send();
    let purged = Rc::new(Cell::new(false));
    let (seen, held) = (Rc::clone(&purged), Rc::clone(&kept));
    io.run(move || {
        let (flag, request) = (Rc::clone(&seen), held.get());
        ntsim::sched::spawn("completes", move || {
            assert!(!flag.get(), "purged while the driver had a request");
            ntsim::cross::callback("completes", || complete(request, STATUS_SUCCESS, 0), String::new);
        });
        wdf!(WdfIoQueuePurgeSynchronously, queue());
        seen.set(true);
    })
    .unwrap();
    assert!(purged.get());
    assert_eq!(pending.result().unwrap().status, STATUS_SUCCESS);
    assert_eq!(io.send().result().unwrap().status, STATUS_INVALID_DEVICE_STATE);
    io.finish();
}

#[test]
fn closing_the_file_cancels_what_waits() {
    let io = manual();
    let pending = io.send();
    io.file.close().unwrap();
    io.machine.settle().unwrap();
    assert_eq!(pending.result().unwrap().status, STATUS_CANCELLED);
    io.finish();
}
