//! Round trips: bytes to text to the same bytes, whatever the bytes are; and what is refused, and where.

use hawser_abi::op::{ElementType, Opcode, Predicate};
use hawser_abi::program::{Space, Step};
use hawser_abi::rules::{AuxUse, RULES, rule};
use proptest::prelude::*;
use zerocopy::{FromZeros, IntoBytes};

use super::{NotWhole, assemble, disassemble};
use crate::program::{Sizes, assemble as put_together};

/// Assembles what the disassembly of the bytes is, and returns both.
fn round_trip(bytes: &[u8]) -> (String, Vec<u8>) {
    let text = disassemble(bytes).unwrap();
    let assembled = assemble("t", &text).unwrap_or_else(|mistakes| panic!("{:?}\n{text}", mistakes.list()));
    assert_eq!(assembled.steps.len() * 64 + 64, bytes.len());
    (text, assembled.program.into_bytes())
}

fn is_raw(text: &str) -> bool {
    text.lines().any(|line| line.starts_with(".step"))
}

/// A step that keeps to the table; offsets, counts and sizes of matrices are anything.
fn orderly_step() -> impl Strategy<Value = Step> {
    let numbers = (any::<[u64; 4]>(), any::<u64>(), any::<u64>(), any::<[u32; 2]>());
    (
        0..Opcode::ALL.len(),
        any::<[prop::sample::Index; 6]>(),
        numbers,
        any::<bool>(),
    )
        .prop_map(|(opcode, choices, (offsets, count, immediate, aux), saturate)| {
            let operation = Opcode::ALL[opcode];
            let rule = rule(operation);
            let types: Vec<_> = ElementType::ALL
                .into_iter()
                .filter(|element| rule.types & element.bit() != 0)
                .collect();
            let [element, source] = [0, 1].map(|which| *choices[which].get(&types));
            let mut step = Step {
                opcode: operation as u8,
                element_type: element as u8,
                count,
                ..Step::new_zeroed()
            };
            let mut flags = rule.flags(element);
            for (operand, rule) in rule.operands.iter().enumerate() {
                let spaces: Vec<u8> = (0..4).filter(|space| rule.spaces & 1 << space != 0).collect();
                let space = *choices[2 + operand].get(&spaces);
                step.spaces[operand] = space;
                if space == Space::Data as u8 || space == Space::Scratch as u8 {
                    step.offsets[operand] = offsets[operand];
                } else if space == Space::Immediate as u8 {
                    step.immediate = immediate & u64::MAX >> (64 - 8 * element.size());
                }
            }
            match rule.aux {
                AuxUse::Unused => {}
                AuxUse::Predicate => step.aux[0] = aux[0] % Predicate::ALL.len() as u32,
                AuxUse::SourceType => {
                    step.aux_type = source as u8;
                    flags &= rule.flags(source);
                }
                AuxUse::Product => step.aux = aux,
                AuxUse::Rows => step.aux[0] = aux[0],
            }
            step.flags = if saturate { flags } else { 0 };
            step
        })
}

/// A step that keeps to the table but for one byte.
fn nearly_orderly_step() -> impl Strategy<Value = Step> {
    (orderly_step(), 0..64_usize, any::<u8>()).prop_map(|(mut step, at, byte)| {
        step.as_mut_bytes()[at] = byte;
        step
    })
}

proptest! {
    #[test]
    fn any_whole_steps_keep_their_bytes(blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 64), 1..6)) {
        let bytes = blocks.concat();
        prop_assert_eq!(round_trip(&bytes).1, bytes);
    }

    #[test]
    fn steps_that_keep_to_the_table_are_written_by_it(steps in prop::collection::vec(orderly_step(), 1..6), data: u64, scratch: u64) {
        let bytes = put_together(&steps, Sizes { data, scratch }).into_bytes();
        let (text, again) = round_trip(&bytes);
        prop_assert_eq!(again, bytes);
        prop_assert!(!is_raw(&text), "{}", text);
    }

    #[test]
    fn steps_that_nearly_keep_to_the_table_keep_their_bytes(steps in prop::collection::vec(nearly_orderly_step(), 1..6)) {
        let bytes = put_together(&steps, Sizes::default()).into_bytes();
        prop_assert_eq!(round_trip(&bytes).1, bytes);
    }

    #[test]
    fn what_is_not_whole_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(disassemble(&bytes).is_ok(), bytes.len() >= 64 && bytes.len().is_multiple_of(64));
    }

    #[test]
    fn any_text_is_a_program_or_mistakes_inside_it(text in "[a-z0-9.,\\[\\]() \n#-]{0,120}") {
        if let Err(mistakes) = assemble("t", &text) {
            for mistake in mistakes.list() {
                prop_assert!(text.get(mistake.at.start..mistake.at.end).is_some());
            }
        }
    }

    #[test]
    fn a_changed_text_is_a_program_or_mistakes(step in orderly_step(), at: prop::sample::Index, with in "[a-z0-9.,\\[\\]-]{0,3}") {
        let mut text = disassemble(put_together(&[step], Sizes::default()).bytes()).unwrap();
        let at = at.index(text.len());
        text.replace_range(at..=at, &with);
        let _ = assemble("t", &text);
    }
}

#[test]
fn every_operation_can_be_written_and_read() {
    for (operation, rule) in Opcode::ALL.into_iter().zip(&RULES) {
        let spaces = rule
            .operands
            .map(|operand| (0..4).find(|space| operand.spaces & 1 << space != 0).unwrap());
        let element = ElementType::ALL
            .into_iter()
            .find(|element| rule.types & element.bit() != 0)
            .unwrap();
        let aux_type = if rule.aux == AuxUse::SourceType {
            element as u8
        } else {
            0
        };
        let step = Step {
            opcode: operation as u8,
            element_type: element as u8,
            aux_type,
            spaces,
            count: 1,
            ..Step::new_zeroed()
        };
        let bytes = put_together(&[step], Sizes::default()).into_bytes();
        let (text, again) = round_trip(&bytes);
        assert_eq!(again, bytes);
        assert!(text.contains(&format!("\n{}.", operation.name())), "{text}");
    }
}

#[test]
fn what_cannot_be_a_program_is_refused_with_what_is_missing() {
    assert_eq!(disassemble(&[0; 63]), Err(NotWhole::NoHeader { length: 63 }));
    assert_eq!(
        disassemble(&[]).unwrap_err().to_string(),
        "0 bytes are too few for a program, which begins with a header of 64"
    );
    let cut = disassemble(&[0; 64 + 64 + 10]).unwrap_err();
    assert_eq!(cut, NotWhole::CutStep { step: 1, length: 10 });
    assert_eq!(cut.to_string(), "step 1 is cut off: it has 10 of 64 bytes");
}

/// The only mistake of a line: its code, its message, and the text that it is about.
fn mistake(line: &str) -> (&'static str, String, &str) {
    let mistakes = assemble("t", line).unwrap_err();
    let [mistake] = mistakes.list() else {
        panic!("{:?}", mistakes.list())
    };
    let at = &line[mistake.at.start..mistake.at.end];
    (mistake.problem.code(), mistake.problem.to_string(), at)
}

#[test]
fn mistakes_name_what_is_wrong_and_where() {
    for (line, code, at, message) in [
        (
            "add.i32 data[0], $",
            "unknown-character",
            "$",
            "assembly has no character `$`",
        ),
        (".data 4", "unknown-directive", ".data", "there is no directive `.data`"),
        (".data_size", "unfinished", "", "expected a number, and the line ends"),
        (
            ".version 65536",
            "out-of-range",
            "65536",
            "`65536` is not from 0 to 65535",
        ),
        (".version 1 2", "syntax", "2", "expected the end of the line, found `2`"),
        (
            ".step",
            "unfinished",
            "",
            "expected a field of the step, and the line ends",
        ),
        (
            ".step opcode 1 colour 2",
            "unknown-field",
            "colour",
            "a step has no field `colour`",
        ),
        (".step opcode 1 opcode 2", "twice", "opcode", "`opcode` is given twice"),
        (
            ".step spaces 1 1 1",
            "unfinished",
            "",
            "expected a number, and the line ends",
        ),
        (
            "cube.f32 data[0]",
            "unknown-operation",
            "cube",
            "there is no operation `cube`",
        ),
        (
            "add data[0]",
            "syntax",
            "add",
            "expected a directive, or an operation with its type, like `add.f32`, found `add`",
        ),
        (
            "add.f31 data[0]",
            "unknown-type",
            "f31",
            "there is no element type `f31`",
        ),
        ("sqrt.i32 data[0]", "type-not-taken", "i32", "`sqrt` does not take i32"),
        (
            "add.i32.fast data[0]",
            "syntax",
            "fast",
            "expected a directive, or an operation with its type, like `add.f32`, found `fast`",
        ),
        (
            "neg.f32.sat data[0], data[0] count 1",
            "flag-not-taken",
            "sat",
            "`neg` of f32 does not take `sat`",
        ),
        (
            "convert.i8.sat data[0], data[0] count 1 from f32",
            "flag-not-taken",
            "sat",
            "`convert` of f32 does not take `sat`",
        ),
        (
            "copy.u8 data[0] count 1",
            "syntax",
            "count",
            "expected `,` and an operand, found `count`",
        ),
        (
            "copy.u8 data[0], 5 count 1",
            "wrong-operand",
            "5",
            "`copy` takes memory, `data[...]` or `scratch[...]` as its first source",
        ),
        (
            "fill.u8 data[0], data[0] count 1",
            "wrong-operand",
            "data[0]",
            "`fill` takes an immediate as its first source",
        ),
        (
            "add.u8 1, data[0], 1 count 1",
            "wrong-operand",
            "1",
            "`add` takes memory, `data[...]` or `scratch[...]` as its destination",
        ),
        (
            "add.u8 data[0], host[1], 1 count 1",
            "syntax",
            "host",
            "expected an operand: `data[...]`, `scratch[...]` or a number, found `host`",
        ),
        (
            "add.u8 data[0], 1, 2 count 1",
            "two-immediates",
            "2",
            "a step has one immediate, and these are two",
        ),
        (
            "add.u8 data[0], 1, 256 count 1",
            "out-of-range",
            "256",
            "`256` is not from 0 to 255",
        ),
        (
            "add.u8 data[0], 1, 2.5 count 1",
            "not-an-integer",
            "2.5",
            "`2.5` is not an integer",
        ),
        (
            "fill.f32 data[0], bits(0x100000000) count 1",
            "out-of-range",
            "0x100000000",
            "`0x100000000` is not from 0 to 4294967295",
        ),
        (
            "fill.f32 data[0], 0x10 count 1",
            "not-a-number",
            "0x10",
            "`0x10` is not a number",
        ),
        (
            "fill.f16 data[0], 1e6 count 1",
            "too-large",
            "1e6",
            "`1e6` is larger than f16 can be",
        ),
        (
            "copy.u8 data[0], data[1]",
            "missing",
            "copy.u8 data[0], data[1]",
            "`copy` needs `count` and a number",
        ),
        (
            "copy.u8 data[0], data[1] count 1 count 1",
            "twice",
            "count",
            "`count` is given twice",
        ),
        (
            "copy.u8 data[0], data[1] count 1 when lt",
            "syntax",
            "when",
            "expected the end of the line, found `when`",
        ),
        (
            "compare.u8 data[0], data[1], 1 count 1 when up",
            "unknown-comparison",
            "up",
            "there is no comparison `up`",
        ),
        (
            "matmul.u8 data[0], data[1], data[2] count 1 rows 1",
            "missing",
            "matmul.u8 data[0], data[1], data[2] count 1 rows 1",
            "`matmul` needs `columns` and a number",
        ),
        (
            "convert.u8 data[0], data[1] count 1",
            "missing",
            "convert.u8 data[0], data[1] count 1",
            "`convert` needs `from` and an element type",
        ),
    ] {
        assert_eq!(mistake(line), (code, message.to_owned(), at), "{line}");
    }
}

#[test]
fn every_line_has_its_mistake() {
    let mistakes = assemble("p.hwa", "cube.f32\n.data_size 1\n.data_size 2\n\nadd\n").unwrap_err();
    let told: Vec<_> = mistakes
        .list()
        .iter()
        .map(|mistake| (mistake.problem.code(), mistakes.position(mistake).to_string()))
        .collect();
    assert_eq!(
        told,
        [
            ("unknown-operation", "1:1".to_owned()),
            ("twice", "3:1".to_owned()),
            ("syntax", "5:1".to_owned())
        ]
    );
    assert_eq!(mistakes.to_string(), "3 errors in `p.hwa`");
}

#[test]
fn what_follows_from_the_steps_need_not_be_written() {
    let assembled = assemble("t", "fill.u8 data[0], 7 count 5\n.data_size 5 # at any place\n").unwrap();
    assert_eq!(assembled.program.check(&hawser_core::Limits::default()), Ok(()));
    assert_eq!(
        disassemble(assembled.program.bytes()).unwrap().lines().next(),
        Some(".data_size 5")
    );
    let empty = assemble("t", "").unwrap().program;
    assert_eq!((empty.bytes().len(), empty.step_count()), (64, 0));
}
