//! The dictionaries have the words that the tables have, so that a fuzzer need not guess those of a later operation.

use hawser_abi::op::{ElementType, Opcode, Predicate};

const LANGUAGE: &str = include_str!("../../language.dict");
const ASSEMBLY: &str = include_str!("../../assembly.dict");

#[track_caller]
fn has(dictionary: &str, word: &str) {
    let entry = format!("\"{word}\"");
    assert!(dictionary.lines().any(|line| line == entry), "{entry} is missing");
}

#[test]
fn operations_types_and_comparisons_are_in_the_dictionaries() {
    for name in Opcode::ALL.map(Opcode::name) {
        has(LANGUAGE, name);
        has(ASSEMBLY, &format!("{name}."));
    }
    for name in ElementType::ALL.map(ElementType::name) {
        has(LANGUAGE, name);
        has(ASSEMBLY, name);
    }
    for name in Predicate::ALL.map(Predicate::name) {
        has(LANGUAGE, name);
        has(ASSEMBLY, name);
    }
}

/// What follows from the help of mistakes, which names them all.
#[test]
fn directives_and_fields_are_in_the_dictionary() {
    let names = |line: &str| {
        let mistakes = hawser::assembly::assemble("t", line).expect_err("there is no such name");
        mistakes.list()[0].problem.help().expect("it names those there are")
    };
    for directive in names(".none 1")
        .split(['.', ',', ' '])
        .filter(|word| word.contains('_'))
    {
        has(ASSEMBLY, &format!(".{directive} "));
    }
    let (_, fields) = names(".step none 1").split_once(": ").expect("the fields follow");
    for field in fields.split(' ') {
        has(ASSEMBLY, &format!("{field} "));
    }
}
