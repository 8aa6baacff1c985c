//! Reads the ABI data and answers the questions that more than one generator asks.
use serde_json::{Map, Value};
use std::{collections::BTreeMap, fs, path::Path};

/// The KMDF minor version that the crate binds.
pub const KMDF_MINOR: u64 = 31;

/// The five data files.
pub struct Abi {
    pub shapes: Value,
    pub layouts: Value,
    pub enums: Value,
    pub kmdf: Value,
    pub nt: Value,
}

impl Abi {
    pub fn load(dir: &Path) -> Self {
        let read = |name: &str| {
            let path = dir.join(name);
            let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        };
        Self {
            shapes: read("bindgen_shapes.json"),
            layouts: read("structs_x64.json"),
            enums: read("enums.json"),
            kmdf: read("kmdf_functions.json"),
            nt: read("nt_imports.json"),
        }
    }

    /// The number of entries of the function table of the bound KMDF version.
    pub fn function_count(&self) -> usize {
        let count = &self.kmdf["counts_by_minor"][KMDF_MINOR.to_string()];
        count.as_u64().expect("the bound version has a count") as usize
    }

    /// The functions of the bound KMDF version, in table order.
    pub fn functions(&self) -> Vec<Function<'_>> {
        let rows = self.kmdf["functions"].as_array().expect("functions is a list");
        rows.iter()
            .take(self.function_count())
            .enumerate()
            .map(|(index, row)| Function::read(index, row))
            .collect()
    }

    /// The Rust type of a public KMDF function pointer, if the prototype is public.
    pub fn pfn(&self, name: &str) -> Option<&str> {
        self.shapes["wdf_pfn"][name].as_str()
    }

    /// Maps each alias of a record (`IRP`) to its tag (`_IRP`).
    pub fn record_aliases(&self) -> BTreeMap<&str, &str> {
        let records = object(&self.shapes["structs"]).iter();
        let mut aliases: BTreeMap<&str, &str> = records
            .flat_map(|(tag, record)| strings(&record["alias"]).map(|alias| (alias, tag.as_str())))
            .collect();
        for (alias, target) in object(&self.shapes["types"]) {
            aliases.entry(alias).or_insert_with(|| text(target));
        }
        aliases
    }
}

/// One row of the KMDF function table.
pub struct Function<'a> {
    pub name: &'a str,
    pub pfn: &'a str,
    pub since: u64,
    /// The number of parameters of the C function, `DriverGlobals` included.
    pub parameters: usize,
}

impl<'a> Function<'a> {
    fn read(index: usize, row: &'a Value) -> Self {
        assert_eq!(row["i"].as_u64(), Some(index as u64), "the function table has no holes");
        Self {
            name: text(&row["name"]),
            pfn: text(&row["pfn"]),
            since: row["since"].as_u64().expect("since is a number"),
            parameters: row["params"].as_array().expect("params is a list").len(),
        }
    }
}

pub fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("not an object: {value}"))
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("not a string: {value}"))
}

pub fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("not a number: {value}"))
}

/// The strings of a list that may be absent.
pub fn strings(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().into_iter().flatten().map(text)
}

/// `[name, type]` rows.
pub fn fields(record: &Value) -> impl Iterator<Item = (&str, &str)> {
    record["f"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| (text(&row[0]), text(&row[1])))
}
