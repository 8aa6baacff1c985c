//! The order of PnP and power callbacks, and what a failure of each leads to. The recordings of the real framework are compared in full by the conformance tests;
//! these tell the stories one by one.

use crate::support::*;
use core::ptr::null_mut;
use ntsim::nt::io::Failure;
use wdk_sys::*;

const BOOM: NTSTATUS = STATUS_UNSUCCESSFUL;
const POWER_FAILURE: NTSTATUS = 0xC000_009E_u32.cast_signed();

const UP: [&str; 3] = ["PrepareHardware", "D0Entry", "D0EntryPostInterruptsEnabled"];
const DOWN: [&str; 3] = ["SelfManagedIoSuspend", "D0ExitPreInterruptsDisabled", "D0Exit"];

fn list(parts: &[&[&str]]) -> Vec<String> {
    parts.concat().into_iter().map(str::to_owned).collect()
}

fn status_of(failure: Failure) -> NTSTATUS {
    match failure {
        Failure::Status(status) => status,
        other => panic!("{other}"),
    }
}

#[test]
fn from_load_to_unload() {
    let rig = Rig::started();
    assert_eq!(
        take_log(),
        list(&[&["DriverEntry", "DeviceAdd"], &UP, &["SelfManagedIoInit"]])
    );
    rig.finish().unwrap();
    let down = [
        "ReleaseHardware",
        "SelfManagedIoFlush",
        "SelfManagedIoCleanup",
        "cleanup device",
        "destroy device",
    ];
    assert_eq!(
        take_log(),
        list(&[
            &["QueryRemove"],
            &DOWN,
            &down,
            &["DriverUnload", "cleanup driver", "destroy driver"]
        ])
    );
}

#[test]
fn stop_and_restart() {
    let rig = Rig::started();
    take_log();
    rig.device().stop().unwrap();
    assert_eq!(take_log(), list(&[&["QueryStop"], &DOWN, &["ReleaseHardware"]]));
    rig.device().restart().unwrap();
    assert_eq!(take_log(), list(&[&UP, &["SelfManagedIoRestart"]]));
    rig.finish().unwrap();
}

#[test]
fn a_veto_keeps_the_device_running() {
    let rig = Rig::started();
    fail("QueryStop", STATUS_DEVICE_BUSY);
    take_log();
    assert_eq!(status_of(rig.device().stop().unwrap_err()), STATUS_DEVICE_BUSY);
    assert_eq!(take_log(), ["QueryStop"]);
    rig.run(|| {
        assert_eq!(
            wdf!(WdfDeviceGetDevicePowerState, device()),
            _WDF_DEVICE_POWER_STATE::WdfDevStatePowerD0
        )
    })
    .unwrap();
    fail("QueryStop", STATUS_SUCCESS);
    rig.finish().unwrap();
}

#[test]
fn a_device_that_must_not_stop_is_not_asked() {
    let rig = Rig::started();
    rig.run(|| wdf!(WdfDeviceSetStaticStopRemove, device(), 0)).unwrap();
    take_log();
    assert_eq!(status_of(rig.device().stop().unwrap_err()), STATUS_INVALID_DEVICE_STATE);
    assert_eq!(take_log(), Vec::<String>::new());
    rig.run(|| wdf!(WdfDeviceSetStaticStopRemove, device(), 1)).unwrap();
    rig.finish().unwrap();
}

#[test]
fn sleep_and_resume() {
    let rig = Rig::started();
    take_log();
    rig.device().sleep().unwrap();
    rig.machine.settle().unwrap();
    assert_eq!(take_log(), list(&[&DOWN]), "resources stay");
    rig.run(|| {
        assert_eq!(
            wdf!(WdfDeviceGetDevicePowerState, device()),
            _WDF_DEVICE_POWER_STATE::WdfDevStatePowerDx
        )
    })
    .unwrap();
    rig.device().resume().unwrap();
    rig.machine.settle().unwrap();
    assert_eq!(
        take_log(),
        ["D0Entry", "D0EntryPostInterruptsEnabled", "SelfManagedIoRestart"]
    );
    rig.finish().unwrap();
}

#[test]
fn surprise_removal_tells_the_driver_first() {
    let rig = Rig::started();
    take_log();
    rig.device().surprise_remove().unwrap();
    let log = take_log();
    assert_eq!(log[..5], list(&[&["SurpriseRemoval"], &DOWN, &["ReleaseHardware"]]));
    assert_eq!(log[5], "SelfManagedIoFlush");
}

#[test]
fn surprise_removal_while_asleep_does_not_leave_d0_again() {
    let rig = Rig::started();
    rig.device().sleep().unwrap();
    rig.machine.settle().unwrap();
    take_log();
    rig.device().surprise_remove().unwrap();
    assert_eq!(
        take_log()[..3],
        ["SurpriseRemoval", "ReleaseHardware", "SelfManagedIoFlush"]
    );
}

/// Starts a device whose callback fails; the status of the start, and the log from EvtDevicePrepareHardware up to the first object's end.
fn failed_start(callback: &'static str) -> (NTSTATUS, Vec<String>) {
    fail(callback, BOOM);
    let mut rig = Rig::new(&Options::default());
    rig.load().unwrap();
    let status = status_of(rig.plug(1).unwrap_err());
    let log: Vec<String> = take_log()
        .into_iter()
        .skip(2)
        .take_while(|line| !line.starts_with("cleanup"))
        .collect();
    fail(callback, STATUS_SUCCESS);
    rig.driver.take().unwrap().unload().unwrap();
    (status, log)
}

#[test]
fn a_failure_of_prepare_hardware_is_the_status_of_the_start() {
    let (status, log) = failed_start("PrepareHardware");
    assert_eq!((status, log), (BOOM, list(&[&["PrepareHardware", "ReleaseHardware"]])));
}

#[test]
fn a_failure_of_d0_entry_has_no_d0_exit() {
    let (status, log) = failed_start("D0Entry");
    assert_eq!(
        (status, log),
        (
            POWER_FAILURE,
            list(&[&["PrepareHardware", "D0Entry", "ReleaseHardware"]])
        )
    );
}

#[test]
fn a_failure_after_the_interrupts_has_d0_exit_only() {
    let (status, log) = failed_start("D0EntryPostInterruptsEnabled");
    assert_eq!(
        (status, log),
        (POWER_FAILURE, list(&[&UP, &["D0Exit", "ReleaseHardware"]]))
    );
}

#[test]
fn a_failure_of_self_managed_io_tears_everything_down() {
    let (status, log) = failed_start("SelfManagedIoInit");
    let down = [
        "SelfManagedIoInit",
        "D0ExitPreInterruptsDisabled",
        "D0Exit",
        "ReleaseHardware",
        "SelfManagedIoFlush",
        "SelfManagedIoCleanup",
    ];
    assert_eq!((status, log), (POWER_FAILURE, list(&[&UP, &down])));
}

#[test]
fn a_failed_resume_releases_the_hardware() {
    let rig = Rig::started();
    rig.device().sleep().unwrap();
    rig.machine.settle().unwrap();
    fail("D0Entry", BOOM);
    take_log();
    let _ = rig.device().resume();
    rig.machine.settle().unwrap();
    let log = take_log();
    assert_eq!(log[..3], ["D0Entry", "ReleaseHardware", "SelfManagedIoFlush"]);
    fail("D0Entry", STATUS_SUCCESS);
}

#[test]
fn a_failing_device_add_cleans_the_device_up() {
    fail("DeviceAdd", BOOM);
    let mut rig = Rig::new(&Options::default());
    rig.load().unwrap();
    assert_eq!(status_of(rig.plug(1).unwrap_err()), BOOM);
    assert_eq!(
        take_log(),
        ["DriverEntry", "DeviceAdd", "cleanup device", "destroy device"]
    );
    fail("DeviceAdd", STATUS_SUCCESS);
    rig.driver.take().unwrap().unload().unwrap();
}

#[test]
fn not_supported_is_not_a_status_for_a_pnp_callback() {
    fail("PrepareHardware", STATUS_NOT_SUPPORTED);
    let mut rig = Rig::new(&Options::default());
    rig.load().unwrap();
    let crash = crash_of(rig.plug(1).unwrap_err());
    fail("PrepareHardware", STATUS_SUCCESS);
    assert_eq!(rule(&crash), "kmdf-callback-not-supported");
}

#[test]
fn the_device_knows_its_resources_and_its_stack() {
    on("PrepareHardware", |_| {
        let device = device();
        let fdo = wdf!(WdfDeviceWdmGetDeviceObject, device);
        assert_eq!(wdf!(WdfWdmDeviceGetWdfDeviceHandle, fdo), device);
        let pdo = wdf!(WdfDeviceWdmGetPhysicalDevice, device);
        assert_eq!(wdf!(WdfDeviceWdmGetAttachedDevice, device), pdo);
        assert_ne!(fdo, pdo);
        assert!(wdf!(WdfWdmDeviceGetWdfDeviceHandle, pdo).is_null());
        wdf!(WdfDeviceSetAlignmentRequirement, device, 63);
        assert_eq!(wdf!(WdfDeviceGetAlignmentRequirement, device), 63);
    });
    Rig::started().finish().unwrap();
}

#[test]
fn a_used_up_device_init_is_recognised() {
    on("DeviceInit", |init| {
        on("DeviceAdd", move |_| {
            wdf!(WdfDeviceInitSetDeviceType, init.cast(), 0x22)
        })
    });
    let mut rig = Rig::new(&Options::default());
    rig.load().unwrap();
    assert_eq!(rule(&crash_of(rig.plug(1).unwrap_err())), "kmdf-device-init-used-up");
}

#[test]
fn a_structure_of_the_wrong_size_is_refused() {
    on("DeviceInit", |init| {
        let mut callbacks = pnp_callbacks();
        callbacks.Size -= 8;
        wdf!(WdfDeviceInitSetPnpPowerEventCallbacks, init.cast(), &mut callbacks);
    });
    let mut rig = Rig::new(&Options::default());
    rig.load().unwrap();
    assert_eq!(rule(&crash_of(rig.plug(1).unwrap_err())), "kmdf-wrong-structure-size");
}

#[test]
fn an_alignment_requirement_is_a_mask() {
    let crash = Rig::started().crash(|| wdf!(WdfDeviceSetAlignmentRequirement, device(), 64));
    assert_eq!(rule(&crash), "kmdf-invalid-parameter");
}

#[test]
fn idle_references_are_balanced() {
    let rig = Rig::started();
    rig.run(|| {
        assert_eq!(wdf!(WdfDeviceStopIdleNoTrack, device(), 1), STATUS_SUCCESS);
        wdf!(WdfDeviceResumeIdleNoTrack, device());
    })
    .unwrap();
    let crash = rig.crash(|| wdf!(WdfDeviceResumeIdleNoTrack, device()));
    assert_eq!(rule(&crash), "kmdf-invalid-parameter");
}

#[test]
fn waiting_for_d0_above_passive_level_is_caught() {
    let crash = Rig::started().crash(|| {
        unsafe { ntddk::KfRaiseIrql(2) };
        let _ = wdf!(WdfDeviceStopIdleNoTrack, device(), 1);
    });
    assert_eq!(rule(&crash), "kmdf-wait-not-allowed");
}

#[test]
fn the_bus_interface_reads_config_space() {
    let rig = Rig::started();
    rig.run(|| {
        let mut bus = BUS_INTERFACE_STANDARD::default();
        let size = size_of::<BUS_INTERFACE_STANDARD>() as USHORT;
        let status = wdf!(
            WdfFdoQueryForInterface,
            device(),
            &raw const GUID_BUS_INTERFACE_STANDARD,
            (&raw mut bus).cast(),
            size,
            1,
            null_mut()
        );
        assert_eq!(status, STATUS_SUCCESS);
        let mut vendor = [0u8; 4];
        let read = unsafe { bus.GetBusData.unwrap()(bus.Context, 0, vendor.as_mut_ptr().cast(), 0, 4) };
        assert_eq!((read, vendor), (4, [0xF4, 0x1A, 0xF0, 0x10]));
        unsafe { bus.InterfaceDereference.unwrap()(bus.Context) };
    })
    .unwrap();
    rig.finish().unwrap();
}

static GUID_BUS_INTERFACE_STANDARD: GUID = GUID {
    Data1: 0x496B_8280,
    Data2: 0x6F25,
    Data3: 0x11D0,
    Data4: [0xBE, 0xAF, 0x08, 0x00, 0x2B, 0xE2, 0x09, 0x2F],
};
