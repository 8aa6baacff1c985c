//! What an image may import, from the ABI data of the bindings.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::facts::Import;

/// Releases of Windows up to 10 2004, by the names that the data uses. What has no release is older.
const OLD_ENOUGH: [&str; 7] = [
    "WIN8",
    "WINBLUE",
    "WIN10_1507",
    "1607",
    "1803",
    "1903(19H1)",
    "2004(VB)",
];

/// Imports, each with the reason against it if there is one.
#[derive(Clone, Debug, Default)]
pub struct AllowList {
    known: BTreeMap<(String, String), Option<String>>,
}

impl AllowList {
    /// Reads the description of the kernel's functions.
    pub fn from_abi_data(json: &str) -> Result<Self, String> {
        let data: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let mut list = Self::default();
        let functions = data
            .get("functions")
            .and_then(Value::as_object)
            .ok_or("the data lists no functions")?;
        let exported = |row: &Value| row["kind"] == "import" || row["kind"] == "undeclared";
        for (name, row) in functions.iter().filter(|(_, row)| exported(row)) {
            if let Some(module) = row["module"].as_str() {
                list.add(module, name, row["since"].as_str().and_then(too_new));
            }
        }
        let loader = data
            .get("wdfldr")
            .ok_or("the data does not know the loader of the framework")?;
        let module = loader["module"]
            .as_str()
            .ok_or("the loader of the framework has no module")?;
        let functions = loader["functions"]
            .as_object()
            .ok_or("the loader of the framework has no functions")?;
        for name in functions.keys() {
            list.add(module, name, None);
        }
        Ok(list)
    }

    fn add(&mut self, module: &str, name: &str, against: Option<String>) {
        self.known.insert((module.to_owned(), name.to_owned()), against);
    }

    /// Why something must not be imported.
    pub fn objection(&self, import: &Import) -> Option<String> {
        let key = (import.module.clone(), import.name.clone());
        match self.known.get(&key) {
            Some(against) => against.as_ref().map(|reason| format!("{import}: {reason}")),
            None => Some(format!("{import} is not among the known exports")),
        }
    }
}

fn too_new(since: &str) -> Option<String> {
    (!OLD_ENOUGH.contains(&since)).then(|| format!("exported since {since}, after Windows 10 2004"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: &str = r#"{
        "wdfldr": {"module": "WDFLDR.SYS", "functions": {"WdfVersionBind": []}},
        "functions": {
            "IoFreeMdl": {"kind": "import", "module": "ntoskrnl.exe"},
            "KeNew": {"kind": "import", "module": "ntoskrnl.exe", "since": "WIN11_22H2(NI)"},
            "__chkstk": {"kind": "undeclared", "module": "ntoskrnl.exe"},
            "KeInline": {"kind": "inline", "module": null}
        }}"#;

    fn import(module: &str, name: &str) -> Import {
        Import {
            module: module.to_owned(),
            name: name.to_owned(),
            slot: 0,
        }
    }

    #[test]
    fn what_the_data_names_is_allowed() {
        let list = AllowList::from_abi_data(DATA).unwrap();
        for (module, name) in [
            ("ntoskrnl.exe", "IoFreeMdl"),
            ("WDFLDR.SYS", "WdfVersionBind"),
            ("ntoskrnl.exe", "__chkstk"),
        ] {
            assert_eq!(list.objection(&import(module, name)), None);
        }
    }

    #[test]
    fn the_rest_is_not() {
        let list = AllowList::from_abi_data(DATA).unwrap();
        for (module, name) in [
            ("ntoskrnl.exe", "KeInline"),
            ("HAL.dll", "IoFreeMdl"),
            ("KERNEL32.dll", "ExitProcess"),
        ] {
            assert!(list.objection(&import(module, name)).unwrap().contains("not among"));
        }
        let new = list.objection(&import("ntoskrnl.exe", "KeNew")).unwrap();
        assert!(new.contains("after Windows 10 2004"));
    }
}
