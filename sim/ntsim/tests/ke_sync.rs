//! Events, waits, DPCs, timers, threads and work items, as a driver uses them, and each rule about them broken once.
#![allow(unsafe_code, reason = "kernel functions are unsafe")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    reason = "driver code that breaks the contracts on purpose; the contracts are what is tested"
)]

use ntsim::{
    Machine,
    machine::MachineOwner,
    sched,
    verifier::{Crash, CrashKind, Policy},
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

fn event(kind: EVENT_TYPE) -> PRKEVENT {
    let event = leak();
    unsafe { KeInitializeEvent(event, kind, 0) };
    event
}

fn wait(object: PVOID, timeout: Option<i64>) -> NTSTATUS {
    let mut value = LARGE_INTEGER {
        QuadPart: timeout.unwrap_or(0),
    };
    let timeout = if timeout.is_some() {
        &raw mut value
    } else {
        core::ptr::null_mut()
    };
    unsafe { KeWaitForSingleObject(object, _KWAIT_REASON::Executive, 0, 0, timeout) }
}

#[test]
fn events_release_one_or_all() {
    let m = machine();
    for (kind, released) in [
        (_EVENT_TYPE::SynchronizationEvent, 1),
        (_EVENT_TYPE::NotificationEvent, 3),
    ] {
        let event = m.run("event", move || event(kind)).unwrap().addr();
        let done = Rc::new(Cell::new(0));
        for _ in 0..3 {
            let done = Rc::clone(&done);
            sched::spawn("waiter", move || {
                assert_eq!(
                    wait(core::ptr::without_provenance_mut(event), Some(-1_000_000)),
                    STATUS_SUCCESS
                );
                done.set(done.get() + 1);
            });
        }
        m.settle().unwrap();
        let object: PRKEVENT = core::ptr::with_exposed_provenance_mut(event);
        let before = m.run("set", move || unsafe { KeSetEvent(object, 0, 0) }).unwrap();
        m.settle().unwrap();
        assert_eq!((before, done.get()), (0, released));
        m.run("rest", move || unsafe {
            KeSetEvent(object, 0, 0);
            KeSetEvent(object, 0, 0)
        })
        .unwrap();
        m.settle().unwrap();
        assert_eq!(done.get(), 3);
    }
}

#[test]
fn waits_time_out_and_polls_do_not_wait() {
    let m = machine();
    let start = m.now();
    let statuses = m
        .run_as_driver("driver", || {
            let event = event(_EVENT_TYPE::NotificationEvent).cast();
            [wait(event, Some(0)), wait(event, Some(-50_000))]
        })
        .unwrap();
    assert_eq!(statuses, [STATUS_TIMEOUT; 2]);
    assert!(
        m.now() >= start.after_ns(5_000_000) && m.now() < start.after_ns(6_000_000),
        "{}",
        m.now()
    );
}

#[test]
fn a_wait_at_dispatch_level_is_caught() {
    let crash = crash(|| {
        let event = event(_EVENT_TYPE::NotificationEvent).cast();
        unsafe { KfRaiseIrql(2) };
        assert_eq!(wait(event, Some(0)), STATUS_TIMEOUT, "a poll is allowed");
        wait(event, None);
    });
    assert_eq!((rule(&crash), crash.irql), ("wait-at-dispatch", 2));
}

#[test]
fn a_wait_on_something_else_is_caught() {
    assert_eq!(
        rule(&crash(|| {
            let memory = Box::leak(Box::new([0x55_u64; 16]));
            wait((&raw mut *memory).cast(), None);
        })),
        "wait-object"
    );
}

unsafe extern "win64" fn count_dpc(_dpc: *mut KDPC, context: PVOID, first: PVOID, second: PVOID) {
    assert_eq!(unsafe { KeGetCurrentIrql() }, 2);
    let log: &RefCell<Vec<(usize, usize)>> = unsafe { &*context.cast() };
    log.borrow_mut().push((first.addr(), second.addr()));
}

#[test]
fn a_dpc_runs_once_when_the_irql_drops() {
    let m = machine();
    let log: &'static RefCell<Vec<(usize, usize)>> = Box::leak(Box::default());
    let context: PVOID = (&raw const *log).cast_mut().cast();
    let context = context.expose_provenance();
    m.run_as_driver("driver", move || unsafe {
        let dpc: *mut KDPC = leak();
        KeInitializeDpc(dpc, Some(count_dpc), core::ptr::with_exposed_provenance_mut(context));
        let old = KfRaiseIrql(2);
        let argument = core::ptr::without_provenance_mut;
        assert_eq!(KeInsertQueueDpc(dpc, argument(1), argument(2)), 1);
        assert_eq!(KeInsertQueueDpc(dpc, argument(3), argument(4)), 0);
        assert!(log.borrow().is_empty());
        KeLowerIrql(old);
        KeFlushQueuedDpcs();
        assert_eq!(*log.borrow(), [(1, 2)]);
        KeInsertQueueDpc(dpc, argument(5), argument(6));
        KeFlushQueuedDpcs();
        KfRaiseIrql(2);
        KeInsertQueueDpc(dpc, argument(7), argument(8));
        assert_eq!((KeRemoveQueueDpc(dpc), KeRemoveQueueDpc(dpc)), (1, 0));
        KeLowerIrql(0);
    })
    .unwrap();
    assert_eq!(*log.borrow(), [(1, 2), (5, 6)]);
}

#[test]
fn an_uninitialized_dpc_is_caught() {
    assert_eq!(
        rule(&crash(|| unsafe {
            let dpc = Box::into_raw(Box::new(core::mem::zeroed::<KDPC>()));
            KeInsertQueueDpc(dpc, core::ptr::null_mut(), core::ptr::null_mut());
        })),
        "dpc-not-initialized"
    );
}

#[test]
fn timers_fire_in_order_and_periodically_until_cancelled() {
    let m = machine();
    let log: &'static RefCell<Vec<(usize, usize)>> = Box::leak(Box::default());
    let context = (&raw const *log).expose_provenance();
    m.run_as_driver("driver", move || unsafe {
        let start = |milliseconds: i64, period: i32| {
            let (timer, dpc): (PKTIMER, *mut KDPC) = (leak(), leak());
            KeInitializeTimerEx(timer, _TIMER_TYPE::NotificationTimer);
            KeInitializeDpc(dpc, Some(count_dpc), core::ptr::with_exposed_provenance_mut(context));
            let due = LARGE_INTEGER {
                QuadPart: -10_000 * milliseconds,
            };
            assert_eq!(KeSetTimerEx(timer, due, period, dpc), 0);
            assert_eq!(KeSetTimerEx(timer, due, period, dpc), 1, "it was set");
            timer
        };
        let late = start(30, 0);
        let early = start(10, 0);
        let periodic = start(8, 8);
        assert_eq!(wait(early.cast(), None), STATUS_SUCCESS);
        KeFlushQueuedDpcs();
        assert_eq!(log.borrow().len(), 2);
        assert_eq!(wait(late.cast(), None), STATUS_SUCCESS);
        KeFlushQueuedDpcs();
        assert_eq!(log.borrow().len(), 5);
        assert_eq!(
            (KeCancelTimer(periodic), KeCancelTimer(periodic), KeCancelTimer(late)),
            (1, 0, 0)
        );
    })
    .unwrap();
    m.pass_time(100_000_000).unwrap();
    assert_eq!(log.borrow().len(), 5);
}

unsafe extern "win64" fn count_ex(_timer: PEX_TIMER, context: PVOID) {
    let count: &Cell<u32> = unsafe { &*context.cast() };
    count.set(count.get() + 1);
}

#[test]
fn executive_timers_fire_and_a_deleted_one_is_caught() {
    let m = machine();
    let count: &'static Cell<u32> = Box::leak(Box::default());
    let context = (&raw const *count).expose_provenance();
    let crash = m
        .run_as_driver("driver", move || unsafe {
            let timer = ExAllocateTimer(Some(count_ex), core::ptr::with_exposed_provenance_mut(context), 0);
            assert_eq!(ExSetTimer(timer, -10_000, 10_000, core::ptr::null_mut()), 0);
            let mut interval = LARGE_INTEGER { QuadPart: -35_000 };
            assert_eq!(KeDelayExecutionThread(0, 0, &raw mut interval), STATUS_SUCCESS);
            assert_eq!(count.get(), 3);
            assert_eq!(ExDeleteTimer(timer, 1, 1, core::ptr::null_mut()), 1);
            ExSetTimer(timer, -1, 0, core::ptr::null_mut());
        })
        .unwrap_err();
    assert_eq!((count.get(), rule(&crash)), (3, "ex-timer-unknown"));
}

unsafe extern "win64" fn thread_body(context: PVOID) {
    let count: &Cell<u32> = unsafe { &*context.cast() };
    count.set(count.get() + 1);
    unsafe { _ = PsTerminateSystemThread(0) };
    count.set(100);
}

#[test]
fn a_system_thread_can_end_itself_and_be_waited_for() {
    let m = machine();
    let count: &'static Cell<u32> = Box::leak(Box::default());
    let context = (&raw const *count).expose_provenance();
    m.run_as_driver("driver", move || {
        let mut handle = core::ptr::null_mut();
        let status = unsafe {
            PsCreateSystemThread(
                &raw mut handle,
                0,
                core::ptr::null_mut(),
                core::ptr::null_mut(),
                core::ptr::null_mut(),
                Some(thread_body),
                core::ptr::with_exposed_provenance_mut(context),
            )
        };
        assert_eq!(status, STATUS_SUCCESS);
        let object = ntsim::nt::ke::thread::object_of(handle).unwrap();
        assert_eq!(wait(object, None), STATUS_SUCCESS);
        assert!(ntsim::nt::ke::thread::close_handle(handle));
        assert!(ntsim::nt::ke::thread::object_of(handle).is_none());
    })
    .unwrap();
    assert_eq!(count.get(), 1);
}

unsafe extern "win64" fn raising_thread(_context: PVOID) {
    unsafe { KeEnterCriticalRegion() };
    unsafe { _ = PsTerminateSystemThread(0) };
}

#[test]
fn a_system_thread_that_ends_in_a_critical_region_is_caught() {
    let m = machine();
    let crash = m
        .run_as_driver("driver", || {
            let mut handle = core::ptr::null_mut();
            let null: PVOID = core::ptr::null_mut();
            let routine = Some(raising_thread as unsafe extern "win64" fn(PVOID));
            let status =
                unsafe { PsCreateSystemThread(&raw mut handle, 0, null.cast(), null, null.cast(), routine, null) };
            assert_eq!(status, STATUS_SUCCESS);
            let object = ntsim::nt::ke::thread::object_of(handle).unwrap();
            wait(object, None);
        })
        .unwrap_err();
    assert_eq!(rule(&crash), "thread-end-state");
}

unsafe extern "win64" fn work(device: PDEVICE_OBJECT, context: PVOID) {
    assert_eq!((unsafe { KeGetCurrentIrql() }, device.addr()), (0, 0x1000));
    let count: &Cell<u32> = unsafe { &*context.cast() };
    count.set(count.get() + 1);
}

#[test]
fn work_items_run_at_passive_level() {
    let m = machine();
    let count: &'static Cell<u32> = Box::leak(Box::default());
    let context = (&raw const *count).expose_provenance();
    let device = || core::ptr::without_provenance_mut(0x1000);
    let item = m
        .run_as_driver("driver", move || unsafe {
            let item = IoAllocateWorkItem(device());
            let context = core::ptr::with_exposed_provenance_mut(context);
            let old = KfRaiseIrql(2);
            IoQueueWorkItem(item, Some(work), _WORK_QUEUE_TYPE::DelayedWorkQueue, context);
            KeLowerIrql(old);
            item
        })
        .unwrap();
    m.settle().unwrap();
    assert_eq!(count.get(), 1);
    assert!(m.report().ledger.iter().any(|entry| entry.kind == "work item"));
    let crash = m
        .run("unload", move || ntsim::nt::ke::check_work_items("driver", &[device()]))
        .unwrap_err();
    assert_eq!(rule(&crash), "work-item-leaked");
    let _ = item;
}

#[test]
fn work_item_misuse_is_caught() {
    let twice = crash(|| unsafe {
        let item = IoAllocateWorkItem(core::ptr::null_mut());
        KfRaiseIrql(2);
        for _ in 0..2 {
            IoQueueWorkItem(item, Some(work), 1, core::ptr::null_mut());
        }
    });
    assert_eq!(rule(&twice), "work-item-queued");
    let freed = crash(|| unsafe {
        let item = IoAllocateWorkItem(core::ptr::null_mut());
        IoFreeWorkItem(item);
        IoFreeWorkItem(item);
    });
    assert_eq!(rule(&freed), "work-item-unknown");
}

#[test]
fn freeing_memory_with_objects_in_use_is_caught() {
    let freed = crash(|| unsafe {
        let timer: PKTIMER = leak();
        KeInitializeTimer(timer);
        KeSetTimer(timer, LARGE_INTEGER { QuadPart: -1000 }, core::ptr::null_mut());
        ntsim::nt::ke::check_freed(timer.addr() - 8, 128);
    });
    assert_eq!((rule(&freed), freed.code), ("object-freed-in-use", 0xC7));
}

#[test]
fn what_nothing_exports_stops_the_run_and_names_itself() {
    let stopped = crash(|| unsafe {
        _ = PsGetVersion(
            core::ptr::null_mut(),
            core::ptr::null_mut(),
            core::ptr::null_mut(),
            core::ptr::null_mut(),
        )
    });
    assert_eq!(stopped.kind, CrashKind::Unimplemented);
    assert!(stopped.text.contains("ntoskrnl.exe!PsGetVersion"), "{stopped}");
}

#[test]
fn collected_findings_let_the_driver_go_on() {
    let m = Machine::builder().verifier(Policy::Collect).build();
    m.run_as_driver("driver", || unsafe {
        KeLowerIrql(1);
        KeLowerIrql(0);
    })
    .unwrap();
    let findings = m.findings();
    assert_eq!((findings.len(), findings[0].rule.id), (1, "irql-lower-raises"));
    assert_eq!(findings[0].context, "driver");
}

#[test]
fn a_bug_check_of_a_driver_is_reported() {
    let crash = crash(|| unsafe { KeBugCheckEx(0xE2, 1, 2, 3, 4) });
    assert_eq!(
        (crash.kind, crash.code, crash.parameters),
        (CrashKind::BugCheck, 0xE2, [1, 2, 3, 4])
    );
    assert!(crash.to_string().contains("wrong driver > KeBugCheckEx"), "{crash}");
}
