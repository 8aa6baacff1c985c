//! Any order in which the machine may run things gives the right answer, and the same seed gives the same run.

use std::collections::BTreeSet;

use crate::common::{MODELS, Sent, open, pattern, program, send, step};
use hawser_abi::op::{ElementType, Opcode};
use hawser_machine::{MemoryModel, SimConfig, SimHandle, SimPc};

const SEEDS: u64 = 50;
const SIZE: usize = 24 * 1024;

/// What identifies a run: the hash of its trace, and that of the memory that driver, device and users share at its end.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Hashes {
    trace: u64,
    memory: u64,
}

/// Runs six requests of two handles at once.
fn run(memory: MemoryModel, seed: u64) -> Hashes {
    let pc = SimPc::start(&SimConfig {
        memory,
        seed: Some(seed),
        parameters: vec![("ArenaKiB".to_owned(), 4096)],
        ..crate::common::config()
    })
    .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let handles = [open(&pc), open(&pc)];
    let third = SIZE as u64 / 3;
    let steps = [
        step(Opcode::Copy, ElementType::U32, third / 4, third, &[0]),
        step(Opcode::Add, ElementType::U32, third / 4, 2 * third, &[2 * third, 0]),
    ];
    let requests: Vec<_> = (0..6)
        .map(|number| {
            let buffer = pc.allocate(SIZE, 1024 * number as usize % 4096).expect("user memory");
            let handle = &handles[number as usize % 2];
            let program = program(SIZE as u64, number, &steps);
            send(handle, &program, buffer, pattern(SIZE, seed * 100 + number))
        })
        .collect();
    for Sent { before, io, buffer } in &requests {
        let outcome = io.wait().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!(outcome.status, 0, "seed {seed}");
        let mut after = vec![0; SIZE];
        buffer.read(0, &mut after);
        assert!(after == expected(before), "seed {seed}: wrong data");
    }
    let memory = pc.machine().memory_hash();
    drop(requests);
    handles.into_iter().for_each(SimHandle::close);
    let report = pc.shutdown().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    Hashes {
        trace: report.trace_hash(),
        memory,
    }
}

fn expected(before: &[u8]) -> Vec<u8> {
    let third = SIZE / 3;
    let mut after = before.to_vec();
    after.copy_within(0..third, third);
    for at in (0..third).step_by(4) {
        let word = |from: usize| u32::from_le_bytes(before[from..from + 4].try_into().expect("four bytes"));
        let sum = word(2 * third + at).wrapping_add(word(at));
        after[2 * third + at..][..4].copy_from_slice(&sum.to_le_bytes());
    }
    after
}

#[test]
fn fifty_seeds_in_every_memory_model() {
    for memory in MODELS {
        for seed in 0..SEEDS {
            run(memory, seed);
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for memory in MODELS {
        for seed in 0..5 {
            assert_eq!(run(memory, seed), run(memory, seed), "seed {seed}");
        }
    }
}

#[test]
fn different_seeds_give_different_runs() {
    let runs: Vec<Hashes> = (0..5).map(|seed| run(MemoryModel::Iommu, seed)).collect();
    let traces: BTreeSet<u64> = runs.iter().map(|run| run.trace).collect();
    let memories: BTreeSet<u64> = runs.iter().map(|run| run.memory).collect();
    assert!(traces.len() > 1, "the seed changes nothing");
    assert_eq!(memories.len(), runs.len(), "each run has data of its own");
}
