//! How a driver binds to the framework, and what it leaves behind.

use crate::support::*;
use core::ptr::null_mut;
use ntsim::{
    Machine,
    nt::io::{DriverImage, Failure},
    verifier::CrashKind,
};
use wdk_sys::*;

#[test]
fn a_driver_whose_entry_fails_is_cleaned_up_without_its_unload_routine() {
    fail("DriverEntry", STATUS_DEVICE_CONFIGURATION_ERROR);
    let mut rig = Rig::new(&Options::default());
    match rig.load().unwrap_err() {
        Failure::Status(status) => assert_eq!(status, STATUS_DEVICE_CONFIGURATION_ERROR),
        other => panic!("{other}"),
    }
    assert_eq!(take_log(), ["DriverEntry", "cleanup driver", "destroy driver"]);
    fail("DriverEntry", STATUS_SUCCESS);
    rig.load().unwrap();
    rig.driver.take().unwrap().unload().unwrap();
}

#[test]
fn a_driver_can_be_loaded_again() {
    let mut rig = Rig::new(&Options::default());
    for _ in 0..3 {
        rig.load().unwrap();
        rig.plug(1).unwrap();
        rig.device.take().unwrap().remove().unwrap();
        rig.driver.take().unwrap().unload().unwrap();
    }
}

#[test]
fn one_driver_object_per_driver() {
    on("DriverEntry", |driver_object| {
        let mut config = WDF_DRIVER_CONFIG {
            Size: size_of::<WDF_DRIVER_CONFIG>() as ULONG,
            ..Default::default()
        };
        let _ = wdf!(
            WdfDriverCreate,
            driver_object.cast(),
            null_mut(),
            null_mut(),
            &mut config,
            null_mut()
        );
    });
    let mut rig = Rig::new(&Options::default());
    assert_eq!(rule(&crash_of(rig.load().unwrap_err())), "kmdf-driver-created-twice");
}

#[test]
fn one_framework_driver_per_machine() {
    let mut rig = Rig::new(&Options::default());
    rig.load().unwrap();
    let failure = rig.machine.load_driver(DriverImage::host("second", entry)).unwrap_err();
    assert_eq!(rule(&crash_of(failure)), "kmdf-second-client");
}

#[test]
fn a_function_that_is_not_implemented_stops_the_run_and_names_itself() {
    let crash = Rig::started().crash(|| {
        let mut string = null_mut();
        let _ = wdf!(WdfStringCreate, null_mut(), null_mut(), &mut string);
    });
    assert_eq!(crash.kind, CrashKind::Unimplemented);
    assert!(crash.text.contains("WdfStringCreate"), "{}", crash.text);
}

#[test]
fn a_framework_function_before_driver_create_is_caught() {
    unsafe extern "win64" fn hasty(_driver: PDRIVER_OBJECT, _path: PUNICODE_STRING) -> NTSTATUS {
        let mut made = null_mut();
        wdf!(WdfObjectCreate, null_mut(), &mut made)
    }
    let machine = Machine::builder().build();
    let failure = machine.load_driver(DriverImage::host("hasty", hasty)).unwrap_err();
    assert_eq!(rule(&crash_of(failure)), "kmdf-invalid-handle");
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let hash = || {
        let rig = Rig::started();
        rig.device().stop().unwrap();
        rig.device().restart().unwrap();
        let hash = rig.machine.trace_hash();
        rig.finish().unwrap();
        hash
    };
    assert_eq!(hash(), hash());
}
