//! The data files.
use serde_json::Value;
use std::path::Path;

/// Reads one data file.
pub fn read(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name);
    let text = std::fs::read_to_string(&path).expect("the data file is readable");
    serde_json::from_str(&text).expect("the data file is JSON")
}

/// The entries of an object.
pub fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value
        .as_object()
        .expect("an object")
        .iter()
        .map(|(name, value)| (name.as_str(), value))
}

/// A string.
pub fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

/// A size, an offset or a count.
pub fn number(value: &Value) -> usize {
    value.as_u64().expect("a number") as usize
}
