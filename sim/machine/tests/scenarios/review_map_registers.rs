//! Few map registers: requests take turns, what does not fit is copied, and nobody waits for registers that he himself holds.

use crate::common::{MODELS, open, pattern, program, result_of, stats, step, stop, submit};
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
        ..crate::common::config()
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
fn a_request_that_is_larger_than_all_registers_is_mapped_as_far_as_they_go_and_copied_beyond() {
    for memory in MODELS {
        let pc = with_registers(memory, 24, None);
        let handle = open(&pc);
        // Each quarter fits by itself, two together never do.
        let send = |cookie, pages: usize| {
            let buffer = pc.allocate(pages * PAGE, 0).expect("user memory");
            let before = pattern(pages * PAGE, cookie);
            buffer.write(0, &before);
            let io = handle.submit(IOCTL_HAWSER_SUBMIT, &quarters(pages * PAGE, cookie), Some(&buffer));
            (io.expect("sent"), buffer, before)
        };
        let large = send(1, 64);
        let small = send(2, 8);
        for (io, buffer, before) in [&large, &small] {
            assert_eq!(io.wait().expect("the machine goes on").status, 0, "{memory:?}");
            let mut after = vec![0; before.len()];
            buffer.read(0, &mut after);
            assert!(is_copied(before, &after), "{memory:?}");
        }
        let record = result_of(&handle, 1).expect("a record");
        // 23 pages each way are mapped: a quarter of 16 pages, and 7 of the other.
        let copied = 9 * PAGE as u64;
        assert_eq!((record.bytes_copied_in, record.bytes_copied_out), (copied, copied));
        assert_eq!(record.bytes_to_device, 23 * PAGE as u64);
        drop((large, small));
        handle.close();
        stop(pc);
    }
}

#[test]
fn a_request_that_finds_no_registers_for_its_second_part_and_no_neighbour_is_refused() {
    let pc = with_registers(MemoryModel::Iommu, 24, None);
    let handle = open(&pc);
    let buffer = pc.allocate(8 * PAGE, 0).expect("user memory");
    // Somebody else takes the registers each time after the first part was mapped.
    pc.machine().fail_dma_list(1, wdk_sys::STATUS_INSUFFICIENT_RESOURCES);
    let outcome = submit(&handle, &quarters(8 * PAGE, 1), Some(&buffer));
    assert_eq!(outcome.status, Reason::MappingFailed.status());
    assert_eq!(
        stats(&handle).ledger[hawser_abi::info::LedgerKind::ScatterGather as usize].live,
        0
    );
    assert_eq!(submit(&handle, &quarters(8 * PAGE, 2), Some(&buffer)).status, 0);
    handle.close();
    stop(pc);
}

/// Many requests of which two fit at a time, one of them only by copies.
fn crowd(pc: &SimPc) {
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
    for (before, buffer, io) in &requests {
        assert_eq!(io.wait().expect("the machine goes on").status, 0);
        let mut after = vec![0; before.len()];
        buffer.read(0, &mut after);
        assert!(is_copied(before, &after), "wrong data");
    }
    assert_eq!(stats(&handles[0]).in_flight, 0);
    drop(requests);
    handles.into_iter().for_each(SimHandle::close);
}

#[test]
fn requests_take_turns_with_few_registers() {
    for memory in MODELS {
        for seed in std::iter::once(None).chain((1..=8).map(Some)) {
            let pc = with_registers(memory, 20, seed);
            println!("{memory:?}, seed {seed:?}");
            crowd(&pc);
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
