//! C enumerations as modules of constants.
use crate::data::{Abi, object, strings, text};
use serde_json::Value;
use std::fmt::Write;

pub fn generate(abi: &Abi) -> String {
    let mut out = String::new();
    for (name, shape) in object(&abi.shapes["enums"]) {
        let module = text(&shape["mod"]);
        let values = values(abi, name);
        module_of(&mut out, module, &values);
        let target = if module == name {
            format!("{module}::Type")
        } else {
            name.clone()
        };
        strings(&shape["alias"]).for_each(|alias| writeln!(out, "pub use self::{module}::Type as {alias};").unwrap());
        strings(&shape["ptr"]).for_each(|pointer| writeln!(out, "pub type {pointer} = *mut {target};").unwrap());
    }
    function_indices(&mut out, abi);
    out
}

/// The enumerators in order of value; empty when the data has only the name of the enumeration.
fn values<'a>(abi: &'a Abi, name: &str) -> Vec<(&'a str, i64)> {
    let found = ["wdf_enums", "nt_enums"]
        .iter()
        .map(|section| &abi.enums[*section][name])
        .find(|entry| !entry.is_null());
    let mut values: Vec<_> = found
        .map(|entry| object(&entry["v"]).iter().map(enumerator).collect())
        .unwrap_or_default();
    values.sort_by_key(|(_, value)| *value);
    values
}

fn enumerator<'a>((name, value): (&'a String, &Value)) -> (&'a str, i64) {
    (name, value.as_i64().unwrap_or_else(|| panic!("{name}: not a C int")))
}

fn module_of(out: &mut String, module: &str, values: &[(&str, i64)]) {
    writeln!(out, "pub mod {module} {{\n    pub type Type = ::core::ffi::c_int;").unwrap();
    for (name, value) in values {
        writeln!(out, "    pub const {name}: Type = {value};").unwrap();
    }
    writeln!(out, "}}").unwrap();
}

/// The index of each KMDF function. Bindgen makes no alias of this one, since nothing has its type.
fn function_indices(out: &mut String, abi: &Abi) {
    let names: Vec<_> = abi
        .functions()
        .iter()
        .map(|function| format!("{}TableIndex", function.name))
        .collect();
    let mut values: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(index, name)| (name.as_str(), index as i64))
        .collect();
    values.push(("WdfFunctionTableNumEntries", abi.function_count() as i64));
    module_of(out, "_WDFFUNCENUM", &values);
}
