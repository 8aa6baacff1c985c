//! The command runs from end to end, measures everything, and writes what it measured.

use std::process::Command;

use serde_json::Value;

fn run(arguments: &[&str]) -> std::process::Output {
    let command = env!("CARGO_BIN_EXE_hawser-bench");
    Command::new(command).args(arguments).output().unwrap()
}

#[test]
fn everything_is_measured_and_judged() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let output = run(&["--quick", "--report", file.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        text.contains("GB/s") && text.contains("times the time of") && text.contains("gates hold"),
        "{text}"
    );

    let report: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let cases = report["cases"].as_array().unwrap();
    for part in [
        "check / random",
        "copy / ordered",
        "rbpf",
        "solana-sbpf",
        "wasmparser",
        "segment table / apart",
    ] {
        let named = |case: &&Value| case["case"].as_str().unwrap().contains(part);
        let case = cases.iter().find(named).unwrap_or_else(|| panic!("no case {part}"));
        assert_eq!(case["rounds_ns"].as_array().unwrap().len(), 2);
    }
    let gates = report["gates"].as_array().unwrap();
    assert!(gates.len() >= 15);
    for gate in gates {
        // A gate whose cases are not measured has no ratio.
        assert!(gate["ratio"].as_f64().is_some_and(|ratio| ratio > 0.0), "{gate}");
        let rounds = gate["rounds"].as_array().unwrap();
        assert!(rounds.len() == 2 && rounds.contains(&gate["ratio"]), "{gate}");
    }
}

#[test]
fn a_broken_promise_ends_in_failure() {
    let output = run(&["--quick", "--loosen", "0.000001"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("FAIL") && !text.contains("pass"), "{text}");
}

#[test]
fn a_part_can_be_measured_by_itself() {
    let output = run(&["--quick", "--rounds", "1", "--only", "wasmparser"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("wasmparser / random") && !text.contains("rbpf"), "{text}");
    assert!(text.contains("0 of 0 gates hold"), "{text}");
}
