//! Requests of the user process through a WDM driver.
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
    nt::io::{DesiredAccess, Failure, IoResult},
    sched::Schedule,
};
use std::cell::Cell;
use wdk_sys::{ntddk::*, *};
use wdm::{Bench, INTERFACE, bench, code, complete, on_control, requests::*, stack};

const OUT_DIRECT: u32 = code(0x801, METHOD_OUT_DIRECT, 3);
const IN_DIRECT: u32 = code(0x802, METHOD_IN_DIRECT, 3);
const NEITHER: u32 = code(0x803, METHOD_NEITHER, 0);

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
