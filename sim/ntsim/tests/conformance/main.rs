//! Replays what the real framework was recorded to do, and demands the same of ours, event for event.
//!
//! Each file of `data/kmdf-observed` is one test. A scripted client driver plays the recorded client: its callbacks make the recorded calls and return the recorded
//! values, a harness sends the recorded IRPs and fires the recorded interrupts, and everything that happens is compared with the record as it happens: kind, name,
//! IRQL, arguments, result.
//!
//! Normalisations, all of them:
//! - device IRQLs: the recording kernel gave each message its own (9, 10, 11), ours gives all of them 9; numbers of IRQLs and `dirql=` are compared as 9;
//! - scenarios that begin with a started device are preceded by the beginning of `D_start_remove`; where their DMA configuration differs from that one's, the DMA
//!   events of the beginning are not compared;
//! - `framework unloaded` carries counts of the recording harness (pool blocks, IRPs it kept): only its place is compared;
//! - a recorded fault inside the framework (use of freed or missing memory) is met by any bug check of ours that names an access violation or an invalid handle;
//!   `sim` events (the recording kernel's own refusals) by any bug check or finding that stops the machine;
//! - the IRQL of breaks of the framework's verifier was not recorded;
//! - the framework asks for device power on a thread of its own: where the recording harness said at that moment that it lets time pass, or that the scenario
//!   ends, it says so first; what happens after the recorded end is not compared;
//! - `power` events are remarks of the recording harness on power IRPs whose arrival at the bus is compared anyway: left out;
//! - the object address in parameter 2 of a bug check, as in the record.
#![allow(
    unsafe_code,
    reason = "the client is a driver and the harness is a kernel component: both are raw pointers"
)]
#![allow(missing_docs, reason = "a test program")]

mod calls;
mod client;
mod harness;
mod scenario;
mod script;
mod setup;
mod stage;
mod world;

use libtest_mimic::{Arguments, Failed, Trial};
use scenario::Scenario;
use std::collections::BTreeSet;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let skipped = scenario::not_covered();
    let names = scenario::names();
    let mut trials = vec![
        Trial::test("not-covered-names-exist", {
            let (skipped, names) = (skipped.clone(), names.clone());
            move || every_name_exists(&skipped, &names)
        }),
        Trial::test("not-covered-still-differ", {
            let skipped = skipped.clone();
            move || every_one_differs(&skipped)
        }),
        Trial::test("a-changed-record-is-noticed", || {
            a_changed_record_is_noticed().map_err(Failed::from)
        }),
    ];
    for name in names {
        let ignored = skipped.contains(&name);
        trials.push(Trial::test(name.clone(), move || run(&name).map_err(Failed::from)).with_ignored_flag(ignored));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The list of what is not covered names scenarios.
fn every_name_exists(skipped: &BTreeSet<String>, names: &BTreeSet<String>) -> Result<(), Failed> {
    match skipped.difference(names).next() {
        Some(unknown) => Err(format!("not-covered.md names {unknown}, which is no scenario").into()),
        None => Ok(()),
    }
}

/// What is on the list is not replayed as recorded; what is, has to leave the list.
fn every_one_differs(skipped: &BTreeSet<String>) -> Result<(), Failed> {
    match skipped.iter().find(|name| run(name).is_ok()) {
        Some(name) => Err(format!("not-covered.md names {name}, which is replayed as recorded").into()),
        None => Ok(()),
    }
}

fn run(name: &str) -> Result<(), String> {
    stage::play(Scenario::load(name))
}

/// Whether a deviation is noticed: each kind of event of a record is changed in turn.
fn a_changed_record_is_noticed() -> Result<(), String> {
    let original = Scenario::load("A_completed_inside_program");
    stage::play(original.clone())?;
    for index in 0..original.trace.len() {
        let Some(changed) = original.spoiled(index) else {
            continue;
        };
        if stage::play(changed).is_ok() {
            return Err(format!(
                "event {index} ({:?}) was changed, and nobody noticed",
                original.trace[index]
            ));
        }
    }
    Ok(())
}
