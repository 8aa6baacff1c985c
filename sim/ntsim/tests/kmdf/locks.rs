//! Spin locks, wait locks, callback locks.

use crate::support::*;
use core::ptr::null_mut;
use wdk_sys::*;

fn spin() -> WDFSPINLOCK {
    let mut lock = null_mut();
    assert_eq!(wdf!(WdfSpinLockCreate, null_mut(), &mut lock), STATUS_SUCCESS);
    lock
}

fn wait() -> WDFWAITLOCK {
    let mut lock = null_mut();
    assert_eq!(wdf!(WdfWaitLockCreate, null_mut(), &mut lock), STATUS_SUCCESS);
    lock
}

fn irql() -> KIRQL {
    unsafe { ntddk::KeGetCurrentIrql() }
}

#[test]
fn a_spin_lock_raises_to_dispatch_and_back() {
    let rig = Rig::started();
    rig.run(|| {
        let lock = spin();
        wdf!(WdfSpinLockAcquire, lock);
        assert_eq!(irql(), 2);
        wdf!(WdfSpinLockRelease, lock);
        assert_eq!(irql(), 0);
    })
    .unwrap();
    rig.finish().unwrap();
}

#[test]
fn a_spin_lock_taken_twice_is_caught() {
    let crash = Rig::started().crash(|| {
        let lock = spin();
        wdf!(WdfSpinLockAcquire, lock);
        wdf!(WdfSpinLockAcquire, lock);
    });
    assert_eq!(
        (rule(&crash), crash.code, crash.parameters[0]),
        ("kmdf-recursive-lock", 0x10D, 2)
    );
}

#[test]
fn a_spin_lock_taken_twice_stops_even_without_the_framework_s_verifier() {
    let rig = Rig::started_with(&Options {
        verifier_on: false,
        ..Options::default()
    });
    let crash = rig.crash(|| {
        let lock = spin();
        wdf!(WdfSpinLockAcquire, lock);
        wdf!(WdfSpinLockAcquire, lock);
    });
    assert!(
        crash.rule.is_none_or(|rule| !rule.id.starts_with("kmdf")),
        "the kernel's rule: {crash}"
    );
}

#[test]
fn a_spin_lock_released_unheld_is_caught() {
    let crash = Rig::started().crash(|| {
        wdf!(WdfSpinLockRelease, spin());
    });
    assert_eq!(
        (rule(&crash), crash.parameters[0], crash.parameters[2]),
        ("kmdf-lock-not-owned", 0xB, 1)
    );
}

#[test]
fn a_wait_lock_can_be_tried() {
    let rig = Rig::started();
    rig.run(|| {
        let lock = wait();
        let mut none = 0i64;
        assert_eq!(wdf!(WdfWaitLockAcquire, lock, null_mut()), STATUS_SUCCESS);
        assert_eq!(irql(), 0, "a wait lock does not raise");
        let other = ntsim::sched::spawn("other", move || {
            assert_eq!(wdf!(WdfWaitLockAcquire, lock, &mut none), STATUS_TIMEOUT);
        });
        ntsim::sched::block("other", move || ntsim::sched::is_done(other), None);
        wdf!(WdfWaitLockRelease, lock);
    })
    .unwrap();
    rig.finish().unwrap();
}

#[test]
fn a_wait_lock_taken_twice_is_caught() {
    let crash = Rig::started().crash(|| {
        let lock = wait();
        let _ = wdf!(WdfWaitLockAcquire, lock, null_mut());
        let _ = wdf!(WdfWaitLockAcquire, lock, null_mut());
    });
    assert_eq!(rule(&crash), "kmdf-recursive-lock");
}

#[test]
fn a_wait_lock_released_unheld_is_caught_although_the_framework_does_not_notice() {
    let crash = Rig::started().crash(|| {
        wdf!(WdfWaitLockRelease, wait());
    });
    assert_eq!(rule(&crash), "kmdf-wait-lock-not-owned");
}

#[test]
fn a_device_with_a_scope_has_a_lock_that_its_owner_may_take_again() {
    on("DeviceScope", |_| {});
    let rig = Rig::started();
    rig.run(|| {
        wdf!(WdfObjectAcquireLock, device().cast());
        assert_eq!(irql(), 2);
        wdf!(WdfObjectAcquireLock, device().cast());
        wdf!(WdfObjectReleaseLock, device().cast());
        assert_eq!(irql(), 2);
        wdf!(WdfObjectReleaseLock, device().cast());
        assert_eq!(irql(), 0);
    })
    .unwrap();
    rig.finish().unwrap();
}

#[test]
fn a_device_lock_released_unheld_is_caught() {
    on("DeviceScope", |_| {});
    let crash = Rig::started().crash(|| {
        wdf!(WdfObjectReleaseLock, device().cast());
    });
    assert_eq!(rule(&crash), "kmdf-lock-not-owned");
}
