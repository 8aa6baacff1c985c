//! Accessors of bit fields: the shape names them, the layout says which bits they are.
use crate::data::{Abi, fields, number, object, strings, text};
use serde_json::Value;
use std::fmt::Write;

/// Where one bit field is, from the start of its bit field unit.
struct Bits<'a> {
    name: &'a str,
    of: &'a str,
    offset: u64,
    width: u64,
}

pub fn generate(abi: &Abi) -> String {
    let mut out = String::new();
    for (tag, record) in object(&abi.shapes["structs"]) {
        let names: Vec<_> = strings(&record["bitfield_accessors"]).collect();
        if !names.is_empty() {
            accessors(&mut out, tag, record, &find(abi, tag, &names));
        }
    }
    out
}

/// Finds the run of bit fields with these names in the layout of the outermost record.
fn find<'a>(abi: &'a Abi, tag: &str, names: &[&'a str]) -> Vec<Bits<'a>> {
    let root = tag.split("__bindgen_ty_").next().unwrap_or(tag);
    let layouts = object(&abi.layouts["structs"]).values();
    let layout = layouts
        .into_iter()
        .find(|layout| text(&layout["tag"]) == root)
        .unwrap_or_else(|| panic!("{root} has no layout"));
    let rows = layout["fields"].as_array().expect("fields is a list");
    let mut runs = rows
        .windows(names.len())
        .filter(|run| run.iter().zip(names).all(|(row, name)| is_bit_field(row, name)));
    let run = runs.next().unwrap_or_else(|| panic!("{tag}: no bit fields {names:?}"));
    assert!(runs.next().is_none(), "{tag}: two runs of bit fields {names:?}");
    let start = number(&run[0][1]);
    let bits = |(row, name): (&'a Value, &&'a str)| Bits {
        name,
        of: text(&row[3]).trim_start_matches("volatile "),
        offset: (number(&row[1]) - start) * 8 + number(&row[4]),
        width: number(&row[5]),
    };
    run.iter().zip(names).map(bits).collect()
}

fn is_bit_field(row: &Value, name: &str) -> bool {
    row.as_array().is_some_and(|row| row.len() == 6) && text(&row[0]).rsplit('.').next() == Some(name)
}

fn accessors(out: &mut String, tag: &str, record: &Value, bits: &[Bits<'_>]) {
    let unit = fields(record)
        .find(|(name, _)| name.starts_with("_bitfield_"))
        .expect("a bit field unit");
    writeln!(out, "bit_fields! {{ {tag}, {0}: {1}, new{0},", unit.0, unit.1).unwrap();
    for Bits {
        name,
        of,
        offset,
        width,
    } in bits
    {
        writeln!(
            out,
            "    {name} set_{name} {name}_raw set_{name}_raw: {of} [{offset}, {width}],"
        )
        .unwrap();
    }
    writeln!(out, "}}").unwrap();
}
