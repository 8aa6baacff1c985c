//! `hawser run` of programs that succeed: plan, timeline, result, and the options of the simulated machine.

use crate::support::{Place, SAXPY, SUCCESS, contains, repository};

const STAGES: [&str; 6] = ["submitted", "mapped", "started", "interrupt", "let_go", "completed"];

#[test]
fn the_example_is_verified_in_every_memory_model() {
    let example = repository().join("examples/saxpy.hws");
    let place = Place::new();
    for memory in ["flat", "scrambled", "iommu", "bounce"] {
        let (text, complaint) = place.both(SUCCESS, &["run", example.to_str().unwrap(), "--memory", memory]);
        contains(
            &text,
            &[
                &format!("(memory model {memory}; driver: compiled into this command)"),
                "\nverified ",
                "nothing left",
            ],
        );
        assert_eq!(complaint, "", "no progress bar where there is no terminal");
    }
}

#[test]
fn a_run_shows_what_was_mapped_and_copied() {
    let place = Place::new();
    place.file(
        "p.hws",
        "in x : f32[256]\ninout y : f32[256]\nout z : f32[256]\nout w : f32[1]\ny = x + y\nz = x\nw = sum(x)\n",
    );
    let text = place.output(SUCCESS, &["run", "p.hws"]);
    let lines: Vec<String> = text
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    for line in [
        "to device 1 KiB bytes 0..1024 x only read",
        "copied in and out 1 KiB bytes 1024..2048 y read and written",
        "from device 1 KiB bytes 2048..3072 z only written, and completely",
        "copied out 4 B bytes 3072..3076 w only part of a cache line is written",
        "in all: 1 KiB to device (1 mapping), 1 KiB from device (1 mapping), 1 KiB copied in, 1,028 B copied out",
    ] {
        assert!(lines.contains(&line.to_owned()), "no `{line}` in\n{text}");
    }
    assert!(!text.contains("note:"), "plan and record agree:\n{text}");
}

#[test]
fn a_run_shows_when_the_request_passed_its_stages() {
    let place = Place::new();
    let text = place.file("p.hws", SAXPY).output(SUCCESS, &["run", "p.hws"]);
    let (_, timeline) = text.split_once("\ntimeline ").unwrap();
    let mut lines = timeline.lines().skip(1);
    let mut last = 0;
    for stage in STAGES {
        let line = lines.next().unwrap().trim_start();
        let rest = line.strip_prefix(&stage.replace('_', " ")).expect(stage);
        let (time, meaning) = rest.split_once(" ns ").expect(line);
        let time: u64 = time.trim().replace(',', "").parse().unwrap();
        assert!(time >= last && time > 0 && !meaning.trim().is_empty(), "{timeline}");
        last = time;
    }
    let cycles = lines.next().unwrap().trim_start();
    let cycles = cycles.strip_prefix("device cycles ").expect(cycles);
    assert!(cycles.starts_with(|digit| matches!(digit, '1'..='9')), "{cycles}");
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
    let (plan, record) = (&json["plan"], &json["result"]["record"]);
    for field in [
        "mappings_to_device",
        "mappings_from_device",
        "bytes_to_device",
        "bytes_from_device",
        "bytes_copied_in",
        "bytes_copied_out",
    ] {
        assert_eq!(record[field], plan[field], "{field}");
    }
    assert_eq!(
        (&plan["bytes_to_device"], &plan["bytes_copied_in"]),
        (&4000.into(), &4000.into())
    );
    let times = STAGES.map(|stage| record["timeline"][stage].as_u64().unwrap());
    assert!(times[0] > 0 && times.is_sorted(), "{times:?}");
    assert!(record["device_cycles"].as_u64().unwrap() > 0);
    assert_eq!(json["arrays"][1]["head"][0], 27.0);
}

#[test]
fn a_seed_chooses_the_run_and_the_same_one_gives_the_same() {
    let place = Place::new();
    place.file("p.hws", SAXPY);
    let run = |options: &[&str]| place.json(SUCCESS, &[&["run", "p.hws", "--json"], options].concat());
    let first = run(&["--seed", "11"]);
    assert_eq!(first, run(&["--seed", "11"]));
    assert_eq!(run(&[]), run(&[]));
    let others = [
        run(&[]),
        run(&["--seed", "12"]),
        run(&["--seed", "18446744073709551615"]),
    ];
    for other in others {
        assert_ne!(first["shutdown"]["report"], other["shutdown"]["report"]);
        assert_eq!(first["arrays"], other["arrays"]);
    }
}

#[test]
fn the_memory_model_decides_what_a_mapping_consists_of() {
    let place = Place::new();
    place.file("p.hws", "in x : u8[65536]\nout y : u8[65536]\ny = x\n");
    let elements = |options: &[&str]| {
        let json = place.json(SUCCESS, &[&["run", "p.hws", "--json", "--sim"], options].concat());
        let memory = json["machine"]["memory"].as_str().unwrap().to_owned();
        (
            memory,
            json["result"]["record"]["scatter_gather_elements"].as_u64().unwrap(),
        )
    };
    // Two mappings; one element each where addresses are consecutive, one for each page where they are not.
    assert_eq!(elements(&["--memory", "flat"]), ("flat".into(), 2));
    let (memory, scattered) = elements(&["--memory", "scrambled"]);
    assert!(memory == "scrambled" && scattered >= 32, "{scattered}");
    assert_eq!(elements(&["--memory", "iommu"]), ("iommu".into(), 2));
    assert_eq!(elements(&[]).0, "iommu");
}

#[test]
fn no_verify_skips_the_comparison() {
    let place = Place::new();
    place.file("p.hws", SAXPY);
    let text = place.output(SUCCESS, &["run", "p.hws", "--no-verify"]);
    contains(&text, &["\nnot verified\n", "27.0"]);
    assert!(!text.contains("\nverified"), "{text}");
    let json = place.json(SUCCESS, &["run", "p.hws", "--no-verify", "--json"]);
    assert_eq!(json["verification"]["state"], "skipped");
}
