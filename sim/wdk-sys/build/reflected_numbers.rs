//! Lists the values and types that the compiler gives enumerators and constants, and the arity of the KMDF function
//! types.
use crate::data::{Abi, object, strings, text};
use std::fmt::Write;

pub fn generate(abi: &Abi) -> String {
    let mut out = String::new();
    enumerators(&mut out, abi);
    constants(&mut out, abi);
    functions(&mut out, abi);
    out
}

/// Enumerators of the bound enumerations, by module and name.
fn enumerators(out: &mut String, abi: &Abi) {
    out.push_str("pub const ENUMERATORS: &[(&str, &str, i64)] = &[\n");
    for (name, shape) in object(&abi.shapes["enums"]) {
        let module = text(&shape["mod"]);
        let found = ["wdf_enums", "nt_enums"]
            .iter()
            .map(|section| &abi.enums[*section][name])
            .find(|entry| !entry.is_null());
        for enumerator in found.into_iter().flat_map(|entry| object(&entry["v"]).keys()) {
            // Through the alias, where there is one, to check that too.
            let of = strings(&shape["alias"])
                .next()
                .map_or(format!("{module}::Type"), str::to_owned);
            let value = format!("let value: wdk_sys::{of} = wdk_sys::{module}::{enumerator}; value as i64");
            writeln!(out, "    ({module:?}, {enumerator:?}, {{ {value} }}),").unwrap();
        }
    }
    for function in abi.functions() {
        let name = format!("{}TableIndex", function.name);
        writeln!(
            out,
            "    (\"_WDFFUNCENUM\", {name:?}, wdk_sys::_WDFFUNCENUM::{name} as i64),"
        )
        .unwrap();
    }
    out.push_str("];\n");
}

/// Constants: name, Rust type, value.
fn constants(out: &mut String, abi: &Abi) {
    out.push_str("pub fn constants() -> Vec<(&'static str, &'static str, i128)> {\n    vec![\n");
    for (name, row) in object(&abi.enums["consts"]).values().flat_map(object) {
        match row[1].as_str() {
            Some("PVOID" | "PWDF_OBJECT_ATTRIBUTES") => writeln!(out, "        pointer!({name}),").unwrap(),
            Some(_) => writeln!(out, "        constant!({name}),").unwrap(),
            None => {}
        }
    }
    out.push_str("    ]\n}\n");
}

/// KMDF functions: the arity of the function type, and a check that the calling function takes one argument less.
fn functions(out: &mut String, abi: &Abi) {
    out.push_str("pub fn arities() -> Vec<(&'static str, usize)> {\n    vec![\n");
    for function in abi
        .functions()
        .iter()
        .filter(|function| abi.pfn(function.pfn).is_some())
    {
        let arguments = vec!["_"; function.parameters - 1].join(", ");
        writeln!(
            out,
            "        {{ let _: unsafe fn({arguments}) -> _ = calls::{0}; ({0:?}, <wdk_sys::{1} as Arity>::ARITY) }},",
            function.name, function.pfn
        )
        .unwrap();
    }
    out.push_str("    ]\n}\n");
}
