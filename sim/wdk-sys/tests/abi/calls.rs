//! The KMDF function table and the functions that call through it.
use crate::{
    data::{entries, number, read, text},
    reflected::{ENUMERATORS, arities},
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use wdk_sys::standin::{WDF_FUNCTION_COUNT, wdf_function_name, wdf_function_since};

/// The rows of the table that do not have this index and first version in the bindings.
fn index_disagreements(rows: &[Value]) -> Vec<String> {
    let indices: BTreeMap<_, _> = ENUMERATORS
        .iter()
        .filter(|(module, ..)| *module == "_WDFFUNCENUM")
        .map(|(_, name, value)| (*name, *value))
        .collect();
    let agrees = |row: &&Value| {
        let (name, index) = (text(&row["name"]), number(&row["i"]));
        indices.get(format!("{name}TableIndex").as_str()) == Some(&(index as i64))
            && wdf_function_name(index) == Some(name)
            && wdf_function_since(index).map(u64::from) == row["since"].as_u64()
    };
    rows.iter()
        .filter(|row| !agrees(row))
        .map(|row| text(&row["name"]).to_owned())
        .collect()
}

/// The public functions whose Rust type does not have as many parameters as the C prototype.
fn arity_disagreements(rows: &[Value]) -> Vec<String> {
    let compiled: BTreeMap<_, _> = arities().into_iter().collect();
    let bound = rows.iter().filter(|row| compiled.contains_key(text(&row["name"])));
    let wrong = bound.filter(|row| compiled[text(&row["name"])] != row["params"].as_array().expect("a list").len());
    wrong.map(|row| text(&row["name"]).to_owned()).collect()
}

fn rows() -> Vec<Value> {
    read("kmdf_functions.json")["functions"]
        .as_array()
        .expect("a list")
        .clone()
}

#[test]
fn kmdf_1_31_has_458_functions() {
    let data = read("kmdf_functions.json");
    assert_eq!(WDF_FUNCTION_COUNT, 458);
    assert_eq!(number(&data["counts_by_minor"]["31"]), WDF_FUNCTION_COUNT);
    assert_eq!(wdk_sys::_WDFFUNCENUM::WdfFunctionTableNumEntries, 458);
    assert_eq!(wdf_function_name(WDF_FUNCTION_COUNT), None);
    assert_eq!(wdf_function_since(WDF_FUNCTION_COUNT), None);
}

/// The counts and the first versions come from different headers.
#[test]
fn as_many_functions_are_as_old_as_each_version_counts() {
    let data = read("kmdf_functions.json");
    for (minor, count) in entries(&data["counts_by_minor"]) {
        let minor: u32 = minor.parse().expect("a minor version");
        let known =
            (0..WDF_FUNCTION_COUNT).filter(|index| wdf_function_since(*index).is_some_and(|since| since <= minor));
        assert_eq!(known.count(), number(count), "KMDF 1.{minor}");
    }
}

#[test]
fn every_function_has_its_index() {
    assert_eq!(index_disagreements(&rows()), Vec::<String>::new());
}

#[test]
fn every_function_type_takes_the_parameters_of_its_prototype() {
    assert_eq!(arity_disagreements(&rows()), Vec::<String>::new());
}

#[test]
fn a_changed_row_is_noticed() {
    let mut changed = rows();
    changed[116]["i"] = json!(117);
    changed[200]["since"] = json!(33);
    assert_eq!(index_disagreements(&changed).len(), 2);
    let mut changed = rows();
    changed[116]["params"].as_array_mut().expect("a list").pop();
    assert_eq!(arity_disagreements(&changed), ["WdfDriverCreate"]);
}

#[test]
fn only_private_and_usb_functions_have_no_call() {
    let called: BTreeSet<_> = arities().into_iter().map(|(name, _)| name).collect();
    let rows = rows();
    let without: Vec<_> = rows.iter().filter(|row| !called.contains(text(&row["name"]))).collect();
    let unexplained: Vec<_> = without
        .iter()
        .filter(|row| row["private"].is_null() && !text(&row["name"]).contains("Usb"))
        .collect();
    let names: Vec<_> = unexplained.iter().map(|row| text(&row["name"])).collect();
    assert_eq!(
        names,
        ["WdfDeviceMiniportCreate", "WdfDriverMiniportUnload"],
        "declared in the miniport header only"
    );
    assert_eq!(called.len() + without.len(), WDF_FUNCTION_COUNT);
    assert_eq!(
        called.len(),
        read("bindgen_shapes.json")["wdf_pfn"]
            .as_object()
            .expect("an object")
            .len()
    );
}

/// Indices that are stated outside the data.
#[test]
fn well_known_indices_are_right() {
    assert_eq!(wdk_sys::_WDFFUNCENUM::WdfDriverCreateTableIndex, 116);
    assert_eq!(wdk_sys::_WDFFUNCENUM::WdfDriverMiniportUnloadTableIndex, 201);
    assert_eq!(wdk_sys::_WDFFUNCENUM::WdfChildListCreateTableIndex, 0);
}
