//! PnP, power and the driver's own calls against each other, in any order that a scheduler finds. Nothing may break a rule, and the driver must unload.

use crate::support::*;
use core::ptr::null_mut;
use wdk_sys::*;

/// How many schedules each story is tried with.
const SEEDS: u64 = 40;

fn seeded(seed: u64) -> Options {
    Options {
        seed: Some(seed),
        ..Options::default()
    }
}

/// Runs a story with every seed; a failure names its seed.
fn with_every_seed(story: impl Fn(u64)) {
    for seed in 0..SEEDS {
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| story(seed)));
        assert!(told.is_ok(), "seed {seed}");
    }
}

/// The device is gone or going: the driver can be unloaded.
fn unload(mut rig: Rig) {
    rig.machine.settle().unwrap();
    rig.device.take();
    rig.driver.take().unwrap().unload().unwrap();
}

#[test]
fn surprise_removal_during_a_resume() {
    with_every_seed(|seed| {
        let rig = Rig::started_with(&seeded(seed));
        rig.device().sleep().unwrap();
        rig.device().resume().unwrap();
        rig.device().surprise_remove().unwrap();
        unload(rig);
        let log = take_log();
        let count = |name: &str| log.iter().filter(|line| *line == name).count();
        assert_eq!(count("D0Entry"), count("D0Exit"), "{log:?}");
        assert_eq!(count("PrepareHardware"), count("ReleaseHardware"), "{log:?}");
    });
}

#[test]
fn timers_and_work_items_while_the_device_goes() {
    unsafe extern "win64" fn tick(timer: WDFTIMER) {
        let item: WDFWORKITEM = wdf!(WdfTimerGetParentObject, timer).cast();
        wdf!(WdfWorkItemEnqueue, item);
    }
    unsafe extern "win64" fn work(_item: WDFWORKITEM) {
        log("work");
    }
    with_every_seed(|seed| {
        let rig = Rig::started_with(&seeded(seed));
        rig.run(|| {
            let mut config = WDF_WORKITEM_CONFIG {
                Size: size_of::<WDF_WORKITEM_CONFIG>() as ULONG,
                EvtWorkItemFunc: Some(work),
                ..Default::default()
            };
            let mut item = null_mut();
            assert_eq!(
                wdf!(
                    WdfWorkItemCreate,
                    &mut config,
                    &mut observed(device().cast()),
                    &mut item
                ),
                STATUS_SUCCESS
            );
            let mut config = WDF_TIMER_CONFIG {
                Size: size_of::<WDF_TIMER_CONFIG>() as ULONG,
                EvtTimerFunc: Some(tick),
                Period: 1,
                ..Default::default()
            };
            let mut timer = null_mut();
            assert_eq!(
                wdf!(WdfTimerCreate, &mut config, &mut observed(item.cast()), &mut timer),
                STATUS_SUCCESS
            );
            let _ = wdf!(WdfTimerStart, timer, -1);
        })
        .unwrap();
        rig.machine.pass_time(2_000_000).unwrap();
        rig.finish().unwrap();
        let log = take_log();
        let gone = log.iter().position(|line| line == "cleanup device").unwrap();
        assert!(!log[gone..].contains(&"work".to_owned()), "{log:?}");
        assert!(log.contains(&"work".to_owned()), "{log:?}");
    });
}

#[test]
fn deletion_at_dispatch_level_while_the_driver_unloads() {
    with_every_seed(|seed| {
        let rig = Rig::started_with(&seeded(seed));
        rig.run(|| {
            let mut passive = observed(device().cast());
            passive.ExecutionLevel = _WDF_EXECUTION_LEVEL::WdfExecutionLevelPassive;
            let mut made = null_mut();
            assert_eq!(wdf!(WdfObjectCreate, &mut passive, &mut made), STATUS_SUCCESS);
            name(made, "passive");
            let irql = unsafe { ntddk::KfRaiseIrql(2) };
            wdf!(WdfObjectDelete, made);
            unsafe { ntddk::KeLowerIrql(irql) };
        })
        .unwrap();
        rig.finish().unwrap();
        let log = take_log();
        let place = |line: &str| {
            log.iter()
                .position(|other| other == line)
                .unwrap_or_else(|| panic!("{line}: {log:?}"))
        };
        assert!(place("destroy passive") < place("destroy driver"));
    });
}
