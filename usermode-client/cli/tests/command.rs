//! The command as its users call it: what it prints, and how it exits.
#![cfg(not(windows))]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Exit statuses of the documentation.
const SUCCESS: i32 = 0;
const USAGE: i32 = 2;
const DEVICE: i32 = 3;

/// A directory of its own for each test.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        fs::write(self.path(name), content).unwrap();
        self
    }

    fn hawser(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_hawser"))
            .args(arguments)
            .current_dir(self.0.path())
            .output()
            .unwrap()
    }

    /// Standard output of a call that has to exit so.
    #[track_caller]
    fn output(&self, exit: i32, arguments: &[&str]) -> String {
        self.both(exit, arguments).0
    }

    /// Standard error of a call that has to exit so.
    #[track_caller]
    fn complaint(&self, exit: i32, arguments: &[&str]) -> String {
        // Lines are broken where the terminal ends: words are compared, not lines.
        let lines = self.both(exit, arguments).1;
        lines
            .split_whitespace()
            .filter(|word| *word != "│")
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[track_caller]
    fn both(&self, exit: i32, arguments: &[&str]) -> (String, String) {
        let output = self.hawser(arguments);
        let [text, complaint] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}\n{text}\n{complaint}");
        (text, complaint)
    }

    #[track_caller]
    fn json(&self, exit: i32, arguments: &[&str]) -> Value {
        let json: Value = serde_json::from_str(&self.output(exit, arguments)).unwrap();
        assert_eq!(json["exit"], exit);
        json
    }
}

const SAXPY: &str = "in x : f32[1000]\ninout y : f32[1000]\nconst a = 2.5\ny = fma(x, a, y)\n";

/// A `.npy` file of version 1.0.
fn npy(descr: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00".as_slice(), &length, header.as_bytes(), elements].concat()
}

#[test]
fn the_example_is_verified_in_every_memory_model() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/saxpy.hws");
    let place = Place::new();
    for memory in ["flat", "scrambled", "iommu"] {
        let text = place.output(SUCCESS, &["run", example.to_str().unwrap(), "--memory", memory]);
        for part in [
            "plan ",
            "submitted",
            "mapped",
            "started",
            "interrupt",
            "let go",
            "completed",
            "device cycles",
        ] {
            assert!(text.contains(part), "no {part} in {text}");
        }
        assert!(text.contains("\nverified ") && text.contains("nothing left"), "{text}");
    }
}

#[test]
fn a_run_is_told_as_json() {
    let place = Place::new();
    let json = place.file("p.hws", SAXPY).json(
        SUCCESS,
        &["run", "p.hws", "--json", "--seed", "5", "--memory", "scrambled"],
    );
    assert_eq!(json["schema"], "hawser.run/1");
    assert_eq!(
        (&json["machine"]["memory"], &json["machine"]["seed"]),
        (&"scrambled".into(), &5.into())
    );
    assert_eq!(json["verification"]["state"], "verified");
    assert_eq!(json["result"]["reason"], "None");
    let record = &json["result"]["record"];
    for field in [
        "bytes_to_device",
        "bytes_from_device",
        "bytes_copied_in",
        "bytes_copied_out",
    ] {
        assert_eq!(record[field], json["plan"][field], "{field}");
    }
    let stages = ["submitted", "mapped", "started", "interrupt", "let_go", "completed"];
    let times = stages.map(|stage| record["timeline"][stage].as_u64().unwrap());
    assert!(times[0] > 0 && times.is_sorted(), "{times:?}");
    assert!(record["device_cycles"].as_u64().unwrap() > 0);
    assert_eq!(json["arrays"][1]["head"][0], 27.0);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let place = Place::new();
    place.file("p.hws", SAXPY);
    let run = |seed| place.output(SUCCESS, &["run", "p.hws", "--json", "--seed", seed]);
    assert_eq!(run("11"), run("11"));
}

#[test]
fn arrays_come_from_files_and_go_to_files() {
    let place = Place::new();
    let big: Vec<u8> = (0..6_u32).flat_map(|value| (value as f32).to_be_bytes()).collect();
    place.file(
        "p.hws",
        "in x : f32[6]\nout y : f32[6]\nout s : f32[1]\ny = x * 2\ns = sum(x)\n",
    );
    place.file("x.npy", npy(">f4", "(2, 3)", &big));
    place.output(
        SUCCESS,
        &[
            "run", "p.hws", "--bind", "x=x.npy", "--out", "y=y.npy", "--out", "s=s.npy",
        ],
    );
    let elements = |name, count: usize| {
        let bytes = fs::read(place.path(name)).unwrap();
        let tail = &bytes[bytes.len() - count * 4..];
        tail.chunks(4)
            .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(elements("y.npy", 6), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
    assert_eq!(elements("s.npy", 1), [15.0]);
}

#[test]
fn files_that_do_not_fit_are_refused_before_anything_runs() {
    let place = Place::new();
    place.file("p.hws", SAXPY).file("text.npy", "1,2,3");
    place.file("f64.npy", npy("<f8", "(1000,)", &[0; 8000]));
    place.file("short.npy", npy("<f4", "(10, 10)", &[0; 400]));
    place.file("cut.npy", npy("<f4", "(1000,)", &[0; 399]));
    for (binding, part) in [
        ("x=missing.npy", "cannot read `missing.npy`"),
        ("x=text.npy", "`text.npy` is not a NumPy file"),
        ("x=f64.npy", "`f64.npy` has elements of type '<f8', and f32 are needed"),
        (
            "x=short.npy",
            "`short.npy` has shape (10, 10), which is 100 elements, and 1000 are needed",
        ),
        (
            "x=cut.npy",
            "`cut.npy` is not a NumPy file: it ends after 399 of 4000 bytes",
        ),
        ("w=x.npy", "the program has no array `w`; it has `x`, `y`"),
    ] {
        let complaint = place.complaint(USAGE, &["run", "p.hws", "--bind", binding]);
        assert!(complaint.contains(part), "{binding}: {complaint}");
        let json = place.json(USAGE, &["run", "p.hws", "--json", "--bind", binding]);
        assert_eq!(
            (&json["schema"], &json["kind"]),
            (&"hawser.error/1".into(), &"binding".into())
        );
    }
    let complaint = place.complaint(USAGE, &["run", "p.hws", "--out", "x=x.npy"]);
    assert!(complaint.contains("`x` is declared `in`"), "{complaint}");
    let complaint = place.complaint(USAGE, &["run", "p.hws", "--out", "y=no/y.npy"]);
    assert!(complaint.contains("cannot write `no/y.npy`"), "{complaint}");
    assert!(
        place
            .complaint(USAGE, &["run", "p.hws", "--bind", "x"])
            .contains("ARRAY=FILE.npy")
    );
    assert!(
        place
            .complaint(USAGE, &["run", "missing.hws"])
            .contains("cannot read `missing.hws`")
    );
}

#[test]
fn mistakes_are_shown_with_their_line_and_a_caret() {
    let place = Place::new();
    place.file("p.hws", "in x : f32[4]\ninout y : i32[4]\ny = x\nx = y +\n");
    for command in ["run", "check"] {
        let (_, shown) = place.both(USAGE, &[command, "p.hws"]);
        for part in [
            "2 errors in `p.hws`",
            "p.hws:3:5",
            "y = x",
            "destination declared here",
            "p.hws:4:8",
            "┬",
        ] {
            assert!(shown.contains(part), "no {part} in {shown}");
        }
        let json = place.json(USAGE, &[command, "p.hws", "--json"]);
        let codes: Vec<_> = json["mistakes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|mistake| &mistake["code"])
            .collect();
        assert_eq!(codes, ["type-mismatch", "unfinished"]);
    }
    place.file("latin.hws", b"# caf\xe9\n");
    assert!(
        place
            .complaint(USAGE, &["check", "latin.hws"])
            .contains("cannot read `latin.hws`")
    );
}

#[test]
fn a_fault_of_the_device_names_the_line_and_the_element() {
    let place = Place::new();
    let divisors: Vec<u8> = [3_i32, 1, 0, 2].into_iter().flat_map(i32::to_le_bytes).collect();
    place.file("p.hws", "in x : i32[4]\nin w : i32[4]\nout y : i32[4]\n\ny = x / w\n");
    place.file("w.npy", npy("<i4", "(4,)", &divisors));
    let (text, complaint) = place.both(DEVICE, &["run", "p.hws", "--bind", "w=w.npy"]);
    for part in [
        "DivideByZero",
        "step       0 (line 5)",
        "operand    2",
        "offset     8",
        "nothing left",
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    assert!(
        complaint.contains("p.hws:5:1") && complaint.contains("an integer was divided by zero"),
        "{complaint}"
    );
    let json = place.json(DEVICE, &["run", "p.hws", "--bind", "w=w.npy", "--json"]);
    let result = &json["result"];
    assert_eq!(
        (&result["reason"], &result["step"], &result["line"]),
        (&"DivideByZero".into(), &0.into(), &5.into())
    );
    assert_eq!(json["verification"]["state"], "skipped");
}

#[test]
fn what_the_driver_refuses_is_told_with_its_record() {
    let place = Place::new();
    place.file("p.hws", "inout y : f32[33554432]\ny = y + 1\n");
    let json = place.json(DEVICE, &["run", "p.hws", "--json"]);
    assert_eq!(json["result"]["reason"], "ArenaTooSmall");
    assert!(json["result"]["record"]["length"].as_u64() > json["result"]["record"]["limit"].as_u64());
    assert_eq!(json["plan"], Value::Null);
    assert!(
        place
            .complaint(USAGE, &["check", "p.hws"])
            .contains("a driver would refuse the program")
    );
}

#[test]
fn check_prints_the_plan_without_a_device() {
    let place = Place::new();
    let text = place.file("p.hws", SAXPY).output(SUCCESS, &["check", "p.hws"]);
    assert!(
        text.contains("to device") && text.contains("copied in and out"),
        "{text}"
    );
    let json = place.json(SUCCESS, &["check", "p.hws", "--json"]);
    assert_eq!(json["schema"], "hawser.check/1");
    assert_eq!(json["plan"]["bytes_to_device"], 4000);
}

#[test]
fn the_device_tells_about_itself() {
    let place = Place::new();
    let json = place.json(SUCCESS, &["info", "--json"]);
    assert_eq!(
        (&json["schema"], &json["info"]["slots"]),
        (&"hawser.info/1".into(), &32.into())
    );
    assert!(
        place
            .output(SUCCESS, &["info"])
            .contains("copy fill add sub mul div min max fma sum")
    );
    let json = place.json(SUCCESS, &["stats", "--json", "--memory", "flat"]);
    assert_eq!(json["stats"]["counters"]["submitted"], 0);
    assert_eq!(json["stats"]["ledger"][0]["kind"], "io space");
    assert!(place.output(SUCCESS, &["stats"]).contains("scatter-gather list"));
}

#[test]
fn no_verify_skips_the_comparison() {
    let place = Place::new();
    let text = place
        .file("p.hws", SAXPY)
        .output(SUCCESS, &["run", "p.hws", "--no-verify"]);
    assert!(
        text.contains("\nnot verified") && !text.contains("\nverified"),
        "{text}"
    );
}

#[test]
fn a_reader_that_leaves_early_does_no_harm() {
    let place = Place::new();
    place.file("p.hws", SAXPY);
    let mut command = Command::new(env!("CARGO_BIN_EXE_hawser"));
    let mut child = command
        .args(["run", "p.hws"])
        .current_dir(place.0.path())
        .stdout(std::process::Stdio::piped())
        .spawn();
    let child = child.as_mut().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(SUCCESS));
}
