//! Each rule about IRPs, device objects and unloading broken once, and remove locks.
#![allow(unsafe_code, reason = "kernel functions are unsafe")]
#![allow(clippy::result_large_err, reason = "a crash explains itself at length")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    reason = "driver code that breaks the contracts on purpose; the contracts are what is tested"
)]

mod wdm;

use ntsim::{
    Machine,
    mem::Protection,
    nt::io::{DriverImage, Failure},
    verifier::Policy,
};
use std::{cell::Cell, rc::Rc};
use wdk_sys::{ntddk::*, *};
use wdm::{INTERFACE, bench, broken_by, complete, mark_pending, on_control, requests::*, rule};

/// Sends a request to a driver that handles it wrongly; the rule it breaks.
fn broken(code: u32, handler: impl Fn(PDEVICE_OBJECT, PIRP) -> NTSTATUS + 'static) -> &'static str {
    let bench = bench();
    on_control(handler);
    let output = bench.m.user_memory().allocate(8, 0, Protection::ReadWrite);
    let handle = bench.m.open(INTERFACE, both()).unwrap();
    let io = handle.ioctl(code, &[1; 4], Some(output.range()));
    let crash = bench
        .m
        .wait(&io)
        .and_then(|_| bench.m.settle())
        .expect_err("the rule is broken");
    rule(&crash)
}

#[test]
fn completion_rules() {
    let twice = broken(BUFFERED, |_, irp| {
        complete(irp, STATUS_SUCCESS, 0);
        complete(irp, STATUS_SUCCESS, 0)
    });
    assert_eq!(twice, "irp-completed-twice");
    assert_eq!(
        broken(BUFFERED, |_, irp| complete(irp, STATUS_PENDING, 0)),
        "irp-completed-pending"
    );
    let cancelable = broken(BUFFERED, |_, irp| {
        unsafe { (*irp).CancelRoutine = Some(cancel) };
        complete(irp, STATUS_SUCCESS, 0)
    });
    assert_eq!(cancelable, "irp-completed-cancelable");
    let passed = broken(BUFFERED, |device, irp| {
        unsafe { (*irp).CancelRoutine = Some(cancel) };
        wdm::forward(device, irp)
    });
    assert_eq!(passed, "irp-passed-cancelable");
    assert_eq!(broken(BUFFERED, |_, _| STATUS_PENDING), "irp-pending-not-marked");
    assert_eq!(broken(BUFFERED, |_, _| STATUS_SUCCESS), "irp-not-completed");
    let marked = broken(BUFFERED, |_, irp| {
        mark_pending(irp);
        complete(irp, STATUS_SUCCESS, 0)
    });
    assert_eq!(marked, "irp-marked-not-pending");
    let unmarked = broken(BUFFERED, |_, irp| {
        complete(irp, STATUS_SUCCESS, 0);
        STATUS_PENDING
    });
    assert_eq!(unmarked, "irp-pending-not-marked");
    let other = broken(BUFFERED, |_, irp| {
        complete(irp, STATUS_SUCCESS, 0);
        STATUS_UNSUCCESSFUL
    });
    assert_eq!(other, "irp-status-differs");
    assert_eq!(
        broken(BUFFERED, |_, irp| complete(irp, STATUS_SUCCESS, 9)),
        "irp-information-too-large"
    );
}

unsafe extern "win64" fn cancel_without_release(_device: PDEVICE_OBJECT, irp: PIRP) {
    complete(irp, STATUS_CANCELLED, 0);
}

#[test]
fn a_cancel_routine_must_release_the_lock() {
    let bench = bench();
    on_control(|_, irp| pend(irp, Some(cancel_without_release)));
    let handle = bench.m.open(INTERFACE, both()).unwrap();
    let io = handle.ioctl(BUFFERED, &[], None);
    bench.m.settle().unwrap();
    io.cancel();
    assert_eq!(rule(&bench.m.settle().unwrap_err()), "irp-cancel-lock-held");
}

/// Driver code that breaks a rule, with the PDO of a started device.
fn broken_with_pdo(f: impl FnOnce(PDEVICE_OBJECT) + 'static) -> &'static str {
    let bench = bench();
    let pdo = bench.device.pdo();
    rule(
        &bench
            .m
            .run_as_driver("wrong driver", move || f(pdo))
            .expect_err("the rule is broken"),
    )
}

#[test]
fn irp_rules() {
    assert_eq!(
        broken_by(|| unsafe { IoFreeIrp(core::ptr::without_provenance_mut(64)) }),
        "irp-free-not-an-irp"
    );
    let caught = broken_with_pdo(|pdo| _ = unsafe { IofCallDriver(pdo, internal(pdo)) });
    assert_eq!(caught, "irp-not-caught");
    let device = broken_by(|| unsafe {
        let irp = IoAllocateIrp(1, 0);
        let _ = IofCallDriver(core::ptr::without_provenance_mut(64), irp);
    });
    assert_eq!(device, "irp-not-a-device");
    let none = broken_with_pdo(|pdo| _ = unsafe { IofCallDriver(pdo, core::ptr::without_provenance_mut(64)) });
    assert_eq!(none, "irp-not-an-irp");
    let locations = broken_with_pdo(|pdo| unsafe {
        let irp = IoAllocateIrp(0, 0);
        let _ = IofCallDriver(pdo, irp);
    });
    assert_eq!(locations, "irp-no-more-locations");
    let in_use = broken(BUFFERED, |_, irp| {
        unsafe { IoFreeIrp(irp) };
        STATUS_SUCCESS
    });
    assert_eq!(in_use, "irp-free-in-use");
    let reuse = broken(BUFFERED, |_, irp| {
        unsafe { IoReuseIrp(irp, 0) };
        STATUS_SUCCESS
    });
    assert_eq!(reuse, "irp-reuse-in-use");
    let initialize = broken_by(|| unsafe { IoInitializeIrp(IoAllocateIrp(1, 0), 280, 1) });
    assert_eq!(initialize, "irp-initialize-allocated");
    let small = broken_by(|| unsafe { IoInitializeIrp(ExAllocatePool2(POOL_FLAG_NON_PAGED, 500, 1).cast(), 279, 1) });
    assert_eq!(small, "irp-initialize-size");
}

#[test]
fn device_object_rules() {
    let twice = broken_with_pdo(|pdo| unsafe {
        let mut device = core::ptr::null_mut();
        let _ = IoCreateDevice(
            (*pdo).DriverObject,
            0,
            core::ptr::null_mut(),
            0x22,
            0,
            0,
            &raw mut device,
        );
        IoDeleteDevice(device);
        IoDeleteDevice(device);
    });
    assert_eq!(twice, "device-deleted-twice");
    let attached = broken_with_pdo(|pdo| unsafe { IoDeleteDevice((*pdo).AttachedDevice) });
    assert_eq!(attached, "device-deleted-attached");
    let detached = broken_with_pdo(|pdo| unsafe {
        IoDetachDevice(pdo);
        IoDetachDevice(pdo);
    });
    assert_eq!(detached, "device-detached-twice");
    let references = broken_with_pdo(|pdo| unsafe {
        let top = IoGetAttachedDeviceReference(pdo);
        assert_eq!(top, (*pdo).AttachedDevice);
        let mut lock = IO_REMOVE_LOCK::default();
        IoInitializeRemoveLockEx(&raw mut lock, 1, 0, 0, size_of::<IO_REMOVE_LOCK>() as u32);
        IoReleaseRemoveLockEx(&raw mut lock, core::ptr::null_mut(), 32);
        IoReleaseRemoveLockEx(&raw mut lock, core::ptr::null_mut(), 32);
    });
    assert_eq!(references, "remove-lock-released-too-often");
}

#[test]
fn more_irp_rules() {
    let dispatch = broken_with_pdo(|pdo| unsafe {
        let top = (*pdo).AttachedDevice;
        (*(*top).DriverObject).MajorFunction[IRP_MJ_PNP as usize] = None;
        let _ = IofCallDriver(top, internal(top));
    });
    assert_eq!(dispatch, "irp-no-dispatch-routine");
    let cancelled = broken_by(|| unsafe {
        let irp = IoAllocateIrp(1, 0);
        (*irp).CancelRoutine = Some(cancel);
        IoCancelIrp(irp);
    });
    assert_eq!(cancelled, "irp-cancel-routine-after-completion");
    let gone = broken_with_pdo(|pdo| unsafe {
        let mut device = core::ptr::null_mut();
        let _ = IoCreateDevice(
            (*pdo).DriverObject,
            0,
            core::ptr::null_mut(),
            0x22,
            0,
            0,
            &raw mut device,
        );
        assert_eq!(ObfReferenceObject(device.cast()), 2);
        IoDeleteDevice(device);
        assert_eq!(ObfDereferenceObject(device.cast()), 0);
        ObfDereferenceObject(device.cast());
    });
    assert_eq!(gone, "object-without-references");
}

#[test]
fn a_remove_lock_waits_for_the_last_holder() {
    let m = Machine::builder().build();
    let steps = Rc::new(Cell::new(0));
    let seen = Rc::clone(&steps);
    m.run_as_driver("driver", move || unsafe {
        let lock: PIO_REMOVE_LOCK = ExAllocatePool2(POOL_FLAG_NON_PAGED, 64, 1).cast();
        IoInitializeRemoveLockEx(lock, 1, 0, 0, 32);
        let none = core::ptr::null_mut();
        assert_eq!(
            IoAcquireRemoveLockEx(lock, none, core::ptr::null(), 0, 32),
            STATUS_SUCCESS
        );
        assert_eq!(
            IoAcquireRemoveLockEx(lock, none, core::ptr::null(), 0, 32),
            STATUS_SUCCESS
        );
        let holder = Rc::clone(&seen);
        ntsim::sched::spawn("holder", move || {
            let mut interval = LARGE_INTEGER { QuadPart: -1000 };
            let _ = KeDelayExecutionThread(0, 0, &raw mut interval);
            assert_eq!(
                IoAcquireRemoveLockEx(lock, none, core::ptr::null(), 0, 32),
                STATUS_DELETE_PENDING
            );
            holder.set(1);
            IoReleaseRemoveLockEx(lock, none, 32);
        });
        IoReleaseRemoveLockAndWaitEx(lock, none, 32);
        assert_eq!(seen.get(), 1);
        ExFreePool(lock.cast());
    })
    .unwrap();
    assert_eq!(steps.get(), 1);
}

unsafe extern "win64" fn leaky_entry(driver: PDRIVER_OBJECT, _path: PUNICODE_STRING) -> NTSTATUS {
    unsafe extern "win64" fn unload(_driver: PDRIVER_OBJECT) {}
    unsafe { (*driver).DriverUnload = Some(unload) };
    match LEAK.with(Cell::get) {
        "pool" => _ = unsafe { ExAllocatePool2(POOL_FLAG_NON_PAGED, 77, u32::from_le_bytes(*b"Leak")) },
        "mdl" => _ = unsafe { IoAllocateMdl(core::ptr::without_provenance_mut(4096), 4, 0, 0, core::ptr::null_mut()) },
        "irp" => _ = unsafe { IoAllocateIrp(1, 0) },
        "device" => {
            let mut device = core::ptr::null_mut();
            let _ = unsafe { IoCreateDevice(driver, 0, core::ptr::null_mut(), 0x22, 0, 0, &raw mut device) };
        }
        _ => {
            let block: *mut u8 = unsafe { ExAllocatePool2(POOL_FLAG_NON_PAGED, 77, 1) }.cast();
            unsafe { ExFreePool(block.cast()) };
            unsafe { block.write_volatile(1) };
        }
    }
    STATUS_SUCCESS
}

thread_local! {
    static LEAK: Cell<&'static str> = const { Cell::new("") };
}

#[test]
fn what_a_driver_leaves_behind_is_found_at_unload() {
    for (what, expected) in [
        ("pool", "pool-leak"),
        ("mdl", "mdl-leak"),
        ("irp", "irp-leak"),
        ("device", "device-leak"),
        ("write", "pool-write-after-free"),
    ] {
        LEAK.with(|leak| leak.set(what));
        let m = Machine::builder().build();
        let driver = m.load_driver(DriverImage::wdm("leaky", leaky_entry)).unwrap();
        let Err(Failure::Crash(crash)) = driver.unload() else {
            panic!("{what} was not found")
        };
        assert_eq!(rule(&crash), expected);
    }
}

#[test]
fn under_collect_a_leak_is_a_finding() {
    LEAK.with(|leak| leak.set("pool"));
    let m = Machine::builder().verifier(Policy::Collect).build();
    let driver = m.load_driver(DriverImage::wdm("leaky", leaky_entry)).unwrap();
    driver.unload().unwrap();
    assert_eq!(m.findings().len(), 1);
    assert!(
        m.findings()[0].text.contains("'Leak' 77 bytes"),
        "{}",
        m.findings()[0].text
    );
}
