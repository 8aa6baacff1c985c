//! `hawser explain`: routes with their reasons, hazards, and costs that a run agrees with.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::documents::document;
use crate::support::{Place, SAXPY, SUCCESS, USAGE, contains, repository};

/// Programs that show one hazard or more, with options, and what they show.
const HAZARDS: [(&str, &[&str], &[&str]); 12] = [
    ("out y : u8[64]\ny = 1\n", &[], &["small-steps"]),
    (
        "inout x : f32[1024]\nx = x + 1\n",
        &[],
        &["copied-both-ways", "in-place"],
    ),
    ("in x : f32[1001]\nout y : f32[1001]\ny = x\n", &[], &["partial-lines"]),
    (
        "in x : f32[1024]\nout y : f32[1024]\ny = x\n",
        &["--page-offset", "32"],
        &["partial-lines", "inside-page"],
    ),
    (
        "in x : f32[8192]\nout y : f32[8192]\ny = x\n",
        &["--map-registers", "4"],
        &["few-registers"],
    ),
    (
        "in x : f32[1024]\nout y : f32[1024]\ntemp t : f32[1024]\nt = x * 2\ny = t\n",
        &[],
        &["device-local", "dependency"],
    ),
    (
        "in x : f32[1024]\nout y : f32[1024]\nout z : f32[1024]\nout w : f32[1024]\ny = x * 2\nw = x\nz = y\n",
        &[],
        &["copied-both-ways", "through-host"],
    ),
    (
        "in x : i32[1024]\nout y : i32[1024]\nout z : i32[1024]\ny = x / x\nz = rem(x, 7)\n",
        &[],
        &["integer-division"],
    ),
    (
        "in a : f32[128, 128]\nin b : f32[128, 128]\nout c : f32[128, 128]\nc = matmul(a, b)\n",
        &[],
        &["read-again"],
    ),
    (
        "inout x : u8[20000000]\nx = x ^ 1\n",
        &[],
        &["copied-both-ways", "large-arena", "in-place"],
    ),
    (
        "in x : u8[4096]\nout y : u8[1024]\ny = x[0..1024]\n",
        &[],
        &["untouched"],
    ),
    (
        "in x : u8[20480]\nout y : u8[9216]\nrepeat i in 0..9 {\ny[i * 1024..i * 1024 + 1024] = x[i * 2048..i * 2048 + 1024]\n}\n",
        &[],
        &["many-ranges", "untouched"],
    ),
];

fn explain(place: &Place, text: &str, options: &[&str]) -> Value {
    place.file("p.hws", text);
    place.json(SUCCESS, &[&["explain", "p.hws", "--json"], options].concat())
}

fn codes(json: &Value) -> Vec<&str> {
    let hazards = json["hazards"].as_array().unwrap().iter();
    hazards.map(|hazard| hazard["code"].as_str().unwrap()).collect()
}

#[test]
fn every_hazard_is_found_where_it_is_and_nowhere_else() {
    let place = Place::new();
    let mut seen = BTreeSet::new();
    for (text, options, expected) in HAZARDS {
        let json = explain(&place, text, options);
        assert_eq!(codes(&json), expected, "{text}");
        seen.extend(expected.iter().map(|code| (*code).to_owned()));
    }
    // The language refuses what assembly lets pass.
    place.file("p.hwa", ".data_size 4096\ndiv.u8 data[0], data[0], 0 count 4096\n");
    let json = place.json(SUCCESS, &["explain", "p.hwa", "--json"]);
    assert_eq!(codes(&json), ["copied-both-ways", "in-place", "division-by-zero"]);
    seen.insert("division-by-zero".to_owned());
    let language = document("docs/language.md");
    let (_, table) = language.split_once("| hazard | what it tells |\n|---|---|\n").unwrap();
    let documented: BTreeSet<String> = table
        .lines()
        .take_while(|line| line.starts_with('|'))
        .map(|row| row.split('`').nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(documented, seen);
}

#[test]
fn a_program_without_hazards_has_none() {
    let place = Place::new();
    let json = explain(&place, "in x : f32[1024]\nout y : f32[1024]\ny = x * 2\n", &[]);
    assert_eq!(codes(&json), [""; 0]);
    contains(&place.output(SUCCESS, &["explain", "p.hws"]), &["hazards     none"]);
}

#[test]
fn steps_and_bytes_are_named_where_a_hazard_is() {
    let place = Place::new();
    let text = "in x : f32[1024]\nout y : f32[1024]\nout z : f32[1024]\ny = x * 2\nz = y\n";
    let json = explain(&place, text, &[]);
    let hazard = |code: &str| {
        let hazards = json["hazards"].as_array().unwrap();
        hazards.iter().find(|hazard| hazard["code"] == code).unwrap()
    };
    let through = hazard("through-host");
    assert_eq!(
        (&through["steps"][0], &through["count"], &through["bytes"]),
        (&1.into(), &1.into(), &4096.into())
    );
    let copied = hazard("copied-both-ways");
    assert_eq!((&copied["count"], &copied["bytes"]), (&0.into(), &4096.into()));
    contains(
        &place.output(SUCCESS, &["explain", "p.hws"]),
        &["through-host: step 1 (line 5); 4 KiB"],
    );
}

#[test]
fn regions_say_who_made_them_what_they_are() {
    let place = Place::new();
    let json = explain(&place, SAXPY, &["--page-offset", "100"]);
    let told: Vec<_> = json["regions"]["list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|region| {
            let [offset, length, readers, writers] = [
                &region["offset"],
                &region["length"],
                &region["readers"]["count"],
                &region["writers"]["count"],
            ]
            .map(|number| number.as_u64().unwrap());
            (offset, length, region["route"].as_str().unwrap(), readers, writers)
        })
        .collect();
    assert_eq!(
        told,
        [
            (0, 4000, "to device", 1, 0),
            (4000, 32, "untouched", 0, 0),
            (4032, 4000, "copied in and out", 1, 1),
        ]
    );
    let mapping = &json["mappings"]["list"][0];
    assert_eq!((&mapping["page_offset"], &mapping["pages"]), (&100.into(), &2.into()));
    assert_eq!(json["mappings"]["map_registers_to_device"], 2);
    let parts = ["descriptor", "steps", "copies"].map(|part| json["arena"][part].as_u64().unwrap());
    assert_eq!(parts, [128, 64, 4000]);
    assert_eq!(json["arena"]["total"], json["plan"]["arena_bytes"]);
}

#[test]
fn many_regions_are_counted_and_the_first_explained() {
    let place = Place::new();
    let text = "in x : u8[8192]\nout y : u8[100]\nrepeat i in 0..100 {\ny[i] = x[i * 64]\n}\n";
    let json = explain(&place, text, &[]);
    let regions = &json["regions"];
    let listed = regions["list"].as_array().unwrap().len();
    assert_eq!((listed, &regions["left_out"]), (64, &137.into()));
    let plan = json["plan"]["pieces"].as_array().unwrap().len();
    assert_eq!(plan, 101, "a byte of each line, and what is written");
    let small = &json["hazards"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (
            &small["code"],
            &small["count"],
            small["steps"].as_array().unwrap().len()
        ),
        (&"small-steps".into(), &100.into(), 8)
    );
    let text = place.output(SUCCESS, &["explain", "p.hws"]);
    contains(
        &text,
        &[
            "... and 185 more regions",
            "0 (line 4), 1 (line 4)",
            ", and 92 more",
            "... and 92 steps that cost no more",
        ],
    );
}

/// What a run counts, in this memory model.
fn cycles_of_run(place: &Place, memory: &str) -> u64 {
    let json = place.json(SUCCESS, &["run", "p.hws", "--json", "--memory", memory]);
    json["result"]["record"]["device_cycles"].as_u64().unwrap()
}

#[test]
fn the_cycles_are_those_of_a_run() {
    let place = Place::new();
    let saxpy = std::fs::read_to_string(repository().join("examples/saxpy.hws")).unwrap();
    let many = "in a : f32[200, 130]\nin b : f32[130, 70]\nout c : f32[200, 70]\nout d : f32[70, 200]\nout s : f32[1]\nout k : u64[1]\n\
        temp t : f32[200, 70]\nt = matmul(a, b)\nc = t\nd = transpose(t)\ns = sum(t)\nk = argmax(a)\n";
    let wide = "in x : u8[300000]\ninout y : f64[40000]\nout z : f64[300000]\nz = f64(x)\ny = sqrt(y)\n";
    for text in [&saxpy, many, wide, SAXPY] {
        let json = explain(&place, text, &[]);
        let [whole, scattered, loading] = ["device_cycles", "device_cycles_scattered", "loading_cycles"]
            .map(|field| json["cost"][field].as_u64().unwrap());
        assert_eq!(cycles_of_run(&place, "iommu"), whole, "{text}");
        for memory in ["flat", "scrambled"] {
            let run = cycles_of_run(&place, memory);
            assert!(
                (whole..=scattered).contains(&run),
                "{memory}: {run} is not in {whole}..={scattered}\n{text}"
            );
        }
        let steps: u64 = json["cost"]["steps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| step["cycles"].as_u64().unwrap())
            .sum();
        assert_eq!(loading + steps, whole);
    }
}

#[test]
fn the_explanation_in_the_documentation_is_that_of_the_command() {
    let planning = document("docs/planning.md");
    let (_, program) = planning.split_once("    in    x : f32[1000]\n").unwrap();
    let lines = program.lines().take_while(|line| line.starts_with("    "));
    let rest: Vec<&str> = lines.map(str::trim_start).collect();
    let place = Place::new();
    place.file("p.hws", format!("in    x : f32[1000]\n{}\n", rest.join("\n")));
    let output = place.output(SUCCESS, &["explain", "p.hws"]);
    let shown = crate::documents::blocks(&planning, "text")[0];
    let (_, explanation) = output.split_once("\n\n").unwrap();
    assert_eq!(explanation, shown);
}

#[test]
fn what_no_driver_would_accept_is_not_explained() {
    let place = Place::new();
    place.file("p.hwa", ".data_size 64\nnot.u8 data[0], data[0] count 65\n");
    let json = place.json(USAGE, &["explain", "p.hwa", "--json"]);
    assert_eq!((&json["kind"], &json["code"]), (&"plan".into(), &"plan-refused".into()));
    let (_, complaint) = place.both(USAGE, &["explain", "p.hwa", "--page-offset", "4096"]);
    contains(&complaint, &["4096 is not in 0..4096"]);
}
