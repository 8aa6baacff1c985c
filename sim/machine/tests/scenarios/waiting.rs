//! Requests that find no arena space wait their turn, in order, holding nothing; what can never fit is refused.

use crate::common::{MODELS, open, pattern, program, result_of, stats, step, stop, submit};
use hawser_abi::ioctl::IOCTL_HAWSER_SUBMIT;
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::reason::Reason;
use hawser_machine::{MemoryModel, SimConfig, SimHandle, SimPc};

const ARENA_KIB: u32 = 256;
const SIZE: usize = 96 * 1024;

fn small_arena(memory: MemoryModel, seed: Option<u64>) -> SimPc {
    let parameters = vec![("ArenaKiB".to_owned(), ARENA_KIB)];
    SimPc::start(&SimConfig {
        memory,
        seed,
        parameters,
        ..crate::common::config()
    })
    .expect("the PC starts")
}

/// Adds the buffer to itself in place: all of it goes through the arena.
fn double(size: usize, cookie: u64) -> Vec<u8> {
    program(
        size as u64,
        cookie,
        &[step(Opcode::Add, ElementType::U32, size as u64 / 4, 0, &[0, 0])],
    )
}

fn doubled(before: &[u8]) -> Vec<u8> {
    let words = before
        .chunks_exact(4)
        .map(|word| u32::from_le_bytes(word.try_into().expect("four bytes")));
    words.flat_map(|word| word.wrapping_mul(2).to_le_bytes()).collect()
}

/// More requests than the arena has room for at once; says how many were waiting at the peak.
fn crowd(pc: &SimPc) -> u64 {
    let handles: Vec<_> = (0..4).map(|_| open(pc)).collect();
    let requests: Vec<_> = (0..24)
        .map(|number| {
            let before = pattern(SIZE, number);
            let buffer = pc.allocate(SIZE, 64).expect("user memory");
            buffer.write(0, &before);
            let handle = &handles[number as usize % 4];
            (
                before,
                handle
                    .submit(IOCTL_HAWSER_SUBMIT, &double(SIZE, number), Some(&buffer))
                    .expect("sent"),
                buffer,
            )
        })
        .collect();
    let mut most_waiting = 0;
    for (before, io, buffer) in &requests {
        most_waiting = most_waiting.max(stats(&handles[0]).waiting);
        assert_eq!(io.wait().expect("the machine goes on").status, 0);
        let mut after = vec![0; SIZE];
        buffer.read(0, &mut after);
        assert!(after == doubled(before), "wrong data");
    }
    let now = stats(&handles[0]);
    assert_eq!((now.waiting, now.in_flight, now.arena_used), (0, 0, 0));
    assert!(now.arena_peak <= u64::from(ARENA_KIB) * 1024);
    drop(requests);
    handles.into_iter().for_each(SimHandle::close);
    most_waiting
}

#[test]
fn more_requests_than_the_arena_holds_all_get_their_turn() {
    for memory in MODELS {
        let pc = small_arena(memory, None);
        assert!(crowd(&pc) > 0, "nothing had to wait: the test tests nothing");
        stop(pc);
    }
}

#[test]
fn they_get_their_turn_in_any_order_of_events() {
    for seed in 0..20 {
        let pc = small_arena(MemoryModel::Iommu, Some(seed));
        crowd(&pc);
        pc.shutdown().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
}

#[test]
fn what_can_never_fit_is_refused_and_others_go_on() {
    let pc = small_arena(MemoryModel::Iommu, None);
    let handle = open(&pc);
    let large = 1 << 20;
    let buffer = pc.allocate(large, 0).expect("user memory");
    let outcome = submit(&handle, &double(large, 1), Some(&buffer));
    assert_eq!(outcome.status, Reason::ArenaTooSmall.status());
    let record = result_of(&handle, 1).expect("a record");
    assert_eq!(record.reason, Reason::ArenaTooSmall as u32);
    assert!(
        record.length > record.limit,
        "it says what was needed and what there is"
    );
    let small = pc.allocate(SIZE, 0).expect("user memory");
    assert_eq!(submit(&handle, &double(SIZE, 2), Some(&small)).status, 0);
    handle.close();
    stop(pc);
}
