//! Constants and NTSTATUS codes, with the Rust type that `wdk-sys` gives each.
use crate::data::{Abi, object};
use serde_json::Value;
use std::{collections::BTreeMap, fmt::Write};

pub fn generate(abi: &Abi) -> String {
    let mut out = String::new();
    for (name, (of, value)) in all(abi) {
        writeln!(out, "pub const {name}: {of} = {value};").unwrap();
    }
    out
}

/// Constants by name; the groups of the data may repeat one.
fn all(abi: &Abi) -> BTreeMap<&str, (&str, String)> {
    let mut all = BTreeMap::new();
    for (name, row) in object(&abi.enums["consts"]).values().flat_map(object) {
        let Some(of) = row[1].as_str() else { continue };
        let constant = (of, value(name, of, &row[0]));
        if let Some(old) = all.insert(name.as_str(), constant.clone()) {
            assert_eq!(old, constant, "{name} has two values");
        }
    }
    all
}

fn value(name: &str, of: &str, value: &Value) -> String {
    match (of, value) {
        ("NTSTATUS", Value::String(code)) => format!("{code}_u32.cast_signed()"),
        (of, Value::Number(zero)) if of.starts_with('P') && of != "POOL_FLAGS" => {
            assert_eq!(zero.as_u64(), Some(0), "{name}: only null pointers are constants");
            "::core::ptr::null_mut()".to_owned()
        }
        ("u32", Value::Number(number)) if number.as_i64().is_some_and(i64::is_negative) => {
            format!("({number}_i32).cast_unsigned()")
        }
        ("i64", Value::Number(number)) if number.as_i64().is_none() => format!("{number}_u64.cast_signed()"),
        (_, Value::Number(number)) => number.to_string(),
        _ => panic!("{name}: {value} is no {of}"),
    }
}
