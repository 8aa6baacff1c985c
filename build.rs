//! The build script of the driver. On Windows it lets `wdk-build` configure the linker for a KMDF image; everywhere else, and where `--cfg wdk_standin` asks for the stand-in
//! bindings, nothing of the WDK takes part.

use std::process::ExitCode;

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=../build.rs");
    if with_the_wdk() { configure() } else { ExitCode::SUCCESS }
}

/// Whether the target is Windows with the crates of the WDK.
fn with_the_wdk() -> bool {
    let cfg = |name: &str| std::env::var_os(format!("CARGO_CFG_{name}")).is_some();
    cfg("WINDOWS") && !cfg("WDK_STANDIN")
}

#[cfg(all(windows, not(wdk_standin)))]
fn configure() -> ExitCode {
    // The package has the symbols under the name of the image, not under that of the crate.
    println!("cargo::rustc-cdylib-link-arg=/PDBALTPATH:hawser.pdb");
    match wdk_build::configure_wdk_binary_build() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error=the WDK cannot be used: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(all(windows, not(wdk_standin))))]
fn configure() -> ExitCode {
    println!("cargo::error=the WDK needs a Windows host; build with `--cfg wdk_standin` to use the stand-in bindings");
    ExitCode::FAILURE
}
