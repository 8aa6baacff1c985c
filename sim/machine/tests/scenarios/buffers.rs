//! Buffers of all sizes at all page offsets in all memory models, first and second request alike.

use crate::common::{MODELS, open, pattern, program, result_of, start, step, stop, submit};
use hawser_abi::op::{ElementType, Opcode};
use hawser_abi::program::Step;
use hawser_machine::{MemoryModel, Registers, SimConfig, SimHandle, SimPc};

const OFFSETS: [usize; 5] = [0, 1, 63, 64, 4095];

/// A program that touches the whole buffer: the upper half becomes a copy of the lower half, then the first byte of an odd buffer is
/// written over in place. Reads, writes and read-writes, with edges that are aligned to nothing.
fn touch_all(size: u64, cookie: u64) -> Vec<u8> {
    let half = size / 2;
    let mut steps: Vec<Step> = Vec::new();
    if half > 0 {
        steps.push(step(Opcode::Copy, ElementType::U8, half, size - half, &[0]));
    }
    steps.push(step(Opcode::Copy, ElementType::U8, 1, half, &[half]));
    program(size, cookie, &steps)
}

fn expected(before: &[u8]) -> Vec<u8> {
    let half = before.len() / 2;
    let mut after = before.to_vec();
    after[before.len() - half..].copy_from_slice(&before[..half]);
    after
}

fn runs_twice(pc: &SimPc, handle: &SimHandle, size: usize, offset: usize) {
    let buffer = pc.allocate(size, offset).expect("user memory");
    for request in 1..=2_u64 {
        let before = pattern(size, request + size as u64);
        buffer.write(0, &before);
        let cookie = request + 10 * offset as u64;
        let outcome = submit(handle, &touch_all(size as u64, cookie), Some(&buffer));
        assert_eq!(
            outcome.status,
            0,
            "{size} bytes at {offset}, request {request}: {:?}",
            result_of(handle, cookie)
        );
        assert_eq!(outcome.information, size);
        let mut after = vec![0; size];
        buffer.read(0, &mut after);
        let want = expected(&before);
        let differs = after.iter().zip(&want).position(|(got, want)| got != want);
        assert_eq!(
            differs, None,
            "{size} bytes at {offset}, request {request}: first wrong byte"
        );
    }
}

fn all_offsets(size: usize) {
    for memory in MODELS {
        let pc = start(memory);
        let handle = open(&pc);
        for offset in OFFSETS {
            runs_twice(&pc, &handle, size, offset);
        }
        handle.close();
        stop(pc);
    }
}

#[test]
fn one_byte() {
    all_offsets(1);
}

#[test]
fn two_cache_lines() {
    all_offsets(128);
}

#[test]
fn a_page_less_one_byte() {
    all_offsets(4095);
}

#[test]
fn a_page() {
    all_offsets(4096);
}

#[test]
fn a_page_and_one_byte() {
    all_offsets(4097);
}

#[test]
fn a_mebibyte() {
    all_offsets(1 << 20);
}

const LARGEST: usize = 256 << 20;

fn largest(memory: MemoryModel, map_registers: Registers) {
    let config = SimConfig {
        memory,
        map_registers,
        ..crate::common::config()
    };
    let pc = SimPc::start(&config).expect("the PC starts");
    let handle = open(&pc);
    for offset in OFFSETS {
        runs_twice(&pc, &handle, LARGEST, offset);
    }
    handle.close();
    stop(pc);
}

#[test]
fn a_quarter_gibibyte_flat() {
    largest(MemoryModel::Flat, Registers::Enough);
}

#[test]
fn a_quarter_gibibyte_scrambled() {
    largest(MemoryModel::Scrambled, Registers::Enough);
}

#[test]
fn a_quarter_gibibyte_iommu() {
    largest(MemoryModel::Iommu, Registers::Enough);
}

#[test]
fn a_quarter_gibibyte_bounce() {
    // A page for each, and one more for what begins inside a page: the arena has no room for what few registers would leave over.
    let registers = LARGEST / 4096 + 2;
    largest(MemoryModel::Bounce, Registers::Limited(registers as u32));
}
