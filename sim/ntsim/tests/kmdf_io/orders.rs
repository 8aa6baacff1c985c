//! Races between cancellation and completion, run in many orders on two processors. Nothing may be lost, completed twice, or left over.

use crate::io::*;
use crate::support::*;
use core::ptr::null_mut;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wdk_sys::*;

fn rig(seed: u64, adapt: impl Fn(&mut WDF_IO_QUEUE_CONFIG) + 'static) -> Io {
    Io::with(
        &Options {
            seed: Some(seed),
            ..Options::default()
        },
        adapt,
    )
}

thread_local! {
    static LOCK: Cell<WDFSPINLOCK> = const { Cell::new(null_mut()) };
    /// The request that can be cancelled, if nobody has decided yet how it ends.
    static OPEN: Cell<WDFREQUEST> = const { Cell::new(null_mut()) };
}

/// Takes the open request under the lock, and does something with it there.
fn take(then: impl FnOnce(WDFREQUEST) -> bool) -> Option<WDFREQUEST> {
    wdf!(WdfSpinLockAcquire, LOCK.get());
    let request = OPEN.replace(null_mut());
    let mine = !request.is_null() && then(request);
    wdf!(WdfSpinLockRelease, LOCK.get());
    mine.then_some(request)
}

unsafe extern "win64" fn cancelled(request: WDFREQUEST) {
    take(|_| true);
    complete(request, STATUS_CANCELLED, 0);
}

/// Gives a request, cancels it, and completes it from elsewhere; how it ended.
fn race(seed: u64) -> NTSTATUS {
    let io = rig(seed, |_| {});
    io.run(|| {
        let mut lock = null_mut();
        assert_eq!(wdf!(WdfSpinLockCreate, null_mut(), &mut lock), STATUS_SUCCESS);
        LOCK.set(lock);
    })
    .unwrap();
    on_request(|_, request| {
        wdf!(WdfSpinLockAcquire, LOCK.get());
        let status = wdf!(WdfRequestMarkCancelableEx, request, Some(cancelled));
        OPEN.set(if status == STATUS_SUCCESS { request } else { null_mut() });
        wdf!(WdfSpinLockRelease, LOCK.get());
        if status != STATUS_SUCCESS {
            complete(request, STATUS_CANCELLED, 0);
        }
    });
    let pending = io.send();
    pending.cancel();
    io.run(|| {
        if let Some(request) = take(|request| wdf!(WdfRequestUnmarkCancelable, request) == STATUS_SUCCESS) {
            complete(request, STATUS_SUCCESS, 0);
        }
    })
    .unwrap();
    io.machine.settle().unwrap();
    let status = pending.result().expect("completed").status;
    io.finish();
    status
}

#[test]
fn cancellation_races_with_completion() {
    let outcomes: Vec<_> = (0..64).map(race).collect();
    assert!(
        outcomes
            .iter()
            .all(|status| [STATUS_SUCCESS, STATUS_CANCELLED].contains(status)),
        "{outcomes:x?}"
    );
    assert!(
        outcomes.contains(&STATUS_SUCCESS) && outcomes.contains(&STATUS_CANCELLED),
        "both orders are possible"
    );
}

#[test]
fn cancellation_races_with_retrieval() {
    for seed in 0..64 {
        let io = rig(seed, |config| {
            config.DispatchType = _WDF_IO_QUEUE_DISPATCH_TYPE::WdfIoQueueDispatchManual;
            config.EvtIoDeviceControl = None;
        });
        let pending: Vec<_> = (0..4).map(|_| io.send()).collect();
        pending.iter().step_by(2).for_each(|request| request.cancel());
        io.run(|| {
            loop {
                let mut request = null_mut();
                if wdf!(WdfIoQueueRetrieveNextRequest, queue(), &mut request) != STATUS_SUCCESS {
                    break;
                }
                complete(request, STATUS_SUCCESS, 0);
            }
        })
        .unwrap();
        io.machine.settle().unwrap();
        for (index, request) in pending.iter().enumerate() {
            let status = request.result().expect("completed").status;
            assert!(
                status == STATUS_SUCCESS || (status == STATUS_CANCELLED && index % 2 == 0),
                "{index}: {status:#x}"
            );
        }
        io.finish();
    }
}

#[test]
fn a_limit_of_presented_requests_holds_in_every_order() {
    for seed in 0..32 {
        let io = rig(seed, |config| config.Settings.Parallel.NumberOfPresentedRequests = 2);
        let held = Rc::new(RefCell::new(Vec::new()));
        let hold = Rc::clone(&held);
        on_request(move |_, request| {
            hold.borrow_mut().push(request);
            assert!(hold.borrow().len() <= 2, "more than two requests were presented");
        });
        let pending: Vec<_> = (0..6)
            .map(|_| io.file.ioctl(code(METHOD_BUFFERED), &[], None))
            .collect();
        io.machine.settle().unwrap();
        let next = || held.borrow_mut().pop();
        while let Some(request) = next() {
            io.run(move || complete(request, STATUS_SUCCESS, 0)).unwrap();
            io.machine.settle().unwrap();
        }
        assert!(pending.iter().all(|request| request.result().is_some()));
        io.finish();
    }
}
