//! `hawser asm` and `hawser disasm`, programs in assembly and in bytes, and what their documentation says.

use std::fs;

use crate::documents::{announced, blocks, document};
use crate::support::{DEVICE, Place, SAXPY, SUCCESS, USAGE, contains};

/// Copies 64 bytes.
const COPY: &str = ".data_size 128\ncopy.u8 data[64], data[0] count 64\n";

fn words(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split_whitespace().collect()).collect()
}

#[test]
fn every_text_of_the_documentation_comes_back_as_it_is() {
    let (document, place) = (document("docs/assembly.md"), Place::new());
    let texts = blocks(&document, "hwa");
    assert!(texts.len() >= 5, "{}", texts.len());
    for text in texts {
        place
            .file("p.hwa", text)
            .output(SUCCESS, &["asm", "p.hwa", "-o", "p.hwp"]);
        let again = place.output(SUCCESS, &["disasm", "p.hwp"]);
        assert_eq!(words(text), words(&again));
        let from_text = place.output(SUCCESS, &["disasm", "p.hwa"]);
        assert_eq!(from_text, again);
    }
}

#[test]
fn every_mistake_of_the_documentation_is_found_where_it_says() {
    let (document, place) = (document("docs/assembly.md"), Place::new());
    let (_, table) = document.split_once("| code | what |\n|---|---|\n").unwrap();
    let listed: std::collections::BTreeSet<&str> = table
        .lines()
        .take_while(|line| line.starts_with('|'))
        .flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2))
        .collect();
    let mut shown = std::collections::BTreeSet::new();
    for text in blocks(&document, "hwa wrong") {
        place.file("p.hwa", text);
        let json = place.json(USAGE, &["asm", "p.hwa", "-o", "p.hwp", "--json"]);
        let found: Vec<(String, u64)> = json["mistakes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|mistake| {
                assert_eq!(mistake["file"], "p.hwa");
                let code = mistake["code"].as_str().unwrap();
                (code.to_owned(), mistake["line"].as_u64().unwrap())
            })
            .collect();
        assert_eq!(found, announced(text), "{text}");
        shown.extend(found.into_iter().map(|(code, _)| code));
        assert!(!place.path("p.hwp").exists(), "nothing is written");
    }
    assert_eq!(listed, shown.iter().map(String::as_str).collect());
}

#[test]
fn the_shown_mistake_is_what_the_command_prints() {
    let (document, place) = (document("docs/assembly.md"), Place::new());
    place.file("clamp.hwa", blocks(&document, "hwa wrong")[0]);
    let (_, complaint) = place.both(USAGE, &["asm", "clamp.hwa", "-o", "clamp.hwp"]);
    assert_eq!(complaint.trim_end(), blocks(&document, "text")[0].trim_end());
}

#[test]
fn a_program_of_the_language_is_the_same_in_every_form() {
    let place = Place::new();
    place.file("p.hws", SAXPY);
    let text = place.output(SUCCESS, &["disasm", "p.hws"]);
    contains(
        &text,
        &[
            "# in    x          f32[1000]        at data[0]",
            "fma.f32          data[4032], data[0], 2.5, data[4032] count 1000",
        ],
    );
    place.file("p.hwa", &text);
    let json = place.json(SUCCESS, &["asm", "p.hwa", "-o", "p.hwp", "--json"]);
    assert_eq!((&json["written_to"], &json["steps"]), (&"p.hwp".into(), &1.into()));
    let json = place.json(SUCCESS, &["disasm", "p.hwp", "--json"]);
    assert!(text.ends_with(json["assembly"].as_str().unwrap()));
    let plan = |file: &str| {
        let json = place.json(SUCCESS, &["check", file, "--json"]);
        (json["program"].clone(), json["plan"]["bytes_to_device"].clone())
    };
    assert_eq!(plan("p.hws"), plan("p.hwa"));
    assert_eq!(plan("p.hws"), plan("p.hwp"));
}

#[test]
fn a_program_in_bytes_works_on_a_file_of_bytes() {
    let place = Place::new();
    let data: Vec<u8> = (0..128).collect();
    place.file("p.hwa", COPY).file("in.bin", &data);
    place.output(SUCCESS, &["asm", "p.hwa", "-o", "p.hwp"]);
    let run = ["run", "p.hwp", "--data", "in.bin", "--data-out", "out.bin"];
    let text = place.output(SUCCESS, &run);
    contains(
        &text,
        &[
            "the data buffer comes from in.bin",
            "bytes      00 01 02",
            "0f ...  -> out.bin",
            "\nverified ",
        ],
    );
    assert_eq!(
        fs::read(place.path("out.bin")).unwrap(),
        [&data[..64], &data[..64]].concat()
    );
    let json = place.json(SUCCESS, &[run.as_slice(), &["--json"]].concat());
    let data = &json["data"];
    assert_eq!(
        (&data["file"], &data["written_to"], &data["head"][15]),
        (&"in.bin".into(), &"out.bin".into(), &15.into())
    );
    let text = place.output(SUCCESS, &["run", "p.hwa"]);
    contains(&text, &["filled with 0xA5", "bytes      a5 a5"]);
    let json = place.json(SUCCESS, &["run", "p.hwa", "--json"]);
    assert_eq!(json["data"]["file"], serde_json::Value::Null);
}

#[test]
fn a_step_that_is_refused_is_shown_in_its_text_or_in_its_disassembly() {
    let place = Place::new();
    place.file("p.hwa", format!("{COPY}copy.u8 data[64], data[1] count 64\n"));
    place.output(SUCCESS, &["asm", "p.hwa", "-o", "p.hwp"]);
    for (file, named) in [("p.hwa", "[p.hwa:3:1]"), ("p.hwp", "[p.hwp, disassembled:4:1]")] {
        let (text, complaint) = place.both(DEVICE, &["run", file]);
        assert_eq!(
            text.contains("step       1 (line 3)"),
            file == "p.hwa",
            "bytes have no lines: {text}"
        );
        contains(&complaint, &[named, "copy.u8", "╰── step 1"]);
        let json = place.json(DEVICE, &["run", file, "--json"]);
        assert_eq!(
            (&json["result"]["reason"], &json["result"]["step"]),
            (&"Overlap".into(), &1.into())
        );
    }
}

#[test]
fn a_step_that_a_check_refuses_is_shown_in_its_text_as_well() {
    let place = Place::new();
    place.file("p.hwa", format!("{COPY}copy.u8 data[64], data[1] count 64\n"));
    for command in ["check", "explain"] {
        let (_, complaint) = place.both(USAGE, &[command, "p.hwa"]);
        contains(
            &complaint,
            &[
                "a driver would refuse the program",
                "[p.hwa:3:1]",
                "copy.u8",
                "╰── step 1",
            ],
        );
    }
}

#[test]
fn bytes_that_the_contract_does_not_know_are_refused_by_the_driver() {
    let place = Place::new();
    for (text, reason) in [
        (
            ".data_size 64\n.step opcode 200 element_type 2 count 1\n",
            "UnknownOpcode",
        ),
        (
            ".data_size 64\n.magic 0x12345678\nnot.u8 data[0], data[0] count 1\n",
            "BadMagic",
        ),
        (
            ".data_size 64\n.total_size 4096\nnot.u8 data[0], data[0] count 1\n",
            "TotalSizeMismatch",
        ),
        (
            ".data_size 64\n.reserved1 0 0 0 0 0 0 0 0 0 0 0 1\nnot.u8 data[0], data[0] count 1\n",
            "HeaderReserved",
        ),
        (".data_size 64\n", "NoSteps"),
    ] {
        place
            .file("p.hwa", text)
            .output(SUCCESS, &["asm", "p.hwa", "-o", "p.hwp"]);
        let json = place.json(DEVICE, &["run", "p.hwp", "--json"]);
        assert_eq!(json["result"]["reason"], reason, "{json:#}");
    }
}
