//! What a submission costs: no pool allocation, no register read, one register write, and one more for a batch of completions.

use crate::common::{MODELS, open, pattern, program, start, step, stop, submit};
use hawser_abi::op::{ElementType, Opcode};

const SIZE: usize = 1 << 20;

#[test]
fn a_submission_costs_what_was_promised() {
    for memory in MODELS {
        let pc = start(memory);
        let handle = open(&pc);
        let buffer = pc.allocate(SIZE, 64).expect("user memory");
        buffer.write(0, &pattern(SIZE, 5));
        let quarter = SIZE as u64 / 4;
        // Reads one quarter, writes one, and adds in place to a third: mapped both ways and copied.
        let steps = [
            step(Opcode::Copy, ElementType::I32, quarter / 4, quarter, &[0]),
            step(
                Opcode::Add,
                ElementType::I32,
                quarter / 4,
                2 * quarter,
                &[2 * quarter, 0],
            ),
        ];
        for cookie in 1..=3 {
            let before = pc.machine().counters();
            assert_eq!(
                submit(&handle, &program(SIZE as u64, cookie, &steps), Some(&buffer)).status,
                0
            );
            let cost = pc.machine().counters() - before;
            assert_eq!(cost.driver_allocations, 0, "pool allocations by the driver");
            assert_eq!(cost.register_reads, 0, "register reads");
            assert!(cost.register_writes <= 2, "{} register writes", cost.register_writes);
        }
        handle.close();
        stop(pc);
    }
}
