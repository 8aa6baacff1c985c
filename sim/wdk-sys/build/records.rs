//! Structures and unions, spelled as bindgen spells them.
use crate::data::{Abi, fields, object, text};
use serde_json::Value;
use std::fmt::Write;

pub fn generate(abi: &Abi) -> String {
    let mut out = String::new();
    for (tag, record) in object(&abi.shapes["structs"]) {
        item(&mut out, tag, record);
    }
    out
}

fn item(out: &mut String, tag: &str, record: &Value) {
    match record["size"].as_u64() {
        Some(size) => writeln!(out, "/// `{tag}`, {size} bytes.").unwrap(),
        None => writeln!(out, "/// `{tag}`, opaque.").unwrap(),
    }
    writeln!(out, "#[repr({})]", text(&record["repr"])).unwrap();
    let derive = text(&record["derive"]);
    if !derive.is_empty() {
        writeln!(out, "#[derive({derive})]").unwrap();
    }
    writeln!(out, "pub {} {tag} {{", text(&record["k"])).unwrap();
    for (name, of) in fields(record) {
        // Bindgen keeps its own bookkeeping fields private, except for padding.
        let visibility = if name == "_bindgen_align" || name == "_unused" {
            ""
        } else {
            "pub "
        };
        writeln!(out, "    {visibility}{name}: {of},").unwrap();
    }
    writeln!(out, "}}").unwrap();
    if record["default"].as_str() == Some("zeroed") {
        writeln!(out, "zeroed_default!({tag});").unwrap();
    }
}
