//! The crossing layer: domains, callbacks of the framework, framework functions, and that each rule of the kernel core is broken by some test.
#![allow(unsafe_code, reason = "kernel functions are unsafe")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    reason = "driver code that breaks the contracts on purpose; the contracts are what is tested"
)]

use ntsim::{
    Machine,
    cross::{self, Domain},
    sched,
    trace::{Kind, TraceMode},
    verifier::{self, Crash},
};
use wdk_sys::{ntddk::*, *};

/// Two functions in the place of the framework's.
mod framework {
    use super::{Domain, cross, sched};
    use wdk_sys::{BOOLEAN, LONGLONG, NTSTATUS, STATUS_SUCCESS, WDFDEVICE, WDFTIMER};

    ntsim::wdf_exports! {
        pub const FUNCTIONS;

        /// Shows what it is called with.
        #[irql(..= DISPATCH_LEVEL)]
        #[trace("due={due}")]
        fn WdfTimerStart(_timer: WDFTIMER, due: LONGLONG) -> BOOLEAN {
            assert_eq!((cross::domain(), cross::caller()), (Domain::Framework, Domain::Driver));
            BOOLEAN::from(cross::globals().addr() == 0x77 && due == 5)
        }

        /// Calls the driver back.
        #[irql(PASSIVE_LEVEL)]
        fn WdfDeviceSetFailed(_device: WDFDEVICE, action: i32) {
            let status: NTSTATUS = cross::callback("EvtTest", || {
                assert_eq!((cross::domain(), cross::caller()), (Domain::Driver, Domain::Framework));
                match action {
                    1 => _ = sched::raise(2),
                    2 => unsafe { wdk_sys::ntddk::KeEnterCriticalRegion() },
                    _ => {}
                }
                STATUS_SUCCESS
            }, || format!("action={action}"));
            assert_eq!(status, STATUS_SUCCESS);
            unsafe { wdk_sys::ntddk::KeGetCurrentIrql() };
        }
    }

    ntsim::framework_callbacks! {
        /// A routine that the kernel calls.
        fn FxRoutine(context: wdk_sys::PVOID) -> usize {
            assert_eq!(cross::domain(), Domain::Framework);
            context.addr()
        }
    }
}

fn globals() -> PWDF_DRIVER_GLOBALS {
    core::ptr::without_provenance_mut(0x77)
}

fn crash(f: impl FnOnce() + 'static) -> Crash {
    Machine::builder()
        .build()
        .run_as_driver("driver", f)
        .expect_err("the rule is broken")
}

#[test]
fn framework_calls_switch_domains_and_are_traced() {
    assert_eq!(
        framework::FUNCTIONS.iter().map(|f| f.name).collect::<Vec<_>>(),
        ["WdfTimerStart", "WdfDeviceSetFailed"]
    );
    let m = Machine::builder().record_trace(TraceMode::Full).build();
    m.run_as_driver("driver", || unsafe {
        assert_eq!(framework::WdfTimerStart(globals(), core::ptr::null_mut(), 5), 1);
        framework::WdfDeviceSetFailed(globals(), core::ptr::null_mut(), 0);
        assert_eq!(framework::FxRoutine(core::ptr::without_provenance_mut(9)), 9);
        assert_eq!(cross::domain(), Domain::Driver);
    })
    .unwrap();
    let events: Vec<_> = m
        .take_trace()
        .into_iter()
        .map(|e| (e.kind, e.name.into_owned(), e.args, e.ret))
        .collect();
    let event = |kind, name: &str, args: &str, ret| (kind, name.to_owned(), args.to_owned(), ret);
    assert_eq!(
        events[1..events.len() - 1],
        [
            event(Kind::Call, "WdfTimerStart", "due=5", None),
            event(Kind::Ret, "WdfTimerStart", "", Some(1)),
            event(Kind::Call, "WdfDeviceSetFailed", "", None),
            event(Kind::Enter, "EvtTest", "action=0", None),
            event(Kind::Leave, "EvtTest", "", Some(0)),
            event(Kind::Kernel, "KeGetCurrentIrql", "", None),
            event(Kind::Ret, "WdfDeviceSetFailed", "", None),
        ]
    );
}

#[test]
fn framework_functions_have_an_irql() {
    let crash = crash(|| unsafe {
        KfRaiseIrql(1);
        framework::WdfDeviceSetFailed(globals(), core::ptr::null_mut(), 0);
    });
    assert_eq!(crash.rule.unwrap().id, "kmdf-irql");
    assert!(
        crash
            .text
            .contains("WdfDeviceSetFailed called at IRQL 1; it needs IRQL 0"),
        "{crash}"
    );
}

#[test]
fn event_callbacks_must_keep_irql_and_critical_regions() {
    let irql = crash(|| unsafe { framework::WdfDeviceSetFailed(globals(), core::ptr::null_mut(), 1) });
    assert_eq!(
        (irql.rule.unwrap().id, irql.code, irql.parameters[0]),
        ("kmdf-callback-changed-irql", 0x10D, 0xE)
    );
    let region = crash(|| unsafe { framework::WdfDeviceSetFailed(globals(), core::ptr::null_mut(), 2) });
    let got = (region.rule.unwrap().id, region.code, region.parameters[0]);
    assert_eq!(got, ("kmdf-callback-leaked-critical-region", 0x10D, 0xF));
}

#[test]
fn a_crash_says_what_where_and_after_what() {
    let text = crash(|| unsafe { framework::WdfDeviceSetFailed(globals(), core::ptr::null_mut(), 1) }).to_string();
    for part in [
        "bug check 0x10D (0xe, 0x0, 0x2, 0x0): EvtTest was called at IRQL 0 and returned at IRQL 2",
        "rule kmdf-callback-changed-irql: An event callback of the driver returned at another IRQL.",
        "in driver at IRQL 2, Framework code, t=",
        "within driver > WdfDeviceSetFailed",
        "Enter EvtTest",
    ] {
        assert!(text.contains(part), "`{part}` is not in:\n{text}");
    }
}

/// The tests beside this one, as text.
const TESTS: &[&str] = &[
    include_str!("ke_crossing.rs"),
    include_str!("ke_interrupt.rs"),
    include_str!("ke_mmio.rs"),
    include_str!("ke_locks.rs"),
    include_str!("ke_sync.rs"),
    include_str!("ke_schedule.rs"),
];

#[test]
fn every_rule_of_the_kernel_core_is_broken_by_a_test() {
    let rules = [verifier::irql::RULES, verifier::locks::RULES, verifier::mmio::RULES];
    for rule in rules.into_iter().flatten() {
        let quoted = format!("\"{}\"", rule.id);
        assert!(
            TESTS.iter().any(|test| test.contains(&quoted)),
            "no test breaks {}",
            rule.id
        );
    }
}
