//! Damages copies of the driver's image, one thing at a time: each check notices what it is there for, and no other check does.
//!
//! Where no toolchain can build the image there is nothing to damage, and a test that is skipped says so.

mod damages;
mod sample;

use std::process::ExitCode;
use std::sync::Arc;

use kernel_image::{Check, Machine};
use libtest_mimic::{Arguments, Failed, Trial};

use damages::Damage;
use sample::Sample;

type Test = Box<dyn FnOnce(&Sample) -> Result<(), Failed> + Send>;

/// Copies with bytes changed at random.
const RANDOM_COPIES: u64 = 300;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    if arguments.list {
        return libtest_mimic::run(&arguments, vec![every_check_is_tried()]).exit_code();
    }
    let mut trials = vec![every_check_is_tried()];
    for machine in [Machine::X64, Machine::Arm64] {
        match Sample::build(machine) {
            Some(sample) => trials.extend(trials_for(&Arc::new(sample))),
            None => trials.push(skipped(machine)),
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn skipped(machine: Machine) -> Trial {
    eprintln!("SKIPPED: no toolchain can build the image for {machine}, so it cannot be damaged either");
    Trial::test(format!("{machine}: damage to the image is noticed"), || Ok(())).with_ignored_flag(true)
}

fn trials_for(sample: &Arc<Sample>) -> Vec<Trial> {
    let machine = sample.machine;
    let applies = |damage: &&Damage| damage.machine.is_none_or(|only| only == machine);
    let trial = |name: &str, test: Test| {
        let sample = Arc::clone(sample);
        Trial::test(format!("{machine}: {name}"), move || test(&sample))
    };
    let mut trials = vec![
        trial("the image is as it has to be", Box::new(undamaged)),
        trial("bytes changed at random are noticed", Box::new(random_bytes)),
        trial("images that are cut off are refused or noticed", Box::new(cut_off)),
    ];
    for damage in damages::all().filter(applies) {
        trials.push(trial(
            damage.name,
            Box::new(|sample| noticed(sample, damage, Copying::CorrectChecksum)),
        ));
    }
    for damage in damages::CHECKSUMS {
        trials.push(trial(
            damage.name,
            Box::new(|sample| noticed(sample, damage, Copying::AsItIs)),
        ));
    }
    trials
}

/// What happens to the checksum of a damaged copy.
#[derive(Clone, Copy)]
enum Copying {
    CorrectChecksum,
    AsItIs,
}

fn noticed(sample: &Sample, damage: &Damage, copying: Copying) -> Result<(), Failed> {
    let mut copy = sample.copy();
    (damage.apply)(&mut copy);
    if let Copying::CorrectChecksum = copying {
        copy.correct_checksum();
    }
    let report = sample.check(&copy)?;
    let failures: Vec<_> = report.failures().collect();
    let found: Vec<_> = failures.iter().map(|(check, _)| *check).collect();
    if found != damage.noticed_by {
        return Err(format!("expected {:?}, found {failures:?}", damage.noticed_by).into());
    }
    Ok(())
}

fn undamaged(sample: &Sample) -> Result<(), Failed> {
    let report = sample.check(&sample.copy())?;
    let failures: Vec<_> = report.failures().collect();
    if failures.is_empty() {
        Ok(())
    } else {
        Err(format!("{failures:?}").into())
    }
}

/// One changed byte changes the sum; with the sum made right again, no change makes a check panic.
fn random_bytes(sample: &Sample) -> Result<(), Failed> {
    for seed in 0..RANDOM_COPIES {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut copy = sample.copy();
        let at = random.usize(..copy.image.len());
        copy.image[at] ^= random.u8(1..);
        let unnoticed = sample
            .check(&copy)
            .is_ok_and(|report| report.failures().next().is_none());
        if unnoticed {
            return Err(format!("seed {seed}: nobody noticed that {at:#x} changed").into());
        }
        let headers = 0x40..copy.facts.headers as usize;
        for _ in 0..4 {
            let at = random.usize(headers.clone());
            copy.image[at] = random.u8(..);
        }
        if kernel_image::checksum_offset(&copy.image).is_some() {
            copy.correct_checksum();
        }
        let _ = sample.check(&copy);
    }
    Ok(())
}

fn cut_off(sample: &Sample) -> Result<(), Failed> {
    let whole = sample.copy().image.len();
    for length in (0..whole).step_by(whole / 97).chain([0, 1, 63, 64, whole - 1]) {
        let mut copy = sample.copy();
        copy.image.truncate(length);
        if sample
            .check(&copy)
            .is_ok_and(|report| report.failures().next().is_none())
        {
            return Err(format!("nobody noticed that only {length} bytes are left").into());
        }
    }
    let mut text = sample.copy();
    text.image = b"#!/bin/sh\nexit 0\n".to_vec();
    match sample.check(&text) {
        Err(reason) if reason.to_string().starts_with("not a 64-bit image") => Ok(()),
        other => Err(format!("a script is taken for an image: {other:?}").into()),
    }
}

/// A check that no damage trips would be decoration.
fn every_check_is_tried() -> Trial {
    Trial::test("every check is tripped by some damage", || {
        let tried = |check: &Check| {
            damages::all()
                .chain(damages::CHECKSUMS)
                .any(|damage| damage.noticed_by.contains(check))
        };
        let untried: Vec<_> = Check::ALL.iter().filter(|check| !tried(check)).collect();
        if untried.is_empty() {
            Ok(())
        } else {
            Err(format!("{untried:?}").into())
        }
    })
}
