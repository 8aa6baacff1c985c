//! Random programs on random buffers, through the driver, in every memory model: the result is the reference interpreter's, bit for bit, and no byte that the program does not write changes.

use crate::common::{MODELS, open, pattern, result_of, stop, submit};
use arbitrary::Unstructured;
use hawser_abi::reason::Reason;
use hawser_abi::result::ResultRecord;
use hawser_core_model::Touched;
use hawser_device::reference::{self, ReferenceFault};
use hawser_machine::{MemoryModel, Registers, SimConfig, SimHandle, SimPc};
use hawser_programs::RandomProgram;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{TestCaseResult, TestRunner};

/// A program, the buffer that it runs on, and where that lies.
#[derive(Clone, Debug)]
struct Case {
    program: RandomProgram,
    before: Vec<u8>,
    page_offset: usize,
}

fn cases() -> impl Strategy<Value = Case> {
    // Of the small buffers nothing is worth a mapping, of the large ones most.
    let words = prop_oneof![1 => 4_u64..80, 2 => 80_u64..1000, 3 => 1000_u64..4000];
    let page_offset = prop_oneof![
        0_usize..4096,
        (0_usize..64).prop_map(|line| line * 64),
        4000_usize..4096
    ];
    let bytes = prop::collection::vec(any::<u8>(), 40..500);
    (words, bytes, page_offset, any::<u64>()).prop_map(|(words, bytes, page_offset, salt)| Case {
        program: RandomProgram::draw(&mut Unstructured::new(&bytes), words * 8).expect("nothing fails"),
        before: data(words as usize * 8, salt),
        page_offset,
    })
}

/// Random bytes, and often small numbers, so that sums and quotients mean something.
fn data(length: usize, salt: u64) -> Vec<u8> {
    let mut bytes = pattern(length, salt);
    if salt.is_multiple_of(2) {
        bytes.chunks_mut(2).for_each(|pair| pair[1] &= 0x83);
    }
    bytes
}

/// What the reference interpreter makes of the buffer.
fn expected(case: &Case) -> (Result<(), ReferenceFault>, Vec<u8>) {
    let mut after = case.before.clone();
    let ended = reference::run(&case.program.bytes(1), &mut after);
    (ended, after)
}

/// Runs the program and gives its record, its status and the buffer afterwards.
fn run(pc: &SimPc, handle: &SimHandle, case: &Case) -> (u32, ResultRecord, Vec<u8>) {
    let buffer = pc.allocate(case.before.len(), case.page_offset).expect("user memory");
    buffer.write(0, &case.before);
    let outcome = submit(handle, &case.program.bytes(1), Some(&buffer));
    let mut after = vec![0; case.before.len()];
    buffer.read(0, &mut after);
    let record = result_of(handle, 1).expect("a record");
    (outcome.status, record, after)
}

/// The first byte that the program does not write and that has changed.
fn changed(touched: &Touched, before: &[u8], after: &[u8]) -> Option<usize> {
    (0..before.len()).find(|at| before[*at] != after[*at] && !touched.writes.contains(*at as u64))
}

/// One request, compared with the reference.
fn is_right(pc: &SimPc, handle: &SimHandle, case: &Case, memory: MemoryModel) -> TestCaseResult {
    let (ended, want) = expected(case);
    let (status, record, after) = run(pc, handle, case);
    prop_assert_eq!(
        changed(&case.program.touched(), &case.before, &after),
        None,
        "{:?}",
        memory
    );
    match ended {
        Ok(()) => {
            prop_assert_eq!(status, 0, "{:?}: {:?}", memory, record);
            let differs = (0..want.len()).find(|at| want[*at] != after[*at]);
            prop_assert_eq!(differs, None, "{:?}: the first wrong byte", memory);
        }
        Err(ReferenceFault::DivideByZero { step, .. }) => {
            prop_assert_eq!((record.reason, record.step), (Reason::DivideByZero as u32, step as u32));
            let stale = (0..after.len()).find(|at| after[*at] != 0 && after[*at] != case.before[*at]);
            prop_assert_eq!(stale, None, "{:?}: the first byte of somebody else's", memory);
        }
        Err(fault) => prop_assert!(false, "the reference refuses the program: {fault}"),
    }
    Ok(())
}

/// Runs the case on a PC of its own in each memory model; nothing is outstanding when it is shut down.
fn agrees_everywhere(case: &Case, registers: Registers) -> TestCaseResult {
    for memory in MODELS {
        let pc = SimPc::start(&small(memory, registers)).expect("the PC starts");
        let handle = open(&pc);
        is_right(&pc, &handle, case, memory)?;
        handle.close();
        stop(pc);
    }
    Ok(())
}

/// A PC with little to set up.
fn small(memory: MemoryModel, map_registers: Registers) -> SimConfig {
    let parameters = [("ArenaKiB", 64), ("MaxSteps", 64), ("MaxDataKiB", 64)];
    SimConfig {
        memory,
        map_registers,
        parameters: parameters.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        ..crate::common::config()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn every_memory_model_gives_the_reference_s_result(case in cases()) {
        agrees_everywhere(&case, Registers::Enough)?;
    }

    #[test]
    fn so_it_does_with_few_map_registers(case in cases(), registers in 3_u32..8) {
        agrees_everywhere(&case, Registers::Limited(registers))?;
    }
}

/// Whatever reaches the device as a copy is the same in every memory model, so that cases without mappings would show little.
#[test]
fn many_cases_have_mappings_in_each_direction_and_some_of_them_fault() {
    const CASES: usize = 200;
    let pc = SimPc::start(&small(MemoryModel::Iommu, Registers::Enough)).expect("the PC starts");
    let handle = open(&pc);
    let mut runner = TestRunner::deterministic();
    let (mut to_device, mut from_device, mut cleared) = (0, 0, 0);
    for _ in 0..CASES {
        let case = cases().new_tree(&mut runner).expect("nothing is filtered").current();
        let (status, record, _) = run(&pc, &handle, &case);
        to_device += usize::from(record.mappings & 0xFFFF != 0);
        from_device += usize::from(record.mappings >> 16 != 0);
        cleared += usize::from(record.mappings >> 16 != 0 && status != 0);
    }
    println!("of {CASES}: to device {to_device}, from device {from_device}, the latter with a fault {cleared}");
    assert!(to_device >= CASES / 4 && from_device >= CASES / 5 && cleared >= CASES / 100);
    handle.close();
    stop(pc);
}
