//! NT functions: thunks through import slots for the host, raw-dylib imports for Windows.
use crate::{
    data::{Abi, object, text},
    signature::Signature,
};
use serde_json::Value;
use std::{collections::BTreeMap, fmt::Write};

/// The KMDF loader functions that the entry stub calls, in the form of the other imports.
const LOADER: [(&str, &str); 2] = [
    (
        "WdfVersionBind",
        "fn(DriverObject: PDRIVER_OBJECT, RegistryPath: PUNICODE_STRING, BindInfo: PWDF_BIND_INFO, \
         ComponentGlobals: *mut PWDF_DRIVER_GLOBALS) -> NTSTATUS",
    ),
    (
        "WdfVersionUnbind",
        "fn(RegistryPath: PUNICODE_STRING, BindInfo: PWDF_BIND_INFO, \
         ComponentGlobals: PWDF_DRIVER_GLOBALS) -> NTSTATUS",
    ),
];

/// One function that an image imports.
struct Import<'a> {
    module: &'a str,
    signature: Signature<'a>,
    must_use: bool,
}

/// Every function import, by name. A function without exporting image cannot be imported.
fn imports(abi: &Abi) -> BTreeMap<&str, Import<'_>> {
    let rows = object(&abi.nt["functions"])
        .iter()
        .filter(|(_, row)| text(&row["kind"]) == "import");
    let bound = rows.filter_map(|(name, row)| Some((name.as_str(), read(row)?)));
    bound
        .chain(LOADER.iter().map(|(name, rust)| (*name, loader(abi, name, rust))))
        .collect()
}

fn read(row: &Value) -> Option<Import<'_>> {
    let module = row["module"].as_str()?;
    let rust = row["rust"].as_str()?;
    Some(Import {
        module,
        signature: Signature::parse(rust),
        must_use: !row["must_use"].is_null(),
    })
}

fn loader<'a>(abi: &'a Abi, name: &str, rust: &'a str) -> Import<'a> {
    let signature = Signature::parse(rust);
    let row = abi.nt["wdfldr"]["functions"][name]
        .as_array()
        .expect("the loader function is in the data");
    assert_eq!(row.len() - 1, signature.parameters.len(), "{name}: parameter count");
    Import {
        module: text(&abi.nt["wdfldr"]["module"]),
        signature,
        must_use: true,
    }
}

fn is_loader(name: &str) -> bool {
    LOADER.iter().any(|(loader, _)| *loader == name)
}

/// The imports and their slots.
fn host(abi: &Abi) -> impl Iterator<Item = (usize, &str, Import<'_>)> {
    imports(abi)
        .into_iter()
        .enumerate()
        .map(|(slot, (name, import))| (slot, name, import))
}

/// The table of import slots, sorted by name.
pub fn slots(abi: &Abi) -> String {
    let rows: Vec<_> = host(abi)
        .map(|(_, name, import)| format!("    ImportSlot::new({:?}, {name:?}),\n", import.module))
        .collect();
    format!(
        "pub(super) static IMPORTS: [ImportSlot; {}] = [\n{}];\n",
        rows.len(),
        rows.concat()
    )
}

/// The variables that Windows exports, by image.
pub fn variables(abi: &Abi) -> String {
    let rows: Vec<_> = object(&abi.nt["functions"])
        .iter()
        .filter(|(_, row)| text(&row["kind"]) == "data")
        .filter_map(|(name, row)| Some(format!("    ({:?}, {name:?}),\n", row["module"].as_str()?)))
        .collect();
    format!(
        "static VARIABLES: [(&str, &str); {}] = [\n{}];\n",
        rows.len(),
        rows.concat()
    )
}

/// The host functions that jump through the slots.
pub fn thunks(abi: &Abi) -> String {
    let mut nt = String::new();
    let mut loader = String::new();
    for (slot, name, import) in host(abi) {
        let out = if is_loader(name) { &mut loader } else { &mut nt };
        let attribute = if import.must_use { "#[must_use] " } else { "" };
        let Signature { returns, .. } = import.signature;
        let declaration = import.signature.declaration();
        let thunk = if import.signature.variadic {
            "variadic_thunk!"
        } else {
            "thunk!"
        };
        writeln!(
            out,
            "{thunk} {{ {slot}, {attribute}{name}({declaration}) -> {returns} }}"
        )
        .unwrap();
    }
    format!("nt_thunks! {{\n{nt}}}\nloader_thunks! {{\n{loader}}}\n")
}

/// The Windows form: one `extern` block for each exporting image.
pub fn windows_imports(abi: &Abi) -> String {
    let mut blocks: BTreeMap<(bool, &str), String> = BTreeMap::new();
    for (name, import) in imports(abi) {
        let out = blocks.entry((is_loader(name), import.module)).or_default();
        let attribute = if import.must_use { "#[must_use] " } else { "" };
        let variadic = if import.signature.variadic { ", ..." } else { "" };
        let declaration = import.signature.declaration();
        writeln!(
            out,
            "    {attribute}pub fn {name}({declaration}{variadic}) -> {};",
            import.signature.returns
        )
        .unwrap();
    }
    let mut out = String::new();
    for loader in [false, true] {
        writeln!(out, "{} {{", if loader { "loader_imports!" } else { "nt_imports!" }).unwrap();
        for ((_, module), items) in blocks.iter().filter(|((of_loader, _), _)| *of_loader == loader) {
            writeln!(
                out,
                "#[link(name = {module:?}, kind = \"raw-dylib\", modifiers = \"+verbatim\")]"
            )
            .unwrap();
            writeln!(out, "unsafe extern \"C\" {{\n{items}}}").unwrap();
        }
        writeln!(out, "}}").unwrap();
    }
    out
}
