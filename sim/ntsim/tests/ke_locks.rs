//! IRQL, spin locks and fast mutexes, as a driver uses them, and each rule about them broken once.
#![allow(unsafe_code, reason = "kernel functions are unsafe")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    reason = "driver code that breaks the contracts on purpose; the contracts are what is tested"
)]

use ntsim::{
    Machine,
    machine::MachineOwner,
    sched::{self, Schedule},
    verifier::Crash,
};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use wdk_sys::{ntddk::*, *};

fn machine() -> MachineOwner {
    Machine::builder().build()
}

/// Runs driver code that is expected to break a rule.
fn crash(f: impl FnOnce() + 'static) -> Crash {
    let m = machine();
    let crash = m.run_as_driver("wrong driver", f).expect_err("the rule is broken");
    assert!(m.run("after", || ()).is_err(), "a machine that stopped stays stopped");
    crash
}

fn rule(crash: &Crash) -> &'static str {
    crash.rule.expect("a rule stopped the machine").id
}

/// Memory for kernel objects that stays in place.
fn leak<T>() -> *mut T {
    Box::into_raw(Box::<T>::new_uninit()).cast()
}

fn lock() -> PKSPIN_LOCK {
    let lock = leak();
    unsafe { KeInitializeSpinLock(lock) };
    lock
}

#[test]
fn irql_goes_up_and_down() {
    let irqls = machine()
        .run_as_driver("driver", || unsafe {
            let old = KfRaiseIrql(2);
            let there = KeGetCurrentIrql();
            KeLowerIrql(old);
            (old, there, KeGetCurrentIrql())
        })
        .unwrap();
    assert_eq!(irqls, (0, 2, 0));
}

#[test]
fn raising_downwards_and_lowering_upwards_are_caught() {
    let down = crash(|| unsafe {
        KfRaiseIrql(2);
        KfRaiseIrql(1);
    });
    assert_eq!(rule(&down), "irql-raise-lowers");
    assert_eq!(rule(&crash(|| unsafe { KeLowerIrql(2) })), "irql-lower-raises");
}

#[test]
fn a_function_at_the_wrong_irql_is_caught() {
    let high = crash(|| unsafe {
        KfRaiseIrql(2);
        KeEnterCriticalRegion();
    });
    assert_eq!((rule(&high), high.code, high.parameters[1]), ("irql-too-high", 0xD1, 2));
    assert!(high.text.contains("KeEnterCriticalRegion"), "{high}");
    assert_eq!(
        rule(&crash(|| unsafe { KeAcquireSpinLockAtDpcLevel(lock()) })),
        "irql-too-low"
    );
}

#[test]
fn a_routine_that_changes_the_irql_is_caught() {
    assert_eq!(rule(&crash(|| unsafe { _ = KfRaiseIrql(1) })), "callback-changed-irql");
}

#[test]
fn a_routine_that_stays_in_a_critical_region_is_caught() {
    assert_eq!(
        rule(&crash(|| unsafe { KeEnterCriticalRegion() })),
        "callback-leaked-critical-region"
    );
    assert_eq!(
        rule(&crash(|| unsafe { KeLeaveCriticalRegion() })),
        "critical-region-not-entered"
    );
}

#[test]
fn spin_locks_exclude_on_all_processors() {
    for seed in 0..50 {
        let m = Machine::builder()
            .processors(4)
            .schedule(Schedule::Random)
            .seed(seed)
            .build();
        let lock = m.run("lock", lock).unwrap();
        let shared = Rc::new(Cell::new((0_u32, 0_u32)));
        for _ in 0..6 {
            let shared = Rc::clone(&shared);
            sched::spawn("adder", move || {
                for _ in 0..10 {
                    let old = unsafe { KeAcquireSpinLockRaiseToDpc(lock) };
                    let (value, inside) = shared.get();
                    assert_eq!(inside, 0, "two contexts hold the lock");
                    shared.set((value, 1));
                    sched::point("inside");
                    shared.set((value + 1, 0));
                    unsafe { KeReleaseSpinLock(lock, old) };
                }
            });
        }
        m.settle().unwrap();
        assert_eq!(shared.get(), (60, 0));
    }
}

#[test]
fn a_spin_lock_acquired_twice_is_caught() {
    let recursive = crash(|| unsafe {
        let lock = lock();
        KeAcquireSpinLockRaiseToDpc(lock);
        KeAcquireSpinLockAtDpcLevel(lock);
    });
    assert_eq!(
        (rule(&recursive), recursive.code, recursive.parameters[0]),
        ("spin-lock-deadlock", 0xC4, 0x1000)
    );
}

unsafe extern "win64" fn lock_in_dpc(_dpc: *mut KDPC, context: PVOID, _: PVOID, _: PVOID) {
    unsafe { KeAcquireSpinLockAtDpcLevel(context.cast()) };
    unsafe { KeReleaseSpinLockFromDpcLevel(context.cast()) };
}

#[test]
fn spin_lock_misuse_is_caught() {
    assert_eq!(
        rule(&crash(|| unsafe {
            KfRaiseIrql(2);
            KeReleaseSpinLock(lock(), 0);
        })),
        "spin-lock-not-held"
    );
    assert_eq!(
        rule(&crash(|| unsafe { _ = KeAcquireSpinLockRaiseToDpc(lock()) })),
        "callback-changed-irql"
    );
    assert_eq!(
        rule(&crash(|| unsafe {
            KeAcquireSpinLockRaiseToDpc(lock());
            KeLowerIrql(0);
        })),
        "spin-lock-leaked"
    );
    assert_eq!(
        rule(&crash(|| unsafe {
            let (a, b) = (lock(), lock());
            KfRaiseIrql(2);
            KeAcquireSpinLockAtDpcLevel(a);
            KeAcquireSpinLockAtDpcLevel(b);
            KeReleaseSpinLockFromDpcLevel(b);
            KeReleaseSpinLockFromDpcLevel(a);
            KeAcquireSpinLockAtDpcLevel(b);
            KeAcquireSpinLockAtDpcLevel(a);
        })),
        "spin-lock-order"
    );
}

#[test]
fn a_spin_lock_released_by_somebody_else_is_caught() {
    let m = machine();
    let lock = m.run("lock", lock).unwrap();
    let held = Rc::new(Cell::new(false));
    let flag = Rc::clone(&held);
    sched::spawn("holder", move || {
        sched::raise(2);
        unsafe { KeAcquireSpinLockAtDpcLevel(lock) };
        flag.set(true);
        loop {
            sched::point("holding");
        }
    });
    m.run_until(|| held.get()).unwrap();
    let crash = m
        .run_as_driver("thief", move || unsafe {
            KfRaiseIrql(2);
            KeReleaseSpinLockFromDpcLevel(lock);
        })
        .unwrap_err();
    assert_eq!(rule(&crash), "spin-lock-not-owner");
}

#[test]
fn a_dpc_that_waits_for_a_lock_of_what_it_interrupted_is_caught() {
    let m = machine();
    let crash = m
        .run_as_driver("driver", || unsafe {
            let lock = lock();
            let dpc: *mut KDPC = leak();
            KeInitializeDpc(dpc, Some(lock_in_dpc), lock.cast());
            // Wrong on purpose: the lock is taken below DISPATCH_LEVEL, so that the DPC can interrupt its holder.
            ntsim::nt::ke::spin::acquire(lock.addr());
            KeInsertQueueDpc(dpc, core::ptr::null_mut(), core::ptr::null_mut());
            loop {
                KeGetCurrentIrql();
            }
        })
        .unwrap_err();
    assert_eq!(rule(&crash), "spin-lock-deadlock");
    assert!(crash.text.contains("which it interrupted"), "{crash}");
}

#[test]
fn fast_mutexes_exclude_and_know_their_owner() {
    unsafe fn make() -> PFAST_MUTEX {
        let mutex = Box::into_raw(Box::new(unsafe { core::mem::zeroed::<FAST_MUTEX>() }));
        unsafe { (*mutex).Count = 1 };
        mutex
    }
    let m = machine();
    let mutex = unsafe { make() };
    let order = Rc::new(RefCell::new(Vec::new()));
    for name in ["a", "b", "c"] {
        let order = Rc::clone(&order);
        sched::spawn(name, move || {
            unsafe { ExAcquireFastMutex(mutex) };
            assert_eq!(sched::current_irql(), 1);
            order.borrow_mut().push(name);
            sched::stall(10_000);
            order.borrow_mut().push(name);
            unsafe { ExReleaseFastMutex(mutex) };
            assert_eq!(sched::current_irql(), 0);
        });
    }
    m.settle().unwrap();
    let order = order.borrow();
    assert_eq!(order.len(), 6);
    assert!(order.chunks(2).all(|pair| pair[0] == pair[1]), "{order:?}");
    drop(m);
    let twice = crash(|| unsafe {
        let mutex = make();
        ExAcquireFastMutex(mutex);
        ExAcquireFastMutex(mutex);
    });
    assert_eq!(rule(&twice), "fast-mutex-recursive");
    let not_owner = crash(|| unsafe {
        let mutex = make();
        KfRaiseIrql(1);
        ExReleaseFastMutex(mutex);
    });
    assert_eq!(rule(&not_owner), "fast-mutex-not-owner");
}
