//! The scheduler: determinism, progress, hangs, budgets, panics and stacks.
#![allow(unsafe_code, reason = "kernel functions are unsafe")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    clippy::multiple_unsafe_ops_per_block,
    reason = "driver code that breaks the contracts on purpose; the contracts are what is tested"
)]

use ntsim::{
    Machine,
    sched::{self, Schedule},
    trace::TraceMode,
    verifier::CrashKind,
};
use std::{cell::RefCell, rc::Rc};
use wdk_sys::{ntddk::*, *};

/// What some threads did, in order, and the machine's hash.
fn story(schedule: Schedule, seed: u64) -> (Vec<usize>, u64, Vec<usize>) {
    let m = Machine::builder()
        .processors(3)
        .schedule(schedule)
        .seed(seed)
        .record_trace(TraceMode::Full)
        .build();
    let log = Rc::new(RefCell::new(Vec::new()));
    for index in 0..4 {
        let log = Rc::clone(&log);
        sched::spawn("thread", move || {
            for _ in 0..20 {
                log.borrow_mut().push(index);
                sched::stall(50);
            }
        });
    }
    m.settle().unwrap();
    let picks = m.choices().iter().map(|choice| choice.pick).collect();
    (log.take(), m.trace_hash(), picks)
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let mut hashes = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let first = story(Schedule::Random, seed);
        assert_eq!(first, story(Schedule::Random, seed), "seed {seed}");
        hashes.insert(first.1);
    }
    assert!(
        hashes.len() > 40,
        "seeds hardly matter: {} different runs of 50",
        hashes.len()
    );
}

#[test]
fn a_run_can_be_replayed_from_its_choices() {
    for seed in 0..10 {
        let (log, hash, picks) = story(Schedule::Random, seed);
        assert_eq!(
            story(Schedule::Replay(picks.clone()), 99),
            (log, hash, picks),
            "seed {seed}"
        );
    }
}

#[test]
fn first_come_order_lets_everyone_make_progress() {
    let m = Machine::builder().processors(1).build();
    let done = Rc::new(RefCell::new(false));
    let flag = Rc::clone(&done);
    let seen = Rc::clone(&done);
    sched::spawn("poller", move || {
        while !*seen.borrow() {
            sched::stall(1000);
        }
    });
    sched::spawn("setter", move || *flag.borrow_mut() = true);
    m.settle().unwrap();
    assert!(*done.borrow());
}

#[test]
fn a_hang_is_reported_with_its_contexts() {
    let m = Machine::builder().build();
    let crash = m
        .run_as_driver("driver", || unsafe {
            let event: PRKEVENT = Box::into_raw(Box::new(core::mem::zeroed()));
            KeInitializeEvent(event, _EVENT_TYPE::NotificationEvent, 0);
            KeWaitForSingleObject(event.cast(), 0, 0, 0, core::ptr::null_mut())
        })
        .unwrap_err();
    assert_eq!(crash.kind, CrashKind::Hang);
    assert!(
        crash
            .text
            .contains("waits for a dispatcher object [driver > KeWaitForSingleObject]"),
        "{crash}"
    );
}

#[test]
fn two_processors_that_spin_for_ever_are_a_hang() {
    let m = Machine::builder().processors(2).build();
    let locks = m
        .run("locks", || {
            let lock = || Box::leak(Box::new(0_usize)) as *mut usize as usize;
            (lock(), lock())
        })
        .unwrap();
    let held = Rc::new(RefCell::new(0));
    for (first, second) in [locks, (locks.1, locks.0)] {
        let held = Rc::clone(&held);
        sched::spawn("spinner", move || {
            sched::raise(2);
            ntsim::nt::ke::spin::acquire(first);
            *held.borrow_mut() += 1;
            while *held.borrow() < 2 {
                sched::point("meet");
            }
            ntsim::nt::ke::spin::acquire(second);
        });
    }
    let crash = m.run_until(|| false).unwrap_err();
    // The opposite orders are seen before the processors stand still.
    assert_eq!(crash.rule.unwrap().id, "spin-lock-order");
}

#[test]
fn an_endless_loop_ends_with_the_budget() {
    let m = Machine::builder().budget(10_000).build();
    let crash = m
        .run("loop", || {
            loop {
                sched::point("loop");
            }
        })
        .map(|(): ()| ())
        .unwrap_err();
    assert_eq!(crash.kind, CrashKind::Budget);
}

extern "win64" fn panics() {
    let empty: Vec<u32> = Vec::new();
    let index = std::hint::black_box(3);
    assert!(empty[index] > 0);
}

#[test]
fn a_panic_in_a_driver_is_a_report() {
    for _ in 0..3 {
        let m = Machine::builder().build();
        let crash = m.run_as_driver("driver", || panics()).unwrap_err();
        assert_eq!(crash.kind, CrashKind::Panic);
        assert!(
            crash.text.contains("index out of bounds") && crash.text.contains("ke_schedule.rs"),
            "{crash}"
        );
        assert!(!std::thread::panicking());
    }
    let caught = std::panic::catch_unwind(|| panic!("a test may still fail"));
    assert!(caught.is_err());
}

#[test]
fn calls_outside_the_machine_panic() {
    let m = Machine::builder().build();
    let caught = std::panic::catch_unwind(sched::current_irql);
    assert!(caught.is_err());
    drop(m);
    assert!(std::panic::catch_unwind(|| ntsim::machine::with(|_| ())).is_err());
}

#[test]
fn machines_follow_each_other_on_a_thread() {
    for _ in 0..100 {
        let m = Machine::builder().build();
        sched::spawn("waits for ever", || {
            let _kept = ntsim::machine::current();
            sched::block("nothing", || false, None);
        });
        m.settle().unwrap();
    }
}
