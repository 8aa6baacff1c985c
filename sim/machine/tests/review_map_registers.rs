//! Few map registers: requests take turns or are refused, and nobody waits for registers that he himself holds.

mod common;

use common::{MODELS, open, pattern, program, result_of, stats, step, stop, submit};
use hawser_abi::ioctl::IOCTL_HAWSER_SUBMIT;
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::reason::Reason;
use hawser_machine::{MemoryModel, Registers, SimConfig, SimHandle, SimPc};

const PAGE: usize = 4096;

fn with_registers(memory: MemoryModel, registers: u32, seed: Option<u64>) -> SimPc {
    SimPc::start(&SimConfig {
        memory,
        seed,
        map_registers: Registers::Limited(registers),
        ..common::config()
    })
    .expect("the PC starts")
}

/// Copies the first quarter over the second, and the third over the fourth: two mappings in each direction. Each direction has an adapter, with registers of its own.
fn quarters(size: usize, cookie: u64) -> Vec<u8> {
    let quarter = size as u64 / 4;
    let copy = |from| step(Opcode::Copy, ElementType::U32, quarter / 4, from + quarter, &[from]);
    program(size as u64, cookie, &[copy(0), copy(2 * quarter)])
}

fn is_copied(before: &[u8], after: &[u8]) -> bool {
    let quarter = before.len() / 4;
    let first = &before[..quarter];
    let third = &before[2 * quarter..3 * quarter];
    after == [first, first, third, third].concat()
}

#[test]
fn a_request_that_would_wait_for_itself_is_refused_and_its_neighbours_are_served() {
    for memory in MODELS {
        let pc = with_registers(memory, 24, None);
        let handle = open(&pc);
        // Each quarter fits by itself, two together never do.
        let large = pc.allocate(64 * PAGE, 0).expect("user memory");
        let small = pc.allocate(8 * PAGE, 0).expect("user memory");
        let before = pattern(8 * PAGE, 1);
        small.write(0, &before);
        let send = |cookie, size, buffer| {
            let io = handle.submit(IOCTL_HAWSER_SUBMIT, &quarters(size, cookie), Some(buffer));
            io.expect("sent")
        };
        let first = send(1, 64 * PAGE, &large);
        let second = send(2, 8 * PAGE, &small);
        assert_eq!(
            first.wait().expect("the machine goes on").status,
            Reason::MappingFailed.status()
        );
        assert_eq!(second.wait().expect("the machine goes on").status, 0);
        let record = result_of(&handle, 1).expect("a record");
        assert_eq!(record.reason, Reason::MappingFailed as u32);
        let mut after = vec![0; 8 * PAGE];
        small.read(0, &mut after);
        assert!(is_copied(&before, &after));
        drop((first, second));
        handle.close();
        stop(pc);
    }
}

/// Many requests of which two fit at a time, one of them never; says how many were refused.
fn crowd(pc: &SimPc) -> usize {
    const SIZE: usize = 16 * PAGE;
    let handles: Vec<_> = (0..3).map(|_| open(pc)).collect();
    let requests: Vec<_> = (0..18_u64)
        .map(|number| {
            let size = if number == 7 { 4 * SIZE } else { SIZE };
            let before = pattern(size, number);
            let buffer = pc.allocate(size, 0).expect("user memory");
            buffer.write(0, &before);
            let handle = &handles[number as usize % 3];
            let io = handle.submit(IOCTL_HAWSER_SUBMIT, &quarters(size, number), Some(&buffer));
            (before, buffer, io.expect("sent"))
        })
        .collect();
    let mut refused = 0;
    for (number, (before, buffer, io)) in requests.iter().enumerate() {
        let status = io.wait().expect("the machine goes on").status;
        if status == Reason::MappingFailed.status() {
            assert_eq!(number, 7, "every other request fits");
            refused += 1;
            continue;
        }
        assert_eq!(status, 0);
        let mut after = vec![0; before.len()];
        buffer.read(0, &mut after);
        assert!(is_copied(before, &after), "wrong data");
    }
    assert_eq!(stats(&handles[0]).in_flight, 0);
    drop(requests);
    handles.into_iter().for_each(SimHandle::close);
    refused
}

#[test]
fn requests_take_turns_with_few_registers() {
    for memory in MODELS {
        for seed in std::iter::once(None).chain((1..=8).map(Some)) {
            let pc = with_registers(memory, 20, seed);
            assert_eq!(crowd(&pc), 1, "{memory:?}, seed {seed:?}");
            stop(pc);
        }
    }
}

#[test]
fn a_first_part_waits_until_the_system_has_registers_and_holds_nothing_meanwhile() {
    let pc = with_registers(MemoryModel::Iommu, 24, None);
    let handle = open(&pc);
    let buffer = pc.allocate(8 * PAGE, 0).expect("user memory");
    pc.machine().withhold_map_registers();
    let io = handle
        .submit(IOCTL_HAWSER_SUBMIT, &quarters(8 * PAGE, 1), Some(&buffer))
        .expect("sent");
    for _ in 0..50 {
        pc.run_for_progress().expect("the machine goes on");
    }
    let now = stats(&handle);
    let lists = now.ledger[hawser_abi::info::LedgerKind::ScatterGather as usize];
    assert_eq!((now.in_flight, lists.live), (0, 0));
    let same = pc.clone();
    pc.machine()
        .run("free registers", move || same.machine().free_map_registers())
        .expect("the machine goes on");
    assert_eq!(io.wait().expect("the machine goes on").status, 0);
    assert_eq!(submit(&handle, &quarters(8 * PAGE, 2), Some(&buffer)).status, 0);
    drop(io);
    handle.close();
    stop(pc);
}
