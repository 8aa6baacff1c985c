//! Requests of the user process through a WDM driver, and each rule about IRPs and device objects broken once.
#![allow(unsafe_code, reason = "kernel functions are unsafe")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    reason = "driver code that breaks the contracts on purpose; the contracts are what is tested"
)]

mod wdm;

use ntsim::{
    Machine,
    mem::{Protection, UserRange},
    nt::io::{DesiredAccess, DriverImage, Failure, IoResult},
    sched::Schedule,
    verifier::Policy,
};
use std::{cell::Cell, rc::Rc};
use wdk_sys::{ntddk::*, *};
use wdm::{Bench, INTERFACE, bench, broken_by, code, complete, mark_pending, on_control, rule, stack};

const BUFFERED: u32 = code(0x800, METHOD_BUFFERED, 0);
const OUT_DIRECT: u32 = code(0x801, METHOD_OUT_DIRECT, 3);
const IN_DIRECT: u32 = code(0x802, METHOD_IN_DIRECT, 3);
const NEITHER: u32 = code(0x803, METHOD_NEITHER, 0);

fn both() -> DesiredAccess {
    DesiredAccess::READ | DesiredAccess::WRITE
}

fn parameters(irp: PIRP) -> (u32, u32, u32) {
    let parameters = unsafe { (*stack(irp)).Parameters.DeviceIoControl };
    (
        parameters.IoControlCode,
        parameters.InputBufferLength,
        parameters.OutputBufferLength,
    )
}

fn system_buffer(irp: PIRP) -> *mut u8 {
    unsafe { (*irp).AssociatedIrp.SystemBuffer.cast() }
}

fn send(bench: &Bench, code: u32, input: &[u8], output: Option<UserRange>) -> IoResult {
    let handle = bench.m.open(INTERFACE, both()).unwrap();
    let result = handle.ioctl_and_wait(code, input, output).unwrap();
    handle.close().unwrap();
    result
}

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
fn a_file_is_created_cleaned_up_and_closed() {
    let bench = bench();
    let handle = bench.m.open(INTERFACE, both()).unwrap();
    assert_eq!(bench.m.interfaces(&INTERFACE), 1);
    handle.close().unwrap();
    assert!(matches!(handle.close(), Err(Failure::Status(STATUS_INVALID_HANDLE))));
    let files: Vec<_> = wdm::seen()
        .into_iter()
        .filter(|name| name.starts_with("major"))
        .collect();
    assert_eq!(files, ["major 0x0", "major 0x12", "major 0x2"]);
    bench.finish();
}

#[test]
fn buffered_requests_are_copied_both_ways() {
    let bench = bench();
    on_control(|_, irp| {
        assert_eq!(parameters(irp), (BUFFERED, 3, 8));
        let buffer = system_buffer(irp);
        let sum = (0..3).map(|at| unsafe { buffer.add(at).read() }).sum();
        unsafe { buffer.write(sum) };
        complete(irp, STATUS_SUCCESS, 1)
    });
    let output = bench.m.user_memory().allocate(8, 4092, Protection::ReadWrite);
    output.write(0, &[0xEE; 8]);
    let result = send(&bench, BUFFERED, &[1, 2, 3], Some(output.range()));
    assert_eq!(
        result,
        IoResult {
            status: STATUS_SUCCESS,
            information: 1
        }
    );
    assert_eq!(output.to_vec(), [6, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE]);
    bench.finish();
}

#[test]
fn an_error_copies_nothing_and_a_warning_does() {
    for (status, expected) in [(STATUS_INVALID_PARAMETER, 0xEE), (STATUS_BUFFER_OVERFLOW, 7)] {
        let bench = bench();
        on_control(move |_, irp| {
            unsafe { system_buffer(irp).write(7) };
            complete(irp, status, 1)
        });
        let output = bench.m.user_memory().allocate(1, 0, Protection::ReadWrite);
        output.write(0, &[0xEE]);
        assert_eq!(send(&bench, BUFFERED, &[], Some(output.range())).status, status);
        assert_eq!(output.to_vec(), [expected]);
        bench.finish();
    }
}

#[test]
fn direct_requests_lock_the_users_pages() {
    for (code, written) in [(OUT_DIRECT, true), (IN_DIRECT, false)] {
        let bench = bench();
        on_control(move |_, irp| unsafe {
            assert_eq!(system_buffer(irp).read(), 5);
            let mdl = (*irp).MdlAddress;
            assert_eq!((*mdl).MdlFlags as u32 & MDL_WRITE_OPERATION != 0, written);
            let at = MmMapLockedPagesSpecifyCache(mdl, 0, _MEMORY_CACHING_TYPE::MmCached, core::ptr::null_mut(), 0, 16);
            let at: *mut u8 = at.cast();
            assert_eq!(at.add(4999).read(), 0x11);
            if written {
                at.write(0x22);
            }
            complete(irp, STATUS_SUCCESS, 0)
        });
        let output = bench.m.user_memory().allocate(5000, 63, Protection::ReadWrite);
        output.write(4999, &[0x11]);
        assert!(send(&bench, code, &[5], Some(output.range())).is_success());
        assert_eq!(output.to_vec()[0] == 0x22, written);
        bench.finish();
    }
}

#[test]
fn buffers_that_cannot_be_accessed_never_reach_the_driver() {
    let bench = bench();
    on_control(|_, irp| complete(irp, STATUS_SUCCESS, 0));
    let output = bench.m.user_memory().allocate(5000, 0, Protection::ReadOnly);
    assert_eq!(
        send(&bench, OUT_DIRECT, &[], Some(output.range())).status,
        STATUS_ACCESS_VIOLATION
    );
    assert_eq!(
        send(&bench, BUFFERED, &[], Some(output.range())).status,
        STATUS_ACCESS_VIOLATION
    );
    assert_eq!(
        send(&bench, IN_DIRECT, &[], Some(output.range())).status,
        STATUS_SUCCESS
    );
    let nowhere = UserRange {
        address: 0x1000,
        length: 10,
    };
    assert_eq!(
        send(&bench, IN_DIRECT, &[], Some(nowhere)).status,
        STATUS_ACCESS_VIOLATION
    );
    bench.finish();
}

#[test]
fn control_codes_need_the_access_they_name() {
    let bench = bench();
    on_control(|_, irp| complete(irp, STATUS_SUCCESS, 0));
    let handle = bench.m.open(INTERFACE, DesiredAccess::READ).unwrap();
    assert_eq!(
        handle.ioctl_and_wait(OUT_DIRECT, &[], None).unwrap().status,
        STATUS_ACCESS_DENIED
    );
    assert_eq!(
        handle.ioctl_and_wait(code(0x800, 0, 1), &[], None).unwrap().status,
        STATUS_SUCCESS
    );
    assert_eq!(
        handle.ioctl_and_wait(code(0x800, 0, 2), &[], None).unwrap().status,
        STATUS_ACCESS_DENIED
    );
    handle.close().unwrap();
    assert_eq!(
        handle.ioctl_and_wait(BUFFERED, &[], None).unwrap().status,
        STATUS_INVALID_HANDLE
    );
    bench.finish();
}

#[test]
fn zero_length_buffers_do_not_exist() {
    let bench = bench();
    on_control(|_, irp| {
        assert!(unsafe { (*irp).MdlAddress }.is_null());
        assert!(system_buffer(irp).is_null());
        complete(irp, STATUS_SUCCESS, 0)
    });
    let output = bench.m.user_memory().allocate(10, 0, Protection::ReadWrite);
    assert!(send(&bench, OUT_DIRECT, &[], Some(output.part(3, 0))).is_success());
    bench.finish();
}

#[test]
fn neither_gives_the_users_addresses() {
    let bench = bench();
    let output = bench.m.user_memory().allocate(10, 0, Protection::ReadWrite);
    let expected = output.range().address;
    on_control(move |_, irp| {
        assert_eq!(unsafe { (*irp).UserBuffer }.addr(), expected);
        let input = unsafe { (*stack(irp)).Parameters.DeviceIoControl.Type3InputBuffer };
        assert_eq!(unsafe { input.cast::<u8>().read() }, 9);
        complete(irp, STATUS_SUCCESS, 0)
    });
    assert!(send(&bench, NEITHER, &[9], Some(output.range())).is_success());
    bench.finish();
}

thread_local! {
    static HELD: Cell<PIRP> = const { Cell::new(core::ptr::null_mut()) };
}

unsafe extern "C" fn cancel(_device: PDEVICE_OBJECT, irp: PIRP) {
    unsafe { IoReleaseCancelSpinLock((*irp).CancelIrql) };
    complete(irp, STATUS_CANCELLED, 0);
}

fn pend(irp: PIRP, routine: PDRIVER_CANCEL) -> NTSTATUS {
    mark_pending(irp);
    unsafe { (*irp).CancelRoutine = routine };
    HELD.with(|held| held.set(irp));
    STATUS_PENDING
}

#[test]
fn a_pending_request_is_cancelled_by_its_routine() {
    let bench = bench();
    on_control(|_, irp| pend(irp, Some(cancel)));
    let handle = bench.m.open(INTERFACE, both()).unwrap();
    let io = handle.ioctl(BUFFERED, &[], None);
    bench.m.settle().unwrap();
    assert!(io.is_started() && io.result().is_none());
    io.cancel();
    assert_eq!(bench.m.wait(&io).unwrap().status, STATUS_CANCELLED);
    io.cancel();
    bench.m.settle().unwrap();
    handle.close().unwrap();
    bench.finish();
}

#[test]
fn a_request_without_cancel_routine_is_only_marked() {
    let bench = bench();
    on_control(|_, irp| pend(irp, None));
    let handle = bench.m.open(INTERFACE, both()).unwrap();
    let io = handle.ioctl(BUFFERED, &[], None);
    bench.m.settle().unwrap();
    io.cancel();
    bench.m.settle().unwrap();
    assert!(io.result().is_none());
    handle.close().unwrap();
    let closed = || wdm::seen().contains(&"major 0x2".to_owned());
    assert!(!closed(), "IRP_MJ_CLOSE waits for the request");
    bench
        .m
        .run_as_driver("driver", || {
            let irp = HELD.with(Cell::get);
            assert_eq!(unsafe { (*irp).Cancel }, 1);
            complete(irp, STATUS_CANCELLED, 0);
        })
        .unwrap();
    assert_eq!(bench.m.wait(&io).unwrap().status, STATUS_CANCELLED);
    bench.m.settle().unwrap();
    assert!(closed());
    bench.finish();
}

#[test]
fn requests_and_cancels_in_any_order_end_once() {
    for seed in 0..50 {
        let m = Machine::builder().seed(seed).schedule(Schedule::Random).build();
        let bench = wdm::bench_on(m);
        on_control(|_, irp| pend(irp, Some(cancel)));
        let handle = bench.m.open(INTERFACE, both()).unwrap();
        let requests: Vec<_> = (0..3).map(|_| handle.ioctl(BUFFERED, &[], None)).collect();
        requests.iter().for_each(|io| io.cancel());
        bench.m.settle().unwrap_or_else(|crash| panic!("seed {seed}: {crash}"));
        for io in &requests {
            io.cancel();
            assert_eq!(bench.m.wait(io).unwrap().status, STATUS_CANCELLED, "seed {seed}");
        }
        handle.close().unwrap();
        bench.finish();
    }
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

unsafe extern "C" fn cancel_without_release(_device: PDEVICE_OBJECT, irp: PIRP) {
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

unsafe extern "C" fn catch(_device: PDEVICE_OBJECT, _irp: PIRP, context: PVOID) -> NTSTATUS {
    unsafe { *context.cast::<u32>() += 1 };
    STATUS_MORE_PROCESSING_REQUIRED
}

fn internal(pdo: PDEVICE_OBJECT) -> PIRP {
    unsafe {
        let irp = IoAllocateIrp((*pdo).StackSize, 0);
        (*irp).IoStatus.__bindgen_anon_1.Status = STATUS_NOT_SUPPORTED;
        let next = stack(irp).sub(1);
        (*next).MajorFunction = IRP_MJ_PNP as u8;
        (*next).MinorFunction = IRP_MN_QUERY_PNP_DEVICE_STATE as u8;
        irp
    }
}

#[test]
fn a_driver_sends_an_irp_of_its_own() {
    let bench = bench();
    let pdo = bench.device.pdo();
    bench
        .m
        .run_as_driver("driver", move || unsafe {
            let irp = internal(pdo);
            let mut calls = 0_u32;
            let status = IoSetCompletionRoutineEx(pdo, irp, Some(catch), (&raw mut calls).cast(), 1, 1, 1);
            assert_eq!(status, STATUS_SUCCESS);
            assert_eq!(IofCallDriver(pdo, irp), STATUS_SUCCESS);
            assert_eq!(calls, 1);
            IoReuseIrp(irp, STATUS_UNSUCCESSFUL);
            assert_eq!((*irp).CurrentLocation, (*irp).StackCount + 1);
            IoFreeIrp(irp);
        })
        .unwrap();
    bench.finish();
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
        IofCallDriver(core::ptr::without_provenance_mut(64), irp);
    });
    assert_eq!(device, "irp-not-a-device");
    let none = broken_with_pdo(|pdo| _ = unsafe { IofCallDriver(pdo, core::ptr::without_provenance_mut(64)) });
    assert_eq!(none, "irp-not-an-irp");
    let locations = broken_with_pdo(|pdo| unsafe {
        let irp = IoAllocateIrp(0, 0);
        IofCallDriver(pdo, irp);
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
        IofCallDriver(top, internal(top));
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

unsafe extern "C" fn leaky_entry(driver: PDRIVER_OBJECT, _path: PUNICODE_STRING) -> NTSTATUS {
    unsafe extern "C" fn unload(_driver: PDRIVER_OBJECT) {}
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
