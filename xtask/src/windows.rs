//! Type-checks for Windows: the client with its real transport and the attacks that go through it, the driver on the stand-in bindings.

use anyhow::{Result, bail};
use xshell::{Shell, cmd};

const TARGETS: [&str; 2] = ["x86_64-pc-windows-msvc", "x86_64-pc-windows-gnu"];
/// Set where a missing target is to be skipped instead of failing.
pub const SKIP_VARIABLE: &str = "HAWSER_SKIP_WINDOWS_CHECK";

/// Adds the targets where they are missing and checks the crates.
pub fn run(shell: &Shell) -> Result<()> {
    for target in TARGETS {
        if !available(shell, target)? {
            if shell.var(SKIP_VARIABLE).is_ok() {
                println!("SKIPPED: no {target} toolchain, and {SKIP_VARIABLE} is set");
                continue;
            }
            bail!(
                "the target {target} cannot be added (`rustup target add {target}`); set {SKIP_VARIABLE}=1 to go without"
            );
        }
        cmd!(
            shell,
            "cargo check --quiet -p hawser -p hawser-cli -p hawser-attack --target {target}"
        )
        .run()?;
    }
    check_driver(shell)
}

fn available(shell: &Shell, target: &str) -> Result<bool> {
    let installed = cmd!(shell, "rustup target list --installed")
        .quiet()
        .read()
        .unwrap_or_default();
    if installed.lines().any(|line| line.trim() == target) {
        return Ok(true);
    }
    Ok(cmd!(shell, "rustup target add {target}").run().is_ok())
}

fn check_driver(shell: &Shell) -> Result<()> {
    let target = TARGETS[0];
    if !available(shell, target)? {
        return Ok(());
    }
    let _flags = shell.push_env("RUSTFLAGS", "--cfg wdk_standin");
    let _folder = shell.push_env("CARGO_TARGET_DIR", "target/windows-standin");
    cmd!(shell, "cargo check --quiet -p hawser-driver --target {target}").run()?;
    Ok(())
}
