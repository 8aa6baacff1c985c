//! Generates the bindings from the ABI data in `data/`.
//!
//! Each module writes one file into `OUT_DIR`; `src/` says where it is included. The files named `reflected_*` are
//! included by `tests/`: they list what the compiler made of the bindings, which the tests compare with the data.
mod bitfields;
mod consts;
mod data;
mod enums;
mod ntddk;
mod records;
mod reflected_layout;
mod reflected_numbers;
mod signature;
mod types;
mod wdf;

use std::{fs, path::Path};

fn main() {
    println!("cargo::rerun-if-changed=data");
    println!("cargo::rerun-if-changed=build");
    let data = data::Abi::load(Path::new("data"));
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let windows = std::env::var_os("CARGO_CFG_WINDOWS").is_some();
    let write = |name: &str, text: String| {
        let text = if windows { text } else { host_convention(&text) };
        fs::write(Path::new(&out).join(name), text).expect("OUT_DIR is writable");
    };

    write("types.rs", types::generate(&data));
    write("records.rs", records::generate(&data));
    write("bitfields.rs", bitfields::generate(&data));
    write("enums.rs", enums::generate(&data));
    write("consts.rs", consts::generate(&data));
    write("ntddk_thunks.rs", ntddk::thunks(&data));
    write("ntddk_slots.rs", ntddk::slots(&data));
    write("ntddk_variables.rs", ntddk::variables(&data));
    write("ntddk_imports.rs", ntddk::windows_imports(&data));
    write("wdf_calls.rs", wdf::calls(&data));
    write("wdf_functions.rs", wdf::functions(&data));
    write("reflected_layout.rs", reflected_layout::generate(&data));
    write("reflected_numbers.rs", reflected_numbers::generate(&data));
}

/// Function types as the host has to spell them: the data describes Windows, where the C convention is another one.
fn host_convention(text: &str) -> String {
    text.replace("extern \"C\"", "extern \"win64\"")
}
