//! What the documentation shows is what happens: every example of the language, every output, every field of the JSON.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::support::{DEVICE, Place, SUCCESS, USAGE, command_in, npy, repository, texts};

pub fn document(name: &str) -> String {
    fs::read_to_string(repository().join(name)).unwrap()
}

/// The fenced blocks of a document whose info string is this one.
pub fn blocks<'d>(document: &'d str, info: &str) -> Vec<&'d str> {
    let fence = format!("```{info}\n");
    let block = |rest: &'d str| rest.split_once("```").unwrap().0;
    document.split(fence.as_str()).skip(1).map(block).collect()
}

/// The mistakes that a program announces: each in a comment that is a code, on its line.
pub fn announced(program: &str) -> Vec<(String, u64)> {
    let lines = program.lines().zip(1..);
    lines
        .filter_map(|(line, number)| Some((line.split_once("# ")?.1.trim().to_owned(), number)))
        .collect()
}

/// The mistakes that the command finds, in the order of the text.
fn found(place: &Place, program: &str) -> Vec<(String, u64)> {
    let json = place.file("p.hws", program).json(USAGE, &["check", "p.hws", "--json"]);
    let mistakes = json["mistakes"].as_array().unwrap().iter();
    mistakes
        .map(|mistake| {
            (
                mistake["code"].as_str().unwrap().to_owned(),
                mistake["line"].as_u64().unwrap(),
            )
        })
        .collect()
}

#[test]
fn every_program_of_the_documentation_runs_and_is_verified() {
    let (language, place) = (document("docs/language.md"), Place::new());
    let programs = blocks(&language, "hws");
    assert!(programs.len() >= 7, "{}", programs.len());
    place.file("lib.hws", blocks(&language, "hws lib.hws")[0]);
    place.file("weights.npy", npy("<f4", "(4, 3)", &[0x3F; 48]));
    for program in programs {
        let json = place.file("p.hws", program).json(SUCCESS, &["run", "p.hws", "--json"]);
        assert_eq!(json["verification"]["state"], "verified", "{program}");
    }
}

#[test]
fn every_mistake_of_the_documentation_is_found_where_it_says() {
    let (language, place) = (document("docs/language.md"), Place::new());
    let programs = blocks(&language, "hws wrong");
    for program in &programs {
        assert_eq!(found(&place, program), announced(program), "{program}");
    }
    let shown: BTreeSet<String> = programs
        .iter()
        .flat_map(|program| announced(program))
        .map(|(code, _)| code)
        .collect();
    // These take more levels than a page has room for, and a rule that the language forgot.
    let not_shown = ["too-deep", "too-much", "refused"].map(str::to_owned);
    let known: BTreeSet<String> = shown.into_iter().chain(not_shown).collect();
    assert_eq!(listed(&language), known);
}

/// The codes in the table of the language.
fn listed(language: &str) -> BTreeSet<String> {
    let (_, table) = language.split_once("| | codes |\n|---|---|\n").unwrap();
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    rows.flat_map(|row| row.split('`').skip(1).step_by(2).map(str::to_owned))
        .collect()
}

#[test]
fn the_shown_mistake_is_what_the_command_prints() {
    let (language, place) = (document("docs/language.md"), Place::new());
    let (before, after) = language.split_once("```text\n").unwrap();
    let (_, program) = before.rsplit_once("```hws wrong\n").unwrap();
    place.file("scale.hws", program.split_once("```").unwrap().0);
    let (_, complaint) = place.both(USAGE, &["check", "scale.hws"]);
    assert_eq!(complaint.trim_end(), after.split_once("```").unwrap().0.trim_end());
}

#[test]
fn the_plan_of_the_example_is_what_check_prints() {
    let (planning, place) = (document("docs/planning.md"), Place::new());
    let indented = |start: &str| -> Vec<String> {
        let (_, rest) = planning.split_once(start).unwrap();
        let lines = rest.trim_start_matches('\n').lines();
        let block = lines.take_while(|line| line.starts_with("    "));
        block.map(|line| line.trim_start().to_owned()).collect()
    };
    let program = indented("each at a multiple of 64 bytes:\n");
    place.file("p.hws", program.join("\n"));
    let shown = indented("`hawser check` shows the plan for a buffer that begins at a page:\n");
    let output = place.output(SUCCESS, &["check", "p.hws"]);
    let (_, plan) = output.split_once("\nplan ").unwrap();
    let pieces = plan.lines().skip(1).map(str::trim_start);
    let printed: Vec<_> = pieces.take_while(|line| !line.starts_with("in all")).collect();
    assert_eq!((shown.len(), printed), (4, shown.iter().map(String::as_str).collect()));
}

/// A text with what differs from version to version taken out: numbers of the lines about machine time, and the widths that they need.
fn steady(output: &str) -> String {
    let mut timed = false;
    let mut lines = Vec::new();
    for line in output.trim_end().lines() {
        if !line.starts_with(' ') {
            timed = line.starts_with("timeline") || line.starts_with("shut down");
        }
        if timed && line.starts_with(' ') {
            let words: Vec<_> = line.split_whitespace().map(without_digits).collect();
            lines.push(words.join(" "));
        } else {
            lines.push(line.to_owned());
        }
    }
    lines.join("\n")
}

/// A word, or what is left of one that holds digits.
fn without_digits(word: &str) -> String {
    if !word.contains(|c: char| c.is_ascii_digit()) {
        return word.to_owned();
    }
    if word.chars().all(|c| c.is_ascii_hexdigit()) {
        return "#".to_owned();
    }
    word.replace(|c: char| c.is_ascii_digit() || matches!(c, ',' | '.'), "")
}

#[test]
fn the_output_in_the_readme_is_that_of_the_command() {
    let readme = document("README.md");
    let (_, shown) = readme.split_once("    cargo hawser run examples/saxpy.hws").unwrap();
    let shown = blocks(shown, "text")[0];
    let output = command_in(&repository(), &["run", "examples/saxpy.hws"])
        .output()
        .unwrap();
    let (output, _) = texts(SUCCESS, output);
    assert_eq!(steady(shown), steady(&output));
}

#[test]
fn what_is_compared_is_all_but_machine_time() {
    let output = "plan        4,096 B\n  to device 4 KiB\n\ntimeline    x\n  mapped   3,900 ns  all\n\nshut down   x\n  t=1.5 us, trace 0a1f\n";
    assert_eq!(
        steady(output),
        steady(&output.replace("  3,900", " 13,900").replace("0a1f", "77"))
    );
    assert_ne!(steady(output), steady(&output.replace("4 KiB", "8 KiB")));
    assert_ne!(steady(output), steady(&output.replace("mapped", "started")));
}

/// The path of every value that is not null, as the documentation writes it: `a.b` in objects, `a[]` in arrays.
fn paths(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Null => {}
        Value::Object(object) => {
            for (name, value) in object {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                paths(value, &path, into);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| paths(value, &format!("{path}[]"), into)),
        _ => {
            into.insert(path.to_owned());
        }
    }
}

/// The paths of everything that the command prints in a form, over calls in which every field has a value at least once.
fn printed(calls: &[(i32, &[&str])]) -> BTreeSet<String> {
    let place = Place::new();
    place.file("p.hws", "in x : i32[4]\nout y : i32[4]\ny = 1 / x\n");
    // Large enough to be mapped.
    place.file("large.hws", "in x : i32[1024]\nout y : i32[1024]\ny = 1 / x\n");
    place.file("wrong.hws", "x = 1\n");
    place
        .file("p.hwa", ".data_size 64\nnot.u8 data[0], data[0] count 64\n")
        .file("in.bin", [0; 64]);
    place.file("zero.npy", npy("<i4", "(4,)", &[0; 16]));
    let mut all = BTreeSet::new();
    for (exit, arguments) in calls {
        paths(
            &place.json(*exit, &[arguments, ["--json"].as_slice()].concat()),
            "",
            &mut all,
        );
    }
    all
}

/// The paths in the table of a form. `a.*` stands for all below `a` in the first table.
fn documented(form: &str) -> BTreeSet<String> {
    let language = document("docs/language.md");
    let table = |form: &str| -> Vec<String> {
        let (_, rest) = language.split_once(&format!("\n`{form}`")).unwrap();
        let (_, table) = rest.split_once("| field | content |\n|---|---|\n").unwrap();
        let rows = table.lines().take_while(|line| line.starts_with('|'));
        let names = rows.flat_map(|row| row.split('|').nth(1).unwrap_or_default().split('`').skip(1).step_by(2));
        names.map(str::to_owned).collect()
    };
    let run = table("hawser.run/1");
    let expand = |path: String| match path.strip_suffix('*') {
        Some(start) => run.iter().filter(|path| path.starts_with(start)).cloned().collect(),
        None => vec![path],
    };
    table(form).into_iter().flat_map(expand).collect()
}

#[track_caller]
fn compare(form: &str, calls: &[(i32, &[&str])], never_printed: &[&str]) {
    let mut printed = printed(calls);
    printed.extend(never_printed.iter().map(|path| (*path).to_owned()));
    assert_eq!(documented(form), printed);
}

#[test]
fn the_documentation_names_every_field_of_a_run() {
    let run: &[&str] = &["run", "p.hws", "--seed", "1", "--out", "y=y.npy"];
    let fault: &[&str] = &["run", "p.hws", "--bind", "x=zero.npy"];
    let bytes: &[&str] = &["run", "p.hwa", "--data", "in.bin", "--data-out", "out.bin"];
    // What is null without an image, objects that can be null, and what only a broken device brings about.
    let objects = ["machine.driver.file", "plan", "data", "result.record", "shutdown"];
    let broken = ["message", "offset", "bytes", "array", "index", "device", "reference"];
    let broken = broken.map(|field| format!("verification.{field}"));
    let never: Vec<&str> = objects.into_iter().chain(broken.iter().map(String::as_str)).collect();
    compare(
        "hawser.run/1",
        &[(SUCCESS, run), (DEVICE, fault), (SUCCESS, bytes)],
        &never,
    );
}

#[test]
fn the_documentation_names_every_field_of_the_other_commands() {
    compare("hawser.check/1", &[(SUCCESS, &["check", "p.hws"])], &[]);
    compare("hawser.explain/1", &[(SUCCESS, &["explain", "large.hws"])], &[]);
    let all: [(i32, &[&str]); 3] = [
        (SUCCESS, &["disasm", "p.hwa"]),
        (SUCCESS, &["compile", "p.hws", "-o", "q.hwp"]),
        (SUCCESS, &["asm", "p.hwa", "-o", "q.hwp"]),
    ];
    compare("hawser.disasm/1", &all, &[]);
    compare(
        "hawser.info/1",
        &[(SUCCESS, &["info", "--seed", "1"])],
        &["machine.driver.file"],
    );
    compare(
        "hawser.stats/1",
        &[(SUCCESS, &["stats", "--seed", "1"])],
        &["machine.driver.file"],
    );
}

#[test]
fn the_documentation_names_every_field_of_a_failure() {
    compare("hawser.error/1", &[(USAGE, &["check", "wrong.hws"])], &[]);
}
