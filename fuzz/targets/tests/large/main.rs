//! Large programs are checked, planned and translated as the model says. What there is for many intervals, and for more of device-local memory than is remembered at once, no
//! small program reaches.

mod programs;

use std::collections::BTreeSet;

use hawser_abi::program::{Space, Step};
use hawser_core::{Room, max_pieces};
use hawser_fuzz_targets::check_plan::{self, CONTROL, Case, Control, flags};
use hawser_programs::RandomProgram;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use zerocopy::{FromBytes, IntoBytes};

use programs::{MOST_STEPS, SCRATCH, programs, right_programs};

/// What a large program is checked and planned with: whatever leaves most of them accepted.
fn controls() -> impl Strategy<Value = Control> {
    any::<[u8; CONTROL]>().prop_map(|bytes| {
        let any = Control::read_from_bytes(&bytes).expect("the size is right");
        Control {
            flags: any.flags & !(flags::RIGHT_HEADER | flags::OTHER_LENGTH),
            arena: 0,
            steps: 0,
            operation: 0,
            element: 0,
            pieces: 0,
            ..any
        }
    })
}

fn case(control: Control, program: &RandomProgram) -> Case {
    Case {
        room: Room {
            steps: MOST_STEPS,
            scratch: SCRATCH,
        },
        pieces: max_pieces(MOST_STEPS),
        ..Case::from_bytes(&[control.as_bytes(), &program.bytes(1)].concat())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn large_programs_are_planned_as_in_the_model(control in controls(), program in programs()) {
        check_plan::compare(&case(control, &program))?;
    }
}

/// Numbers of the operands' units of device-local memory, of which the check remembers a run each, until another pushes it out.
fn units(steps: &[Step]) -> BTreeSet<u64> {
    let places = steps.iter().flat_map(|step| step.spaces.into_iter().zip(step.offsets));
    let in_scratch = places.filter(|(space, _)| *space == Space::Scratch as u8);
    in_scratch.map(|(_, offset)| offset >> 9).collect()
}

/// The comparison is worth what its programs have: intervals enough to be sorted by their digits, and more units than are remembered at once.
#[test]
fn large_programs_have_more_intervals_and_units_than_small_ones_can_have() {
    let mut runner = TestRunner::deterministic();
    let mut large = 0;
    for _ in 0..8 {
        let drawn = right_programs().new_tree(&mut runner);
        let program = drawn.expect("nothing is filtered").current();
        let touched = program.touched();
        let found = [
            touched.reads.iter().count(),
            touched.writes.iter().count(),
            units(&program.steps).len(),
        ];
        println!(
            "{} steps: intervals read and written, units: {found:?}",
            program.steps.len()
        );
        large += usize::from(found[0] > 256 && found[1] > 256 && found[2] > 512);
    }
    assert!(large >= 4, "{large} of 8");
}
