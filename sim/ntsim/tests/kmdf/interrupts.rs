//! Interrupt objects: creation, messages, the way into and out of D0, DPCs, locks.

use crate::support::*;
use core::ptr::null_mut;
use std::cell::RefCell;
use wdk_sys::*;

thread_local! {
    static INTERRUPTS: RefCell<Vec<WDFINTERRUPT>> = RefCell::default();
}

fn interrupt(at: usize) -> WDFINTERRUPT {
    INTERRUPTS.with(|all| all.borrow()[at])
}

unsafe extern "win64" fn isr(interrupt: WDFINTERRUPT, message: ULONG) -> BOOLEAN {
    log(format!("isr {message} at {}", unsafe { ntddk::KeGetCurrentIrql() }));
    let first = wdf!(WdfInterruptQueueDpcForIsr, interrupt);
    let second = wdf!(WdfInterruptQueueDpcForIsr, interrupt);
    log(format!("queued {first} {second}"));
    1
}

unsafe extern "win64" fn dpc(_interrupt: WDFINTERRUPT, associated: WDFOBJECT) {
    assert_eq!(associated, device().cast());
    log(format!("dpc at {}", unsafe { ntddk::KeGetCurrentIrql() }));
}

unsafe extern "win64" fn enable(_interrupt: WDFINTERRUPT, device: WDFDEVICE) -> NTSTATUS {
    event("enable", device)
}

unsafe extern "win64" fn disable(_interrupt: WDFINTERRUPT, device: WDFDEVICE) -> NTSTATUS {
    event("disable", device)
}

fn config() -> WDF_INTERRUPT_CONFIG {
    WDF_INTERRUPT_CONFIG {
        Size: size_of::<WDF_INTERRUPT_CONFIG>() as ULONG,
        ShareVector: _WDF_TRI_STATE::WdfUseDefault,
        EvtInterruptIsr: Some(isr),
        EvtInterruptDpc: Some(dpc),
        EvtInterruptEnable: Some(enable),
        EvtInterruptDisable: Some(disable),
        ..Default::default()
    }
}

fn create(config: &mut WDF_INTERRUPT_CONFIG) -> NTSTATUS {
    let mut made = null_mut();
    let status = wdf!(WdfInterruptCreate, device(), config, null_mut(), &mut made);
    if NT_SUCCESS(status) {
        INTERRUPTS.with(|all| all.borrow_mut().push(made));
    }
    status
}

/// A rig whose driver makes `count` interrupts in EvtDriverDeviceAdd.
fn rig(count: usize, messages: u16) -> Rig {
    INTERRUPTS.with(|all| all.borrow_mut().clear());
    on("DeviceAdd", move |_| {
        for _ in 0..count {
            assert_eq!(create(&mut config()), STATUS_SUCCESS);
        }
    });
    Rig::started_with(&Options {
        messages,
        ..Options::default()
    })
}

/// Lets the device send a message: a write to its register page does that.
fn fire(rig: &Rig, message: u16) {
    let function = rig.device().function();
    rig.run(move || {
        let base = ntsim::pci::resources(function).bars[0].base;
        let registers = unsafe {
            ntddk::MmMapIoSpaceEx(
                LARGE_INTEGER { QuadPart: base as i64 },
                4096,
                PAGE_READWRITE | PAGE_NOCACHE,
            )
        };
        unsafe { registers.cast::<u32>().write_volatile(u32::from(message)) };
        unsafe { ntddk::MmUnmapIoSpace(registers, 4096) };
    })
    .unwrap();
    rig.machine.settle().unwrap();
}

#[test]
fn the_service_routine_queues_one_dpc() {
    let rig = rig(1, 1);
    take_log();
    fire(&rig, 0);
    assert_eq!(take_log(), ["isr 0 at 9", "queued 1 0", "dpc at 2"]);
    rig.finish().unwrap();
}

#[test]
fn interrupts_are_enabled_in_order_and_disabled_in_reverse() {
    let rig = rig(2, 2);
    let started = take_log();
    let entry = started.iter().position(|line| line == "D0Entry").unwrap();
    assert_eq!(
        started[entry..entry + 4],
        ["D0Entry", "enable", "enable", "D0EntryPostInterruptsEnabled"]
    );
    fire(&rig, 1);
    assert_eq!(take_log()[0], "isr 1 at 9");
    rig.finish().unwrap();
}

#[test]
fn an_interrupt_without_a_message_is_never_connected() {
    let rig = rig(2, 1);
    assert_eq!(take_log().iter().filter(|line| *line == "enable").count(), 1);
    rig.run(|| {
        assert!(!wdf!(WdfInterruptWdmGetInterrupt, interrupt(0)).is_null());
        assert!(wdf!(WdfInterruptWdmGetInterrupt, interrupt(1)).is_null());
    })
    .unwrap();
    let crash = rig.crash(|| wdf!(WdfInterruptAcquireLock, interrupt(1)));
    assert_eq!(rule(&crash), "kmdf-interrupt-not-connected");
}

#[test]
fn synchronize_and_lock_raise_to_the_interrupt_s_irql() {
    unsafe extern "win64" fn synchronized(_interrupt: WDFINTERRUPT, context: WDFCONTEXT) -> BOOLEAN {
        unsafe { context.cast::<KIRQL>().write(ntddk::KeGetCurrentIrql()) };
        1
    }
    let rig = rig(1, 1);
    rig.run(|| {
        let mut irql: KIRQL = 0;
        assert_eq!(
            wdf!(
                WdfInterruptSynchronize,
                interrupt(0),
                Some(synchronized),
                (&raw mut irql).cast()
            ),
            1
        );
        assert_eq!((irql, unsafe { ntddk::KeGetCurrentIrql() }), (9, 0));
        wdf!(WdfInterruptAcquireLock, interrupt(0));
        assert_eq!(unsafe { ntddk::KeGetCurrentIrql() }, 9);
        wdf!(WdfInterruptReleaseLock, interrupt(0));
        let mut info = WDF_INTERRUPT_INFO {
            Size: size_of::<WDF_INTERRUPT_INFO>() as ULONG,
            ..Default::default()
        };
        wdf!(WdfInterruptGetInfo, interrupt(0), &mut info);
        assert_eq!((info.MessageSignaled, info.MessageNumber, info.Irql), (1, 0, 9));
        assert_eq!(wdf!(WdfInterruptGetDevice, interrupt(0)), device());
    })
    .unwrap();
    rig.finish().unwrap();
}

#[test]
fn disable_and_enable_disconnect_and_connect() {
    let rig = rig(1, 1);
    take_log();
    rig.run(|| {
        wdf!(WdfInterruptDisable, interrupt(0));
        assert!(wdf!(WdfInterruptWdmGetInterrupt, interrupt(0)).is_null());
        wdf!(WdfInterruptEnable, interrupt(0));
    })
    .unwrap();
    assert_eq!(take_log(), ["disable", "enable"]);
    rig.finish().unwrap();
}

#[test]
fn a_failing_enable_fails_the_start() {
    fail("enable", STATUS_UNSUCCESSFUL);
    on("DeviceAdd", |_| assert_eq!(create(&mut config()), STATUS_SUCCESS));
    let mut rig = Rig::new(&Options::default());
    rig.load().unwrap();
    assert!(rig.plug(1).is_err());
    let log = take_log();
    let at = log.iter().position(|line| line == "enable").unwrap();
    assert_eq!(
        log[at..at + 3],
        ["enable", "D0Exit", "ReleaseHardware"],
        "EvtInterruptDisable is not called"
    );
}

#[test]
fn an_interrupt_may_be_made_for_a_resource_in_prepare_hardware() {
    unsafe extern "win64" fn prepare(device: WDFDEVICE, raw: WDFCMRESLIST, translated: WDFCMRESLIST) -> NTSTATUS {
        event("PrepareHardware", device);
        for at in 0..wdf!(WdfCmResourceListGetCount, translated) {
            let of = wdf!(WdfCmResourceListGetDescriptor, translated, at);
            if unsafe { (*of).Type } == CmResourceTypeInterrupt as UCHAR {
                let mut config = config();
                config.InterruptTranslated = of;
                config.InterruptRaw = wdf!(WdfCmResourceListGetDescriptor, raw, at);
                assert_eq!(create(&mut config), STATUS_SUCCESS);
            }
        }
        STATUS_SUCCESS
    }
    INTERRUPTS.with(|all| all.borrow_mut().clear());
    on("DeviceInit", |init| {
        let mut callbacks = pnp_callbacks();
        callbacks.EvtDevicePrepareHardware = Some(prepare);
        wdf!(WdfDeviceInitSetPnpPowerEventCallbacks, init.cast(), &mut callbacks);
    });
    let rig = Rig::started_with(&Options {
        messages: 3,
        ..Options::default()
    });
    take_log();
    fire(&rig, 2);
    assert_eq!(take_log()[0], "isr 2 at 9");
    let first = interrupt(0);
    rig.device().stop().unwrap();
    let crash = rig.crash(move || {
        let _ = wdf!(WdfInterruptGetDevice, first);
    });
    assert_eq!(rule(&crash), "kmdf-invalid-handle", "it went with its resources");
}

#[test]
fn resources_do_not_belong_into_device_add() {
    let mut descriptor = CM_PARTIAL_RESOURCE_DESCRIPTOR::default();
    on("DeviceAdd", move |_| {
        let mut config = config();
        config.InterruptRaw = &raw mut descriptor;
        config.InterruptTranslated = &raw mut descriptor;
        create(&mut config);
    });
    let mut rig = Rig::new(&Options::default());
    rig.load().unwrap();
    assert_eq!(rule(&crash_of(rig.plug(1).unwrap_err())), "kmdf-interrupt-create-place");
}

#[test]
fn an_interrupt_made_while_the_device_runs_is_refused() {
    let rig = Rig::started_with(&Options {
        verifier_on: false,
        ..Options::default()
    });
    rig.run(|| assert_eq!(create(&mut config()), STATUS_INVALID_DEVICE_STATE))
        .unwrap();
    rig.finish().unwrap();
}

#[test]
fn a_dpc_that_does_not_exist_cannot_be_queued() {
    on("DeviceAdd", |_| {
        INTERRUPTS.with(|all| all.borrow_mut().clear());
        let mut config = config();
        config.EvtInterruptDpc = None;
        create(&mut config);
    });
    let crash = Rig::started().crash(|| {
        let _ = wdf!(WdfInterruptQueueDpcForIsr, interrupt(0));
    });
    assert_eq!(rule(&crash), "kmdf-interrupt-no-deferred-callback");
}

#[test]
fn automatic_serialization_needs_a_fitting_execution_level() {
    unsafe extern "win64" fn item(_interrupt: WDFINTERRUPT, _associated: WDFOBJECT) {}
    on("DeviceScope", |_| {});
    on("DeviceAdd", |_| {
        let mut config = config();
        config.EvtInterruptDpc = None;
        config.EvtInterruptWorkItem = Some(item);
        config.AutomaticSerialization = 1;
        create(&mut config);
    });
    let mut rig = Rig::new(&Options::default());
    rig.load().unwrap();
    assert_eq!(
        rule(&crash_of(rig.plug(1).unwrap_err())),
        "kmdf-incompatible-execution-level"
    );
}
