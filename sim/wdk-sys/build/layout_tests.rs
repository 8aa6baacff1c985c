//! Writes the layout tests.
pub fn generate(_: &crate::data::Abi) -> String { String::new() }
