//! Programs that the driver refuses or the device ends with a fault.

use serde_json::Value;

use crate::support::{DEVICE, Place, SUCCESS, contains, npy};

/// A program that divides by the third element of a file, 0.
fn division() -> Place {
    let place = Place::new();
    let divisors: Vec<u8> = [3_i32, 1, 0, 2].into_iter().flat_map(i32::to_le_bytes).collect();
    place.file("p.hws", "in x : i32[4]\nin w : i32[4]\nout y : i32[4]\n\ny = x / w\n");
    place.file("w.npy", npy("<i4", "(4,)", &divisors));
    place
}

#[test]
fn a_fault_of_the_device_names_the_line_and_the_element() {
    let place = division();
    let (text, complaint) = place.both(DEVICE, &["run", "p.hws", "--bind", "w=w.npy"]);
    contains(
        &text,
        &[
            "DivideByZero",
            "step       0 (line 5)",
            "operand    2",
            "offset     8",
            "interrupt",
            "nothing left",
        ],
    );
    assert!(!text.contains("verified"), "{text}");
    contains(
        &complaint,
        &[
            "hawser::ended",
            "p.hws:5:1",
            "y = x / w",
            "an integer was divided by zero",
        ],
    );
    let json = place.json(DEVICE, &["run", "p.hws", "--bind", "w=w.npy", "--json"]);
    let result = &json["result"];
    assert_eq!(
        (&result["reason"], &result["step"], &result["line"]),
        (&"DivideByZero".into(), &0.into(), &5.into())
    );
    assert_eq!(json["verification"]["state"], "skipped");
    assert_eq!(json["arrays"][2]["head"], Value::Array(Vec::new()));
}

#[test]
fn a_step_of_an_included_file_is_told_with_it() {
    let place = division();
    place.file("lib.hws", "in x : i32[4]\nin w : i32[4]\nout y : i32[4]\n\ny = x / w\n");
    place.file("p.hws", "include \"lib.hws\"\nout z : i32[4]\nz = x + w\n");
    let text = place.output(DEVICE, &["run", "p.hws", "--bind", "w=w.npy"]);
    contains(&text, &["step       0 (line 5 of lib.hws)"]);
    let json = place.json(DEVICE, &["run", "p.hws", "--bind", "w=w.npy", "--json"]);
    let told = |step: &Value| (step["file"].clone(), step["line"].clone());
    assert_eq!(told(&json["result"]), ("lib.hws".into(), 5.into()));
    let json = place.json(SUCCESS, &["explain", "p.hws", "--json"]);
    let steps = json["cost"]["steps"].as_array().unwrap();
    assert_eq!(
        [told(&steps[0]), told(&steps[1])],
        [("lib.hws".into(), 5.into()), ("p.hws".into(), 3.into())]
    );
    let text = place.output(SUCCESS, &["explain", "p.hws"]);
    contains(&text, &["step 0     (line 5 of lib.hws)", "step 1     (line 3)"]);
}

#[test]
fn a_program_that_failed_writes_no_file() {
    let place = division();
    place.output(DEVICE, &["run", "p.hws", "--bind", "w=w.npy", "--out", "y=y.npy"]);
    assert!(!place.path("y.npy").exists());
}

#[test]
fn what_the_driver_refuses_is_told_with_its_record() {
    let place = Place::new();
    place.file("p.hws", "inout y : f32[33554432]\ny = y + 1\n");
    let json = place.json(DEVICE, &["run", "p.hws", "--json"]);
    assert_eq!(json["result"]["reason"], "ArenaTooSmall");
    let record = &json["result"]["record"];
    assert!(record["length"].as_u64() > record["limit"].as_u64());
    assert_eq!(
        (&record["timeline"]["started"], &json["plan"]),
        (&0.into(), &Value::Null)
    );
    let (text, complaint) = place.both(DEVICE, &["run", "p.hws"]);
    contains(
        &text,
        &[
            "plan        none, the driver will refuse",
            "ArenaTooSmall",
            "not reached",
            "nothing left",
        ],
    );
    contains(&complaint, &["hawser::ended", "STATUS_INSUFFICIENT_RESOURCES"]);
}
