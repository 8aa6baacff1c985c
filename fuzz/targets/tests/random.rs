//! Random inputs for the targets whose answers are exact, so that ordinary tests try what the fuzzers try.

use arbitrary::Unstructured;
use hawser_fuzz_targets::check_plan::{self, Control, flags};
use hawser_fuzz_targets::{assembly, language, whole_path};
use hawser_programs::RandomProgram;
use proptest::prelude::*;
use zerocopy::{FromBytes, IntoBytes};

fn controls() -> impl Strategy<Value = Control> {
    let zeros = Just([0_u8; 16]);
    prop_oneof![any::<[u8; 16]>(), zeros].prop_map(|bytes| Control::read_from_bytes(&bytes).expect("the size is right"))
}

/// A program that breaks no rule, and bytes of it to change.
fn programs() -> impl Strategy<Value = Vec<u8>> {
    let sizes = prop_oneof![32_u64..400, 400_u64..30_000];
    (prop::collection::vec(any::<u8>(), 0..400), sizes).prop_map(|(bytes, size)| {
        let program = RandomProgram::draw(&mut Unstructured::new(&bytes), size / 8 * 8);
        program.expect("nothing fails").bytes(1)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn right_programs_are_checked_and_planned_as_the_model_says(control in controls(), program in programs()) {
        let control = Control { flags: control.flags & !(flags::RIGHT_HEADER | flags::OTHER_LENGTH), ..control };
        check_plan::run(&[control.as_bytes(), &program].concat())?;
    }

    #[test]
    fn damaged_programs_too(
        control in controls(), program in programs(), damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)
    ) {
        let mut program = program;
        for (index, byte) in damage {
            let at = index.index(program.len());
            program[at] = byte;
        }
        check_plan::run(&[control.as_bytes(), &program].concat())?;
    }

    #[test]
    fn bytes_too(bytes in prop::collection::vec(any::<u8>(), 0..500)) {
        check_plan::run(&bytes)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn programs_run_as_the_reference_says(bytes in prop::collection::vec(any::<u8>(), 0..900)) {
        whole_path::run(&bytes)?;
    }
}

/// Texts of words, most of which have a place somewhere in the language or in assembly.
fn texts(dictionary: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let entries = dictionary
        .lines()
        .filter_map(|line| line.strip_prefix('"')?.strip_suffix('"'));
    let words: Vec<String> = entries
        .map(|word| word.replace("\\x0a", "\n").replace("\\x00", "\0").replace("\\\"", "\""))
        .collect();
    let more = "[a-z0-9_.(){}\\[\\] \n#-]{1,3}";
    let word = prop_oneof![8 => prop::sample::select(words), 2 => more];
    prop::collection::vec(word, 0..60).prop_map(|words| words.join(" ").into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn words_of_the_language_are_compiled_and_formatted(text in texts(include_str!("../../language.dict"))) {
        language::run(&text)?;
    }

    #[test]
    fn words_of_assembly_come_back(text in texts(include_str!("../../assembly.dict"))) {
        assembly::run(&text)?;
    }

    #[test]
    fn steps_come_back(blocks in prop::collection::vec(any::<[u8; 64]>(), 0..6), more in 0..64_usize) {
        let bytes = blocks.concat();
        assembly::run(&bytes[..bytes.len().saturating_sub(more)])?;
        assembly::run(&bytes)?;
    }
}
