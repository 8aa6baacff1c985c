//! File objects: from open to close.

use crate::support::*;
use core::ptr::null_mut;
use ntsim::nt::io::{DesiredAccess, Failure};
use std::cell::Cell;
use wdk_sys::*;

static INTERFACE: GUID = GUID {
    Data1: 0x6A5C_31B0,
    Data2: 0x44D2,
    Data3: 0x4E0F,
    Data4: [0x91, 0x5B, 0x0C, 0x77, 0x3E, 0x21, 0x68, 0xA4],
};

thread_local! {
    static ANSWER: Cell<NTSTATUS> = const { Cell::new(STATUS_SUCCESS) };
    static FILE: Cell<WDFFILEOBJECT> = const { Cell::new(null_mut()) };
}

unsafe extern "win64" fn create(device: WDFDEVICE, request: WDFREQUEST, file: WDFFILEOBJECT) {
    log("FileCreate");
    name(file.cast(), "file");
    FILE.set(file);
    assert_eq!(wdf!(WdfFileObjectGetDevice, file), device);
    let wdm = wdf!(WdfFileObjectWdmGetFileObject, file);
    assert_eq!(wdf!(WdfDeviceGetFileObject, device, wdm), file);
    assert_eq!(wdf!(WdfRequestGetFileObject, request), file);
    wdf!(WdfRequestComplete, request, ANSWER.get());
}

unsafe extern "win64" fn file_cleanup(file: WDFFILEOBJECT) {
    assert_eq!(file, FILE.get());
    log("FileCleanup");
}

unsafe extern "win64" fn file_close(file: WDFFILEOBJECT) {
    assert_eq!(file, FILE.get());
    log("FileClose");
}

fn rig() -> Rig {
    on("DeviceInit", |init| {
        let mut config = WDF_FILEOBJECT_CONFIG {
            Size: size_of::<WDF_FILEOBJECT_CONFIG>() as ULONG,
            EvtDeviceFileCreate: Some(create),
            EvtFileCleanup: Some(file_cleanup),
            EvtFileClose: Some(file_close),
            AutoForwardCleanupClose: _WDF_TRI_STATE::WdfUseDefault,
            FileObjectClass: _WDF_FILEOBJECT_CLASS::WdfFileObjectWdfCanUseFsContext,
        };
        wdf!(
            WdfDeviceInitSetFileObjectConfig,
            init.cast(),
            &mut config,
            &mut observed(null_mut())
        );
    });
    on("DeviceAdd", |device| {
        assert_eq!(
            wdf!(
                WdfDeviceCreateDeviceInterface,
                device,
                &raw const INTERFACE,
                core::ptr::null()
            ),
            STATUS_SUCCESS
        );
    });
    let rig = Rig::started();
    take_log();
    rig
}

#[test]
fn a_handle_is_created_cleaned_up_and_closed() {
    let rig = rig();
    let handle = rig.machine.open(INTERFACE, DesiredAccess::READ).unwrap();
    assert_eq!(take_log(), ["FileCreate"]);
    handle.close().unwrap();
    rig.machine.settle().unwrap();
    assert_eq!(take_log(), ["FileCleanup", "FileClose", "cleanup file", "destroy file"]);
    rig.finish().unwrap();
}

#[test]
fn a_refused_create_has_no_cleanup_and_no_close() {
    let rig = rig();
    ANSWER.set(STATUS_ACCESS_DENIED);
    match rig.machine.open(INTERFACE, DesiredAccess::READ).unwrap_err() {
        Failure::Status(status) => assert_eq!(status, STATUS_ACCESS_DENIED),
        other => panic!("{other}"),
    }
    assert_eq!(take_log(), ["FileCreate", "cleanup file", "destroy file"]);
    rig.finish().unwrap();
}

#[test]
fn an_interface_is_there_while_the_device_is_started_and_the_driver_wants_it() {
    let rig = rig();
    assert_eq!(rig.machine.interfaces(&INTERFACE), 1);
    rig.run(|| {
        wdf!(
            WdfDeviceSetDeviceInterfaceState,
            device(),
            &raw const INTERFACE,
            core::ptr::null(),
            0
        )
    })
    .unwrap();
    assert_eq!(rig.machine.interfaces(&INTERFACE), 0);
    rig.run(|| {
        wdf!(
            WdfDeviceSetDeviceInterfaceState,
            device(),
            &raw const INTERFACE,
            core::ptr::null(),
            1
        )
    })
    .unwrap();
    rig.device().stop().unwrap();
    assert_eq!(
        rig.machine.interfaces(&INTERFACE),
        1,
        "a rebalance leaves interfaces alone"
    );
    rig.device().restart().unwrap();
    rig.finish().unwrap();
}

#[test]
fn an_interface_is_gone_after_surprise_removal() {
    let rig = rig();
    rig.device().surprise_remove().unwrap();
    assert_eq!(rig.machine.interfaces(&INTERFACE), 0);
}
