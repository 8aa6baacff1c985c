//! Sleep, rebalance, removal and handles that are closed early: requests end cleanly, and nothing is left.

use std::ops::Range;

use crate::common::{MODELS, copy_halves, open, pattern, start, stop, submit};
use hawser_abi::ioctl::IOCTL_HAWSER_SUBMIT;
use hawser_machine::{Access, MemoryModel, SimBuffer, SimConfig, SimHandle, SimIo, SimPc};
use ntsim::nt::io::Failure;

const SIZE: usize = 256 * 1024;
/// Schedules that are tried.
const SEEDS: u64 = 250;

fn works(pc: &SimPc, handle: &SimHandle) {
    let buffer = pc.allocate(SIZE, 64).expect("user memory");
    let before = pattern(SIZE, 3);
    buffer.write(0, &before);
    assert_eq!(submit(handle, &copy_halves(SIZE, 1), Some(&buffer)).status, 0);
    let mut after = vec![0; SIZE];
    buffer.read(0, &mut after);
    assert!(after[SIZE / 2..] == before[..SIZE / 2], "wrong data");
}

fn burst(pc: &SimPc, handle: &SimHandle, cookies: Range<u64>) -> Vec<(SimBuffer, SimIo)> {
    cookies
        .map(|number| {
            let buffer = pc.allocate(SIZE, 0).expect("user memory");
            let io = handle
                .submit(IOCTL_HAWSER_SUBMIT, &copy_halves(SIZE, number), Some(&buffer))
                .expect("sent");
            (buffer, io)
        })
        .collect()
}

/// Limits that leave room for all that is done here and little to set up.
const SMALL: [(&str, u32); 3] = [("ArenaKiB", 2048), ("MaxSteps", 16), ("MaxDataKiB", 1024)];

fn seeded(seed: u64) -> SimPc {
    SimPc::start(&SimConfig {
        seed: Some(seed),
        parameters: SMALL.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        ..crate::common::config()
    })
    .expect("the PC starts")
}

#[test]
fn a_request_after_sleep_is_served() {
    for memory in MODELS {
        let pc = start(memory);
        let handle = open(&pc);
        for _ in 0..3 {
            works(&pc, &handle);
            pc.device().sleep().expect("to D3");
            pc.device().resume().expect("to D0");
        }
        works(&pc, &handle);
        handle.close();
        stop(pc);
    }
}

#[test]
fn a_rebalance_maps_the_registers_anew_and_leaks_none() {
    let pc = start(MemoryModel::Iommu);
    let handle = open(&pc);
    for _ in 0..3 {
        works(&pc, &handle);
        pc.device().stop().expect("stopped");
        pc.device().restart().expect("restarted");
    }
    works(&pc, &handle);
    handle.close();
    stop(pc);
}

#[test]
fn a_handle_closed_early_leaves_nothing() {
    for seed in 0..SEEDS / 5 {
        let pc = seeded(seed);
        let handle = open(&pc);
        let requests = burst(&pc, &handle, 0..12);
        handle.close();
        for (_, io) in &requests {
            io.wait().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        }
        drop(requests);
        pc.shutdown().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
}

/// Programs on the device are waited for before it leaves D0; what waits, or comes later, is served when it is back.
fn sleeps_under(seed: u64, before: u64, asleep: u64) {
    let pc = seeded(seed);
    let handle = open(&pc);
    let expect = |result: Result<(), Failure>| result.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let mut requests = burst(&pc, &handle, 0..before);
    expect(pc.device().sleep());
    requests.extend(burst(&pc, &handle, before..before + asleep));
    expect(pc.device().resume());
    for (_, io) in &requests {
        let outcome = io.wait().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!(outcome.status, 0, "seed {seed}: {:#x}", outcome.status);
    }
    works(&pc, &handle);
    drop(requests);
    handle.close();
    pc.shutdown().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
}

#[test]
fn requests_end_cleanly_when_the_system_sleeps() {
    (0..SEEDS).for_each(|seed| sleeps_under(seed, 12, 4));
}

#[test]
fn requests_beyond_the_slots_wait_through_sleep() {
    (0..SEEDS / 5).for_each(|seed| sleeps_under(seed, 44, 4));
}

#[test]
fn cancelled_requests_end_once_and_leave_nothing() {
    for seed in 0..SEEDS / 5 {
        let pc = seeded(seed);
        let handle = open(&pc);
        let requests = burst(&pc, &handle, 0..12);
        requests.iter().for_each(|(_, io)| io.cancel().expect("asked"));
        for (_, io) in &requests {
            io.wait().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        }
        works(&pc, &handle);
        drop(requests);
        handle.close();
        pc.shutdown().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
}

#[test]
fn a_device_pulled_out_ends_its_requests() {
    for seed in 0..SEEDS / 5 {
        let pc = seeded(seed);
        let handle = open(&pc);
        let requests = burst(&pc, &handle, 0..12);
        pc.device()
            .surprise_remove()
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        for (_, io) in &requests {
            io.wait().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        }
        assert!(pc.open(Access::Read).is_err(), "a device that is gone cannot be opened");
        drop(requests);
        handle.close();
        pc.shutdown().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
}
