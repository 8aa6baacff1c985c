//! Generates the bindings and their tests from the ABI data in `data/`.
//!
//! Each module writes one file into `OUT_DIR`; `src/` says where it is included. The files named `test_*` are included by `tests/`.
mod bitfields;
mod consts;
mod data;
mod enums;
mod fact_tests;
mod layout_tests;
mod ntddk;
mod records;
mod signature;
mod types;
mod wdf;

use std::{fs, path::Path};

fn main() {
    println!("cargo::rerun-if-changed=data");
    println!("cargo::rerun-if-changed=build");
    let data = data::Abi::load(Path::new("data"));
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let write = |name: &str, text: String| fs::write(Path::new(&out).join(name), text).expect("OUT_DIR is writable");

    write("types.rs", types::generate(&data));
    write("records.rs", records::generate(&data));
    write("bitfields.rs", bitfields::generate(&data));
    write("enums.rs", enums::generate(&data));
    write("consts.rs", consts::generate(&data));
    write("ntddk_thunks.rs", ntddk::thunks(&data));
    write("ntddk_slots.rs", ntddk::slots(&data));
    write("ntddk_imports.rs", ntddk::windows_imports(&data));
    write("wdf_calls.rs", wdf::calls(&data));
    write("wdf_functions.rs", wdf::functions(&data));
    write("test_layout.rs", layout_tests::generate(&data));
    write("test_facts.rs", fact_tests::generate(&data));
}
