//! `hawser check`, `hawser info` and `hawser stats`.

use crate::support::{Place, SAXPY, SUCCESS, contains};

#[test]
fn check_prints_the_plan_without_a_device() {
    let place = Place::new();
    let text = place.file("p.hws", SAXPY).output(SUCCESS, &["check", "p.hws"]);
    contains(
        &text,
        &["1 step, 8,032 B of data", "to device", "copied in and out", "1 mapping"],
    );
    assert!(!text.contains("timeline") && !text.contains("shut down"), "{text}");
    let json = place.json(SUCCESS, &["check", "p.hws", "--json"]);
    assert_eq!(json["schema"], "hawser.check/1");
    assert_eq!(json["plan"]["bytes_to_device"], 4000);
    assert_eq!(
        (&json["arrays"][1]["name"], &json["arrays"][1]["offset"]),
        (&"y".into(), &4032.into())
    );
}

#[test]
fn a_program_that_is_not_run_has_files_and_no_values() {
    let place = Place::new();
    place.file(
        "p.hws",
        "in x : u8[64] from \"x.npy\"\nin z : u8[64]\nout y : u8[64]\ny = x + z\n",
    );
    for command in ["check", "explain"] {
        let text = place.output(SUCCESS, &[command, "p.hws"]);
        contains(
            &text,
            &[
                "at byte 0, from",
                "x.npy\n",
                "at byte 64\n",
                "at byte 128, written by the program\n",
            ],
        );
        assert!(!text.contains("pattern"), "{text}");
    }
}

#[test]
fn check_plans_what_run_does() {
    let place = Place::new();
    place.file("p.hws", SAXPY);
    let check = place.json(SUCCESS, &["check", "p.hws", "--json"]);
    let run = place.json(SUCCESS, &["run", "p.hws", "--json"]);
    assert_eq!((&check["plan"], &check["program"]), (&run["plan"], &run["program"]));
}

#[test]
fn the_device_tells_what_it_can_do() {
    let place = Place::new();
    let json = place.json(SUCCESS, &["info", "--json", "--memory", "scrambled", "--seed", "3"]);
    assert_eq!(json["schema"], "hawser.info/1");
    assert_eq!(
        (&json["machine"]["memory"], &json["machine"]["seed"]),
        (&"scrambled".into(), &3.into())
    );
    let info = &json["info"];
    assert_eq!(
        (&info["slots"], &info["max_data"], &info["scratch_size"]),
        (&32.into(), &(1 << 30).into(), &(64 << 20).into())
    );
    let text = place.output(SUCCESS, &["info"]);
    contains(
        &text,
        &[
            "copy fill add sub mul div rem min max fma neg abs sqrt",
            "i8 u8 i16 u16 i32 u32 i64 u64 f16 bf16 f32 f64",
            "1 GiB",
        ],
    );
}

#[test]
fn the_driver_tells_what_it_has_done_and_what_it_holds() {
    let place = Place::new();
    let json = place.json(SUCCESS, &["stats", "--json", "--memory", "flat"]);
    assert_eq!(
        (&json["schema"], &json["machine"]["memory"]),
        (&"hawser.stats/1".into(), &"flat".into())
    );
    assert_eq!(json["stats"]["counters"]["submitted"], 0);
    let ledger = json["stats"]["ledger"].as_array().unwrap();
    let live = |kind: &str| {
        let entry = ledger.iter().find(|entry| entry["kind"] == kind).unwrap();
        entry["live"].as_u64().unwrap()
    };
    // The registers are mapped, and no request holds anything.
    assert_eq!((live("io space"), live("scatter-gather list")), (1, 0));
    contains(
        &place.output(SUCCESS, &["stats"]),
        &["submitted ", "scatter-gather list", "io space"],
    );
}
