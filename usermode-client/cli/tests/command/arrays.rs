//! Arrays that come from files, go to files, or hold the pattern.

use std::fs;

use serde_json::json;

use crate::support::{Place, SAXPY, SUCCESS, npy};

fn elements(place: &Place, name: &str, count: usize) -> Vec<f32> {
    let bytes = fs::read(place.path(name)).unwrap();
    bytes[bytes.len() - count * 4..]
        .chunks(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap()))
        .collect()
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
    let arguments = [
        "run", "p.hws", "--bind", "x=x.npy", "--out", "y=y.npy", "--out", "s=s.npy",
    ];
    let text = place.output(SUCCESS, &arguments);
    assert!(text.contains("from x.npy") && text.contains("-> y.npy"), "{text}");
    assert!(
        text.contains("\n  s = 15.0  -> s.npy\n"),
        "one element has a name and a value: {text}"
    );
    assert_eq!(elements(&place, "y.npy", 6), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
    assert_eq!(elements(&place, "s.npy", 1), [15.0]);
    let json = place.json(SUCCESS, &[arguments.as_slice(), &["--json"]].concat());
    let x = &json["arrays"][0];
    assert_eq!((&x["origin"], &x["file"]), (&json!("file"), &json!("x.npy")));
    let y = &json["arrays"][1];
    assert_eq!((&y["origin"], &y["written_to"]), (&json!("unwritten"), &json!("y.npy")));
}

#[test]
fn an_array_can_be_taken_from_a_file_and_written_back_to_it_with_its_shape() {
    let place = Place::new();
    place.file("p.hws", "inout y : f32[6]\ny = y + 1\n");
    place.file("y.npy", npy("<f4", "(3, 2)", &[0; 24]));
    place.output(SUCCESS, &["run", "p.hws", "--bind", "y=y.npy", "--out", "y=y.npy"]);
    assert_eq!(elements(&place, "y.npy", 6), [1.0; 6]);
    let header = fs::read(place.path("y.npy")).unwrap();
    assert!(String::from_utf8_lossy(&header).contains("'shape': (3, 2"));
}

#[test]
fn what_is_not_bound_holds_the_pattern() {
    let place = Place::new();
    place.file(
        "p.hws",
        "in x : i32[9]\nout z : i32[9]\ninout y : i32[9]\nz = x\ny = y + 0\n",
    );
    let json = place.json(SUCCESS, &["run", "p.hws", "--json"]);
    for (index, name) in ["x", "z", "y"].iter().enumerate() {
        let array = &json["arrays"][index];
        // `z` is a copy of `x`.
        let place = if *name == "z" { 0 } else { index };
        let pattern: Vec<_> = (0..8).map(|i| (7 * i + 13 * place + 3) % 64 + 1).collect();
        assert_eq!((&array["name"], &array["head"]), (&json!(name), &json!(pattern)));
    }
    assert_eq!(json["arrays"][2]["origin"], "pattern");
}

#[test]
fn nothing_is_written_where_nobody_asked() {
    let place = Place::new();
    place.file("p.hws", SAXPY).output(SUCCESS, &["run", "p.hws"]);
    let names: Vec<_> = fs::read_dir(place.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["p.hws"]);
}
