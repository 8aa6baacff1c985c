//! Lists the size, alignment and field offsets that the compiler gives the records.
use crate::data::{Abi, fields, object, text};
use serde_json::Value;
use std::{collections::BTreeMap, fmt::Write};

pub fn generate(abi: &Abi) -> String {
    let finder = Finder {
        shapes: &abi.shapes["structs"],
        aliases: abi.record_aliases(),
    };
    let mut out = String::from("pub const RECORDS: &[Record] = &[\n");
    for tag in object(&abi.shapes["structs"])
        .keys()
        .chain(object(&abi.shapes["other_structs_by_ref"]).keys())
    {
        writeln!(out, "    record!({tag}, wdk_sys::{tag}),").unwrap();
    }
    for name in LOADER_RECORDS {
        writeln!(out, "    record!(_{name}, wdk_sys::standin::{name}),").unwrap();
    }
    out.push_str("];\npub const FIELDS: &[Field] = &[\n");
    for layout in object(&abi.layouts["structs"]).values() {
        rows(&mut out, &finder, layout);
    }
    out.push_str("];\npub fn bit_fields() -> Vec<BitField> {\n    vec![\n");
    for layout in object(&abi.layouts["structs"]).values() {
        bit_field_rows(&mut out, &finder, layout);
    }
    out.push_str("    ]\n}\n");
    out
}

/// Records that are written by hand in `src/standin/loader.rs`, because the real crate does not have them.
const LOADER_RECORDS: [&str; 2] = ["WDF_BIND_INFO", "WDF_VERSION"];

/// The fields of one record that the Rust form has. What it does not have is for the test to find.
fn rows(out: &mut String, finder: &Finder<'_>, layout: &Value) {
    let tag = text(&layout["tag"]);
    for row in layout["fields"]
        .as_array()
        .expect("fields is a list")
        .iter()
        .filter(|row| row.as_array().map(Vec::len) == Some(4))
    {
        let name = text(&row[0]);
        if LOADER_RECORDS.contains(&tag.trim_start_matches('_')) {
            writeln!(
                out,
                "    field!({tag}, {name:?}, wdk_sys::standin::{}, {name}),",
                &tag[1..]
            )
            .unwrap();
        } else if let Some(path) = finder.path(tag, name) {
            writeln!(out, "    field!({tag}, {name:?}, wdk_sys::{tag}, {path}),").unwrap();
        }
    }
}

/// The bit fields of one record, as their setters.
fn bit_field_rows(out: &mut String, finder: &Finder<'_>, layout: &Value) {
    let tag = text(&layout["tag"]);
    for row in layout["fields"]
        .as_array()
        .expect("fields is a list")
        .iter()
        .filter(|row| row.as_array().map(Vec::len) == Some(6))
    {
        let name = text(&row[0]);
        if let Some((path, setter, owner)) = finder.setter(tag, name) {
            writeln!(
                out,
                "        bit_field!({tag}, {name:?}, wdk_sys::{tag}, [{path}], wdk_sys::{owner}::{setter}),"
            )
            .unwrap();
        }
    }
}

/// Finds C members in the Rust records.
struct Finder<'a> {
    shapes: &'a Value,
    aliases: BTreeMap<&'a str, &'a str>,
}

impl<'a> Finder<'a> {
    /// The Rust field path of a C member, through the unnamed members.
    fn path(&self, tag: &str, member: &str) -> Option<String> {
        let (first, rest) = member
            .split_once('.')
            .map_or((member, None), |(first, rest)| (first, Some(rest)));
        let own = fields(&self.shapes[tag]).find(|(name, _)| *name == first || *name == format!("{first}_"));
        if let Some((name, of)) = own {
            return match rest {
                None => Some(name.to_owned()),
                Some(rest) => Some(format!("{name}.{}", self.path(self.tag(of), rest)?)),
            };
        }
        self.unnamed(tag)
            .find_map(|(name, of)| Some(format!("{name}.{}", self.path(self.tag(of), member)?)))
    }

    /// The path to the record that has a bit field, the name of its setter, and the tag of that record.
    fn setter(&self, tag: &'a str, member: &str) -> Option<(String, String, &'a str)> {
        if let Some((first, rest)) = member.split_once('.') {
            let (name, of) = fields(&self.shapes[tag]).find(|(name, _)| *name == first)?;
            let (path, setter, owner) = self.setter(self.tag(of), rest)?;
            return Some((format!(".{name}{path}"), setter, owner));
        }
        let names = self.shapes[tag]["bitfield_accessors"].as_array().into_iter().flatten();
        if names.map(text).any(|name| name == member) {
            return Some((String::new(), format!("set_{member}_raw"), tag));
        }
        self.unnamed(tag).find_map(|(name, of)| {
            let (path, setter, owner) = self.setter(self.tag(of), member)?;
            Some((format!(".{name}{path}"), setter, owner))
        })
    }

    fn unnamed(&self, tag: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        fields(&self.shapes[tag]).filter(|(name, _)| name.starts_with("__bindgen_anon_"))
    }

    /// The tag of a type that may be named by an alias.
    fn tag(&self, mut of: &'a str) -> &'a str {
        while let Some(target) = self.aliases.get(of) {
            of = target;
        }
        of
    }
}
