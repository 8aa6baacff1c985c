//! Programs of several files, in canonical layout, and compiled.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::support::{Place, SUCCESS, USAGE, contains, npy, repository};

/// Exit status for a layout that is not canonical.
const NOT_CANONICAL: i32 = 1;

#[test]
fn a_layout_is_made_canonical_and_can_be_checked() {
    let place = Place::new();
    place.file("a.hws", "inout y:f32[4]\ny=y+1#more\n");
    place.file("b.hws", "inout y : f32[4]\ny = y + 1\n");
    let told = place.output(NOT_CANONICAL, &["fmt", "--check", "a.hws", "b.hws"]);
    assert_eq!(told, "a.hws is not in canonical layout\n");
    assert_eq!(place.output(SUCCESS, &["fmt", "a.hws", "b.hws"]), "formatted a.hws\n");
    let text = fs::read_to_string(place.path("a.hws")).unwrap();
    assert_eq!(text, "inout y : f32[4]\ny = y + 1  #more\n");
    assert_eq!(place.output(SUCCESS, &["fmt", "--check", "a.hws", "b.hws"]), "");
}

/// The programs below a directory.
fn programs_in(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            programs_in(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "hws") {
            found.push(path);
        }
    }
}

#[test]
fn the_examples_are_in_canonical_layout() {
    let mut programs = Vec::new();
    programs_in(&repository().join("examples"), &mut programs);
    assert!(!programs.is_empty());
    for program in programs {
        let arguments = ["fmt", "--check", program.to_str().unwrap()];
        assert_eq!(Place::new().output(SUCCESS, &arguments), "");
    }
}

#[test]
fn a_text_that_cannot_be_read_is_left_alone_and_others_are_formatted() {
    let place = Place::new();
    place.file("bad.hws", "y = (1\n").file("good.hws", "inout y:f32[4]\n");
    contains(
        &place.complaint(USAGE, &["fmt", "bad.hws", "good.hws"]),
        &["hws::unfinished"],
    );
    assert_eq!(fs::read_to_string(place.path("bad.hws")).unwrap(), "y = (1\n");
    assert_eq!(
        fs::read_to_string(place.path("good.hws")).unwrap(),
        "inout y : f32[4]\n"
    );
}

#[test]
fn a_compiled_program_is_what_a_driver_takes() {
    let place = Place::new();
    place.file("p.hws", "inout y : f32[4]\ny = relu(y + 1)\n");
    let told = place.output(SUCCESS, &["compile", "p.hws", "-o", "p.hwp"]);
    assert_eq!(told, "p.hwp: 2 steps, 192 B\n");
    let bytes = fs::read(place.path("p.hwp")).unwrap();
    let compiled = hawser::language::compile("p.hws", "inout y : f32[4]\ny = relu(y + 1)\n").unwrap();
    assert_eq!(bytes, compiled.program.bytes());
    let complaint = place.complaint(USAGE, &["compile", "p.hws", "-o", "no/such/p.hwp"]);
    contains(&complaint, &["hawser::program-unwritable", "no/such/p.hwp"]);
}

#[test]
fn files_are_found_beside_the_text_that_names_them() {
    let place = Place::new();
    fs::create_dir(place.path("sub")).unwrap();
    place.file(
        "sub/main.hws",
        "include \"lib/data.hws\"\nout y : u8[2]\ny = twice(x)\n",
    );
    fs::create_dir(place.path("sub/lib")).unwrap();
    place.file(
        "sub/lib/data.hws",
        "include \"../main.hws\"\nin x : u8[2] from \"x.npy\"\ndef twice(v) = v + v\n",
    );
    place.file("sub/lib/x.npy", npy("|u1", "(2,)", &[3, 4]));
    place.file("other.npy", npy("|u1", "(2,)", &[5, 6]));
    let json = place.json(SUCCESS, &["run", "sub/main.hws", "--json"]);
    assert_eq!(json["arrays"][0]["file"], "sub/lib/x.npy");
    assert_eq!(json["arrays"][1]["head"], json!([6, 8]));
    let json = place.json(SUCCESS, &["run", "sub/main.hws", "--bind", "x=other.npy", "--json"]);
    assert_eq!(json["arrays"][1]["head"], json!([10, 12]));
    // A plan does not depend on the values.
    fs::remove_file(place.path("sub/lib/x.npy")).unwrap();
    place.output(SUCCESS, &["check", "sub/main.hws"]);
    contains(
        &place.complaint(USAGE, &["run", "sub/main.hws"]),
        &["hawser::array-unreadable", "sub/lib/x.npy"],
    );
}

#[test]
fn mistakes_in_an_included_file_are_shown_with_its_text() {
    let place = Place::new();
    place.file(
        "main.hws",
        "include \"lib.hws\"\ninout y : f32[4]\ny = f(y)\ntemp t : f32[4]\n",
    );
    place.file("lib.hws", "# a library\ndef f(v) = v + w\ntemp t : f33[4]\n");
    let (_, shown) = place.both(USAGE, &["check", "main.hws"]);
    contains(
        &shown,
        &[
            "lib.hws:2:16",
            " 2 │ def f(v) = v + w",
            "hws::unknown-name",
            "hws::unknown-type",
        ],
    );
    let json = place.json(USAGE, &["check", "main.hws", "--json"]);
    let mistakes: Vec<_> = json["mistakes"].as_array().unwrap().iter().collect();
    assert!(
        mistakes
            .iter()
            .all(|mistake| mistake["file"] == "lib.hws" || mistake["code"] == "redefined"),
        "{json:#}"
    );
    place.file("lib.hws", "def f(v) = v + 1\nconst t = 1\n");
    let (_, shown) = place.both(USAGE, &["check", "main.hws"]);
    contains(
        &shown,
        &["main.hws:4:6", "again", "first here", "lib.hws:2:7", " 2 │ const t = 1"],
    );
}

#[test]
fn a_fault_in_an_included_function_names_the_line_that_calls_it() {
    let place = Place::new();
    place.file(
        "main.hws",
        "include \"lib.hws\"\nin x : i32[4]\nout y : i32[4]\n\ny = f(x - 4)\n",
    );
    place.file("lib.hws", "def f(v) = 1 / v\n");
    let json = place.json(3, &["run", "main.hws", "--json"]);
    assert_eq!(
        (&json["result"]["reason"], &json["result"]["line"]),
        (&json!("DivideByZero"), &json!(5))
    );
}
