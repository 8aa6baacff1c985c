//! Sleep, rebalance, removal and handles that are closed early: requests end cleanly, and nothing is left.

mod common;

use common::{MODELS, open, pattern, program, start, step, stop, submit};
use hawser_abi::ioctl::IOCTL_HAWSER_SUBMIT;
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::reason::Reason;
use hawser_machine::{Access, MemoryModel, SimBuffer, SimConfig, SimHandle, SimIo, SimPc};

const SIZE: usize = 256 * 1024;

fn halves(cookie: u64) -> Vec<u8> {
    let half = SIZE as u64 / 2;
    program(
        SIZE as u64,
        cookie,
        &[step(Opcode::Copy, ElementType::U64, half / 8, half, &[0])],
    )
}

fn works(pc: &SimPc, handle: &SimHandle) {
    let buffer = pc.allocate(SIZE, 64).expect("user memory");
    let before = pattern(SIZE, 3);
    buffer.write(0, &before);
    assert_eq!(submit(handle, &halves(1), Some(&buffer)).status, 0);
    let mut after = vec![0; SIZE];
    buffer.read(0, &mut after);
    assert!(after[SIZE / 2..] == before[..SIZE / 2], "wrong data");
}

fn burst(pc: &SimPc, handle: &SimHandle) -> Vec<(SimBuffer, SimIo)> {
    (0..12)
        .map(|number| {
            let buffer = pc.allocate(SIZE, 0).expect("user memory");
            let io = handle
                .submit(IOCTL_HAWSER_SUBMIT, &halves(number), Some(&buffer))
                .expect("sent");
            (buffer, io)
        })
        .collect()
}

fn seeded(seed: u64) -> SimPc {
    SimPc::start(&SimConfig {
        seed: Some(seed),
        ..common::config()
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
    for seed in 0..10 {
        let pc = seeded(seed);
        let handle = open(&pc);
        let requests = burst(&pc, &handle);
        handle.close();
        for (_, io) in &requests {
            io.wait().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        }
        drop(requests);
        pc.shutdown().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
}

/// A request that comes while the device is on its way out of D0 may be lost to that, and then says so.
#[test]
fn requests_end_cleanly_when_the_system_sleeps() {
    for seed in 0..10 {
        let pc = seeded(seed);
        let handle = open(&pc);
        let requests = burst(&pc, &handle);
        pc.device()
            .sleep()
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        pc.device()
            .resume()
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        for (_, io) in &requests {
            let outcome = io.wait().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            let ends = [0, Reason::DeviceReset.status()];
            assert!(ends.contains(&outcome.status), "seed {seed}: {:#x}", outcome.status);
        }
        works(&pc, &handle);
        drop(requests);
        handle.close();
        pc.shutdown().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
}

#[test]
fn cancelled_requests_end_once_and_leave_nothing() {
    for seed in 0..10 {
        let pc = seeded(seed);
        let handle = open(&pc);
        let requests = burst(&pc, &handle);
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
    for seed in 0..10 {
        let pc = seeded(seed);
        let handle = open(&pc);
        let requests = burst(&pc, &handle);
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
