//! Aliases, handles, callbacks and function pointer types, and the records that are known only by size.
use crate::data::{Abi, number, object, strings, text};
use serde_json::Value;
use std::{collections::BTreeMap, fmt::Write};

pub fn generate(abi: &Abi) -> String {
    let mut out = String::new();
    for (name, target) in aliases(abi) {
        writeln!(out, "pub type {name} = {target};").unwrap();
    }
    for (name, record) in object(&abi.shapes["other_structs_by_ref"]) {
        by_reference(&mut out, name, record);
    }
    for name in handle_records(abi) {
        writeln!(out, "handle_record!({name});").unwrap();
    }
    out
}

/// Every alias, from all the sections that define some; two sections may only repeat the same definition.
fn aliases(abi: &Abi) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut add = |name: &str, target: String| {
        if let Some(old) = all.insert(name.to_owned(), target.clone()) {
            assert_eq!(old, target, "{name} has two definitions");
        }
    };
    for section in ["types", "handles", "callbacks", "nt_callbacks", "wdf_pfn"] {
        for (name, target) in object(&abi.shapes[section]) {
            add(name, text(target).to_owned());
        }
    }
    for (tag, record) in object(&abi.shapes["structs"]) {
        strings(&record["alias"]).for_each(|name| add(name, tag.clone()));
        strings(&record["ptr"]).for_each(|name| add(name, format!("*mut {tag}")));
        strings(&record["cptr"]).for_each(|name| add(name, format!("*const {tag}")));
    }
    add("PBOOLEAN", "*mut BOOLEAN".to_owned());
    add("LONG64", "c_longlong".to_owned());
    all
}

/// The tags behind the handle types that no other section lists.
fn handle_records(abi: &Abi) -> Vec<&str> {
    let targets = object(&abi.shapes["handles"]).values().map(text);
    let tags = targets
        .filter_map(|target| target.strip_prefix("*mut "))
        .filter(|tag| tag.ends_with("__"));
    tags.filter(|tag| abi.shapes["other_structs_by_ref"][*tag].is_null())
        .collect()
}

fn by_reference(out: &mut String, name: &str, record: &Value) {
    let (size, align) = (number(&record["size"]), number(&record["align"]));
    if name.ends_with("__") {
        writeln!(out, "handle_record!({name});").unwrap();
    } else {
        writeln!(out, "opaque_record!({name}, {size}, {align});").unwrap();
    }
}
