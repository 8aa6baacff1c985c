//! One driver in two forms: what is compiled for the host and `hawser.sys` make the same calls, in the same order, with the same arguments and results.
//!
//! The events of a run contain every kernel call, framework call, register access and callback with its IRQL, scalar arguments and status. Both forms are given the same seed, so every
//! choice of the schedule is the same as long as their calls are: the first call that differs is where the forms part.

use crate::common::{MODELS, image, open, pattern, program, result_of, stats, step};
use hawser_abi::op::{ElementType, Opcode};
use hawser_machine::{DriverForm, MemoryModel, SimConfig, SimHandle, SimPc};
use ntsim::trace::{Event, TraceMode};

const SEEDS: u64 = 120;
const LENGTH: usize = 3 * 4096;

/// What a run did.
struct Run {
    events: Vec<Event>,
    hash: u64,
    data: Vec<u8>,
}

/// Two handles, mapped and copied bytes, a program that is refused, a program that is cancelled or not as it comes, sleep, questions, and the end.
fn run(driver: DriverForm, memory: MemoryModel, seed: u64) -> Run {
    let config = SimConfig {
        driver,
        memory,
        seed: Some(seed),
        trace: TraceMode::Full,
        ..SimConfig::default()
    };
    let pc = SimPc::start(&config).expect("the PC starts");
    let data = requests(&pc, seed);
    pc.clone().shutdown().expect("nothing is outstanding at the end");
    let machine = pc.machine();
    Run {
        events: machine.trace_since(0),
        hash: machine.trace_hash(),
        data,
    }
}

fn requests(pc: &SimPc, seed: u64) -> Vec<u8> {
    let handles: [SimHandle; 2] = [open(pc), open(pc)];
    let add = step(Opcode::Add, ElementType::I32, 1024, 8192, &[0, 4096]);
    let double = step(Opcode::Add, ElementType::I32, 1024, 0, &[0, 0]);
    let outside = step(Opcode::Add, ElementType::I32, 1024, 8192, &[0, 12_000]);
    let programs = [&[add][..], &[double], &[add, double], &[outside]];
    let mut sent = Vec::new();
    for (index, steps) in programs.iter().enumerate() {
        let buffer = pc.allocate(LENGTH, index * 64).expect("a buffer");
        buffer.write(0, &pattern(LENGTH, seed));
        let io = handles[index % 2]
            .submit(
                hawser_abi::ioctl::IOCTL_HAWSER_SUBMIT,
                &program(LENGTH as u64, index as u64, steps),
                Some(&buffer),
            )
            .expect("the request is sent");
        sent.push((io, buffer));
    }
    if seed.is_multiple_of(3) {
        sent[2].0.cancel().expect("the machine goes on");
    }
    let mut data = Vec::new();
    for (io, buffer) in sent {
        let outcome = io.wait().expect("the machine goes on");
        data.extend_from_slice(&outcome.status.to_le_bytes());
        let mut bytes = vec![0; LENGTH];
        buffer.read(0, &mut bytes);
        data.extend_from_slice(&bytes);
    }
    if seed.is_multiple_of(2) {
        pc.device().sleep().expect("the device sleeps");
        pc.device().resume().expect("the device wakes");
    }
    for cookie in 0..5 {
        let record = result_of(&handles[cookie as usize % 2], cookie);
        data.extend_from_slice(&record.map_or(u32::MAX, |record| record.reason).to_le_bytes());
    }
    data.extend_from_slice(&stats(&handles[1]).submitted.to_le_bytes());
    handles.into_iter().for_each(SimHandle::close);
    data
}

fn compare(memory: MemoryModel, seed: u64, host: &Run, image: &Run) {
    let same = host
        .events
        .iter()
        .zip(&image.events)
        .position(|(one, other)| one != other);
    let first = same.unwrap_or_else(|| host.events.len().min(image.events.len()));
    let around = |run: &Run| -> String {
        let from = first.saturating_sub(5);
        let shown = run
            .events
            .iter()
            .skip(from)
            .take(8)
            .map(|event| format!("\n    {event}"));
        shown.collect()
    };
    assert!(
        host.events.len() == image.events.len() && same.is_none(),
        "{memory:?}, seed {seed}: the forms part at event {first}\n  compiled for the host:{}\n  hawser.sys:{}",
        around(host),
        around(image)
    );
    assert_eq!(
        host.hash, image.hash,
        "{memory:?}, seed {seed}: same events, other choices"
    );
    assert!(host.data == image.data, "{memory:?}, seed {seed}: other results");
}

#[test]
fn both_forms_make_the_same_calls() {
    let Some(image) = image() else {
        println!("SKIPPED: no image of the driver was given, so its two forms were not compared");
        return;
    };
    let mut events = 0;
    for seed in 0..SEEDS {
        let memory = MODELS[seed as usize % MODELS.len()];
        let host = run(DriverForm::Host, memory, seed);
        let other = run(DriverForm::Image(image.clone()), memory, seed);
        compare(memory, seed, &host, &other);
        events += host.events.len();
    }
    println!("{SEEDS} seeds, {events} events, no difference");
}

/// The comparison can fail: two runs of one form with different seeds differ, and the difference is found.
#[test]
#[should_panic(expected = "the forms part at event")]
fn a_difference_is_found() {
    let one = run(DriverForm::Host, MemoryModel::Iommu, 1);
    let other = run(DriverForm::Host, MemoryModel::Iommu, 2);
    compare(MemoryModel::Iommu, 1, &one, &other);
}
