//! The tour as its visitors make it, through the real binary.
#![cfg(not(windows))]

use std::process::Command;

fn tour(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_attack"))
        .args(arguments)
        .output()
        .unwrap();
    let [text, complaint] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert_eq!((output.status.code(), complaint.as_str()), (Some(0), ""), "{text}");
    text
}

#[test]
fn every_attack_is_refused_as_expected_in_every_memory_model() {
    let texts = ["flat", "scrambled", "iommu", "bounce"].map(|memory| tour(&["--memory", memory]));
    for text in &texts {
        let attacks = text.lines().filter(|line| is_attack(line)).count();
        assert!(attacks > 50, "{attacks} attacks");
        let sum = format!("\n{attacks} of {attacks} programs were refused as they should be\n");
        assert!(text.contains(&sum), "no `{sum}` in\n{text}");
        assert!(
            text.ends_with("\ndevice removed, driver unloaded, nothing left\n"),
            "{text}"
        );
        assert_eq!(text, &texts[0], "a refusal does not depend on memory");
    }
}

#[test]
fn each_attack_is_shown_with_its_reason_and_place() {
    let text = tour(&[]);
    let lines: Vec<&str> = text.lines().collect();
    let shown = |tries: &str| {
        let at = lines.iter().position(|line| line.trim() == tries).expect(tries);
        [lines[at + 1].trim(), lines[at + 2].trim()]
    };
    assert_eq!(
        shown("writes one byte past the end"),
        [
            "OutOfBounds (0xe048002f): an operand reaches outside its space",
            "step 0, destination, offset 3841, length 256, limit 4096"
        ]
    );
    assert_eq!(
        shown("leaves one byte between two writes, and sums over it"),
        [
            "ScratchNotWritten (0xe0480031): the step reads device-local memory that the program has not written",
            "step 2, first source, offset 100, length 101, limit 0"
        ]
    );
    assert_eq!(
        shown("is no program"),
        [
            "BadMagic (0xe0480002): the header does not start with the magic number",
            "no record: the header cannot be trusted to have a cookie"
        ]
    );
}

/// Titles of attacks stand between chapters and answers.
fn is_attack(line: &str) -> bool {
    line.starts_with("  ") && !line.starts_with("   ")
}
