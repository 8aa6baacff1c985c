//! Keys and values. Names are compared without case, as the registry does.

use std::collections::BTreeMap;
use wdk_sys::{REG_DWORD, REG_SZ, ULONG};

/// A value: its type and bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The type, such as `REG_DWORD`.
    pub kind: ULONG,
    /// The data.
    pub bytes: Vec<u8>,
}

impl Value {
    /// A `REG_DWORD`.
    #[must_use]
    pub fn dword(number: u32) -> Self {
        Self {
            kind: REG_DWORD,
            bytes: number.to_le_bytes().to_vec(),
        }
    }

    /// A `REG_SZ`.
    #[must_use]
    pub fn string(text: &str) -> Self {
        let units = text.encode_utf16().chain([0]);
        Self {
            kind: REG_SZ,
            bytes: units.flat_map(u16::to_le_bytes).collect(),
        }
    }
}

/// All keys by full path, each with its values by name, in lower case.
#[derive(Debug, Default)]
pub(super) struct Tree {
    keys: BTreeMap<String, BTreeMap<String, Value>>,
}

/// There is no such key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoKey;

impl Tree {
    /// Makes a key and all above it. Says whether it was there.
    pub(super) fn create(&mut self, path: &str) -> bool {
        let path = fold(path);
        let known = self.keys.contains_key(&path);
        for (end, _) in path.char_indices().filter(|(at, letter)| *letter == '\\' && *at > 0) {
            self.keys.entry(path[..end].to_owned()).or_default();
        }
        self.keys.entry(path).or_default();
        known
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.keys.contains_key(&fold(path))
    }

    pub(super) fn value(&self, path: &str, name: &str) -> Option<&Value> {
        self.keys.get(&fold(path))?.get(&fold(name))
    }

    pub(super) fn set(&mut self, path: &str, name: &str, value: Value) -> Result<(), NoKey> {
        self.keys.get_mut(&fold(path)).ok_or(NoKey)?.insert(fold(name), value);
        Ok(())
    }

    /// Removes a value; says whether it was there.
    pub(super) fn unset(&mut self, path: &str, name: &str) -> bool {
        self.keys
            .get_mut(&fold(path))
            .is_some_and(|values| values.remove(&fold(name)).is_some())
    }

    /// Removes a key that has none below it; says whether it did.
    pub(super) fn remove(&mut self, path: &str) -> bool {
        let path = fold(path);
        let below = format!("{path}\\");
        !self.keys.keys().any(|key| key.starts_with(&below)) && self.keys.remove(&path).is_some()
    }
}

/// The form in which names are compared.
fn fold(name: &str) -> String {
    name.trim_end_matches('\\').to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_brings_those_above_it() {
        let mut tree = Tree::default();
        assert!(!tree.create(r"\Registry\Machine\A\B"));
        assert!(tree.create(r"\registry\machine\a\b"));
        assert!(tree.has(r"\Registry\Machine\A") && !tree.has(r"\Registry\Machine\C"));
    }

    #[test]
    fn values_are_found_without_case() {
        let mut tree = Tree::default();
        assert_eq!(tree.set(r"\Registry\A", "Max", Value::dword(1)), Err(NoKey));
        tree.create(r"\Registry\A");
        tree.set(r"\Registry\A", "MaxSteps", Value::dword(7)).unwrap();
        assert_eq!(tree.value(r"\REGISTRY\a", "maxsteps"), Some(&Value::dword(7)));
        assert!(tree.unset(r"\Registry\A", "MAXSTEPS") && !tree.unset(r"\Registry\A", "MaxSteps"));
    }

    #[test]
    fn a_key_with_others_below_it_stays() {
        let mut tree = Tree::default();
        tree.create(r"\Registry\A\B");
        assert!(!tree.remove(r"\Registry\A"));
        assert!(tree.remove(r"\Registry\A\B") && tree.remove(r"\Registry\A"));
    }
}
