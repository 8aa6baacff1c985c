//! Timers, work items, DPCs, memory, registry keys.

use crate::support::*;
use core::ptr::null_mut;
use wdk_sys::*;

/// A millisecond in 100 ns units.
const MS: i64 = 10_000;

unsafe extern "win64" fn timer_function(_timer: WDFTIMER) {
    log(format!("timer at {}", unsafe { ntddk::KeGetCurrentIrql() }));
}

unsafe extern "win64" fn item_function(_item: WDFWORKITEM) {
    log(format!("item at {}", unsafe { ntddk::KeGetCurrentIrql() }));
}

fn timer_config() -> WDF_TIMER_CONFIG {
    WDF_TIMER_CONFIG {
        Size: size_of::<WDF_TIMER_CONFIG>() as ULONG,
        EvtTimerFunc: Some(timer_function),
        ..Default::default()
    }
}

fn timer(config: &mut WDF_TIMER_CONFIG, attributes: &mut WDF_OBJECT_ATTRIBUTES) -> (NTSTATUS, WDFTIMER) {
    let mut made = null_mut();
    let status = wdf!(WdfTimerCreate, config, attributes, &mut made);
    (status, made)
}

fn item() -> WDFWORKITEM {
    let mut config = WDF_WORKITEM_CONFIG {
        Size: size_of::<WDF_WORKITEM_CONFIG>() as ULONG,
        EvtWorkItemFunc: Some(item_function),
        ..Default::default()
    };
    let mut made = null_mut();
    assert_eq!(
        wdf!(
            WdfWorkItemCreate,
            &mut config,
            &mut observed(device().cast()),
            &mut made
        ),
        STATUS_SUCCESS
    );
    name(made.cast(), "item");
    made
}

#[test]
fn a_timer_runs_once_at_dispatch_level() {
    let rig = Rig::started();
    take_log();
    rig.run(|| {
        let (status, timer) = timer(&mut timer_config(), &mut observed(device().cast()));
        assert_eq!(status, STATUS_SUCCESS);
        assert_eq!(wdf!(WdfTimerStart, timer, -20 * MS), 0);
        assert_eq!(wdf!(WdfTimerStart, timer, -5 * MS), 1, "it was set");
        assert_eq!(wdf!(WdfTimerGetParentObject, timer), device().cast());
    })
    .unwrap();
    rig.machine.pass_time(4_000_000).unwrap();
    assert_eq!(take_log(), Vec::<String>::new());
    rig.machine.pass_time(50_000_000).unwrap();
    assert_eq!(take_log(), ["timer at 2"]);
    rig.finish().unwrap();
}

#[test]
fn a_periodic_timer_runs_until_it_is_stopped() {
    let rig = Rig::started();
    take_log();
    let handle = rig
        .run(|| {
            let mut config = timer_config();
            config.Period = 10;
            let (_, timer) = timer(&mut config, &mut observed(device().cast()));
            let _ = wdf!(WdfTimerStart, timer, -10 * MS);
            timer
        })
        .unwrap();
    rig.machine.pass_time(35_000_000).unwrap();
    assert_eq!(take_log().len(), 3);
    rig.run(move || assert_eq!(wdf!(WdfTimerStop, handle, 1), 1)).unwrap();
    rig.machine.pass_time(35_000_000).unwrap();
    assert_eq!(take_log().len(), 0);
    rig.finish().unwrap();
}

#[test]
fn a_passive_timer_runs_at_passive_level() {
    let rig = Rig::started();
    take_log();
    rig.run(|| {
        let mut attributes = observed(device().cast());
        attributes.ExecutionLevel = _WDF_EXECUTION_LEVEL::WdfExecutionLevelPassive;
        let (_, made) = timer(&mut timer_config(), &mut attributes);
        let _ = wdf!(WdfTimerStart, made, -MS);
        let mut periodic = timer_config();
        periodic.Period = 1;
        assert_eq!(timer(&mut periodic, &mut attributes).0, STATUS_NOT_SUPPORTED);
    })
    .unwrap();
    rig.machine.pass_time(5_000_000).unwrap();
    rig.machine.settle().unwrap();
    assert_eq!(take_log(), ["timer at 0"]);
    rig.finish().unwrap();
}

#[test]
fn timers_need_a_parent_below_a_device() {
    let rig = Rig::started();
    rig.run(|| {
        assert_eq!(
            timer(&mut timer_config(), &mut attributes()).0,
            0xC020_0212_u32.cast_signed()
        );
        let orphan = object(null_mut(), "orphan");
        assert_eq!(
            timer(&mut timer_config(), &mut observed(orphan)).0,
            STATUS_INVALID_DEVICE_REQUEST
        );
        let mut serialized = timer_config();
        serialized.AutomaticSerialization = 1;
        let child = object(device().cast(), "child");
        assert_eq!(
            timer(&mut serialized, &mut observed(child)).0,
            STATUS_INVALID_DEVICE_REQUEST
        );
    })
    .unwrap();
    rig.finish().unwrap();
}

#[test]
fn a_timer_cannot_wait_for_itself() {
    unsafe extern "win64" fn waits(timer: WDFTIMER) {
        let _ = wdf!(WdfTimerStop, timer, 1);
    }
    let rig = Rig::started();
    rig.run(|| {
        let mut config = timer_config();
        config.EvtTimerFunc = Some(waits);
        let mut attributes = observed(device().cast());
        attributes.ExecutionLevel = _WDF_EXECUTION_LEVEL::WdfExecutionLevelPassive;
        let (_, timer) = timer(&mut config, &mut attributes);
        let _ = wdf!(WdfTimerStart, timer, -MS);
    })
    .unwrap();
    let crash = rig
        .machine
        .pass_time(5_000_000)
        .and_then(|()| rig.machine.settle())
        .unwrap_err();
    assert_eq!(rule(&crash), "kmdf-wait-not-allowed");
}

#[test]
fn a_timer_stop_cannot_wait_at_dispatch_level() {
    let crash = Rig::started().crash(|| {
        let (_, timer) = timer(&mut timer_config(), &mut observed(device().cast()));
        unsafe { ntddk::KfRaiseIrql(2) };
        let _ = wdf!(WdfTimerStop, timer, 1);
    });
    assert_eq!(rule(&crash), "kmdf-wait-not-allowed");
}

#[test]
fn a_work_item_queued_twice_runs_once() {
    let rig = Rig::started();
    take_log();
    rig.run(|| {
        let item = item();
        let irql = unsafe { ntddk::KfRaiseIrql(2) };
        wdf!(WdfWorkItemEnqueue, item);
        wdf!(WdfWorkItemEnqueue, item);
        unsafe { ntddk::KeLowerIrql(irql) };
        wdf!(WdfWorkItemFlush, item);
        log("flushed");
        wdf!(WdfWorkItemEnqueue, item);
    })
    .unwrap();
    rig.machine.settle().unwrap();
    assert_eq!(take_log(), ["item at 0", "flushed", "item at 0"]);
    rig.finish().unwrap();
}

#[test]
fn a_work_item_cannot_wait_for_itself() {
    unsafe extern "win64" fn waits(item: WDFWORKITEM) {
        wdf!(WdfWorkItemFlush, item);
    }
    let rig = Rig::started();
    rig.run(|| {
        let mut config = WDF_WORKITEM_CONFIG {
            Size: size_of::<WDF_WORKITEM_CONFIG>() as ULONG,
            EvtWorkItemFunc: Some(waits),
            ..Default::default()
        };
        let mut made = null_mut();
        assert_eq!(
            wdf!(
                WdfWorkItemCreate,
                &mut config,
                &mut observed(device().cast()),
                &mut made
            ),
            STATUS_SUCCESS
        );
        wdf!(WdfWorkItemEnqueue, made);
    })
    .unwrap();
    assert_eq!(rule(&rig.machine.settle().unwrap_err()), "kmdf-wait-not-allowed");
}

#[test]
fn removal_runs_a_queued_work_item_before_its_cleanup_and_stops_a_set_timer() {
    let rig = Rig::started();
    rig.run(|| {
        let (_, timer) = timer(&mut timer_config(), &mut observed(device().cast()));
        name(timer.cast(), "timer");
        let _ = wdf!(WdfTimerStart, timer, -1000 * MS);
        let made = item();
        let irql = unsafe { ntddk::KfRaiseIrql(2) };
        wdf!(WdfWorkItemEnqueue, made);
        unsafe { ntddk::KeLowerIrql(irql) };
    })
    .unwrap();
    take_log();
    rig.finish().unwrap();
    let log = take_log();
    let place = |line: &str| log.iter().position(|other| other == line);
    assert!(place("item at 0") < place("cleanup item"), "{log:?}");
    assert!(place("cleanup timer") < place("cleanup device"), "{log:?}");
    assert_eq!(place("timer at 2"), None);
}

#[test]
fn a_dpc_is_queued_once_and_can_be_cancelled() {
    unsafe extern "win64" fn function(_dpc: WDFDPC) {
        log(format!("dpc at {}", unsafe { ntddk::KeGetCurrentIrql() }));
    }
    let rig = Rig::started();
    take_log();
    rig.run(|| {
        let mut config = WDF_DPC_CONFIG {
            Size: size_of::<WDF_DPC_CONFIG>() as ULONG,
            EvtDpcFunc: Some(function),
            ..Default::default()
        };
        let mut dpc = null_mut();
        assert_eq!(
            wdf!(WdfDpcCreate, &mut config, &mut observed(device().cast()), &mut dpc),
            STATUS_SUCCESS
        );
        let irql = unsafe { ntddk::KfRaiseIrql(2) };
        assert_eq!((wdf!(WdfDpcEnqueue, dpc), wdf!(WdfDpcEnqueue, dpc)), (1, 0));
        assert_eq!(wdf!(WdfDpcCancel, dpc, 0), 1);
        assert_eq!(wdf!(WdfDpcEnqueue, dpc), 1);
        unsafe { ntddk::KeLowerIrql(irql) };
    })
    .unwrap();
    rig.machine.settle().unwrap();
    assert_eq!(take_log(), ["dpc at 2"]);
    rig.finish().unwrap();
}

#[test]
fn memory_objects_check_bounds_and_are_not_zeroed() {
    let rig = Rig::started();
    rig.run(|| {
        let (mut memory, mut buffer, mut size) = (null_mut(), null_mut(), 0);
        assert_eq!(
            wdf!(
                WdfMemoryCreate,
                null_mut(),
                _POOL_TYPE::NonPagedPoolNx,
                0,
                100,
                &mut memory,
                &mut buffer
            ),
            STATUS_SUCCESS
        );
        assert_eq!(wdf!(WdfMemoryGetBuffer, memory, &mut size), buffer);
        assert_eq!(size, 100);
        assert_ne!(unsafe { buffer.cast::<u8>().read() }, 0, "nothing promises zeros");
        let mut bytes = [7u8; 60];
        let bytes: PVOID = bytes.as_mut_ptr().cast();
        assert_eq!(wdf!(WdfMemoryCopyFromBuffer, memory, 40, bytes, 60), STATUS_SUCCESS);
        assert_eq!(
            wdf!(WdfMemoryCopyFromBuffer, memory, 41, bytes, 60),
            STATUS_INVALID_BUFFER_SIZE
        );
        assert_eq!(
            wdf!(WdfMemoryCopyToBuffer, memory, usize::MAX, bytes, 60),
            STATUS_INTEGER_OVERFLOW
        );
        assert_eq!(unsafe { buffer.cast::<u8>().add(99).read() }, 7);
        let mut none = null_mut();
        assert_eq!(
            wdf!(
                WdfMemoryCreate,
                null_mut(),
                _POOL_TYPE::NonPagedPoolNx,
                0,
                0,
                &mut none,
                null_mut()
            ),
            STATUS_INVALID_PARAMETER
        );
    })
    .unwrap();
    rig.finish().unwrap();
}

fn unicode(text: &str) -> (Vec<u16>, UNICODE_STRING) {
    let mut units: Vec<u16> = text.encode_utf16().collect();
    let bytes = (units.len() * 2) as USHORT;
    let view = UNICODE_STRING {
        Length: bytes,
        MaximumLength: bytes,
        Buffer: units.as_mut_ptr(),
    };
    (units, view)
}

#[test]
fn the_driver_reads_its_parameters() {
    let mut rig = Rig::new(&Options::default());
    let parameters = format!(r"{SERVICE}\Parameters");
    rig.machine
        .set_registry_value(&parameters, "Limit", ntsim::nt::registry::Value::dword(42));
    rig.load().unwrap();
    rig.run(|| {
        let driver = wdf!(WdfWdmDriverGetWdfDriverHandle, null_mut());
        assert!(driver.is_null(), "no driver object, no driver");
        let driver = unsafe { (*WdfDriverGlobals).Driver };
        let mut key = null_mut();
        assert_eq!(
            wdf!(
                WdfDriverOpenParametersRegistryKey,
                driver,
                KEY_READ,
                null_mut(),
                &mut key
            ),
            STATUS_SUCCESS
        );
        let (_units, name) = unicode("Limit");
        let mut value = 0;
        assert_eq!(
            wdf!(WdfRegistryQueryULong, key, &raw const name, &mut value),
            STATUS_SUCCESS
        );
        assert_eq!(value, 42);
        let (_units, missing) = unicode("Missing");
        assert_eq!(
            wdf!(WdfRegistryQueryULong, key, &raw const missing, &mut value),
            STATUS_OBJECT_NAME_NOT_FOUND
        );
        let (mut bytes, mut length, mut of) = ([0u8; 4], 0, 0);
        assert_eq!(
            wdf!(
                WdfRegistryQueryValue,
                key,
                &raw const name,
                4,
                bytes.as_mut_ptr().cast(),
                &mut length,
                &mut of
            ),
            STATUS_SUCCESS
        );
        assert_eq!((u32::from_le_bytes(bytes), length, of), (42, 4, REG_DWORD));
        assert_eq!(
            wdf!(
                WdfRegistryQueryValue,
                key,
                &raw const name,
                3,
                bytes.as_mut_ptr().cast(),
                &mut length,
                &mut of
            ),
            STATUS_BUFFER_OVERFLOW
        );
        wdf!(WdfRegistryClose, key);
    })
    .unwrap();
    rig.driver.take().unwrap().unload().unwrap();
}
