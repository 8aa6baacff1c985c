//! A program decides how many runs of bytes are copied for it, and not how often its buffer is mapped for that.

use crate::common::{MODELS, fill, open, program, start, stats, stop, submit};
use hawser_abi::info::LedgerKind;
use hawser_abi::op::ElementType;

const RUNS: u64 = 2048;

#[test]
fn neighbouring_runs_share_a_mapping() {
    for memory in MODELS {
        let pc = start(memory);
        let handle = open(&pc);
        let size = 2 * RUNS;
        let buffer = pc.allocate(size as usize, 0).expect("user memory");
        buffer.write(0, &vec![0x11; size as usize]);
        let steps: Vec<_> = (0..RUNS).map(|run| fill(ElementType::U8, 1, 2 * run, 0xAB)).collect();
        let made = || stats(&handle).ledger[LedgerKind::MappedMdl as usize].made;
        let before = made();
        assert_eq!(submit(&handle, &program(size, 1, &steps), Some(&buffer)).status, 0);
        assert!(made() - before <= 2, "{} mappings", made() - before);
        let mut after = vec![0; size as usize];
        buffer.read(0, &mut after);
        assert!(after.chunks(2).all(|pair| pair == [0xAB, 0x11]), "wrong data");
        handle.close();
        stop(pc);
    }
}
