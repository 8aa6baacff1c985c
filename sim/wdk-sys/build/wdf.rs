//! The KMDF functions: one calling function for each public one, and names for reflection.
use crate::{data::Abi, signature::Signature};
use std::fmt::Write;

/// The functions that `call_unsafe_wdf_function_binding!` resolves to.
pub fn calls(abi: &Abi) -> String {
    let mut out = String::new();
    for function in abi.functions() {
        let Some(pfn) = abi.pfn(function.pfn) else { continue };
        let mut signature = Signature::parse(pfn);
        let globals = signature.parameters.remove(0);
        assert_eq!(
            globals.1, "PWDF_DRIVER_GLOBALS",
            "{}: the first parameter",
            function.name
        );
        let attribute = if signature.returns == "()" { "" } else { "#[must_use] " };
        let declaration = signature.declaration();
        writeln!(
            out,
            "wdf_call! {{ {attribute}{0}, {0}TableIndex({declaration}) -> {1} }}",
            function.name, signature.returns
        )
        .unwrap();
    }
    out
}

/// `(name, first minor version)` in table order.
pub fn functions(abi: &Abi) -> String {
    let rows: Vec<_> = abi
        .functions()
        .iter()
        .map(|function| format!("    ({:?}, {}),\n", function.name, function.since))
        .collect();
    format!(
        "static FUNCTIONS: [(&str, u32); {}] = [\n{}];\n",
        rows.len(),
        rows.concat()
    )
}
