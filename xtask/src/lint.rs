//! Format check, clippy, and the documentation of the crates, those of the benchmarks included.

use anyhow::Result;
use xshell::{Shell, cmd};

use crate::bench;

/// Fails on any difference from rustfmt and on any warning.
pub fn run(shell: &Shell) -> Result<()> {
    cmd!(shell, "cargo fmt --all --check").run()?;
    cmd!(shell, "cargo clippy --quiet --workspace --all-targets -- -D warnings").run()?;
    let (manifest, benchmarks) = (bench::MANIFEST, bench::SELECTION);
    cmd!(shell, "cargo fmt --manifest-path {manifest} --check").run()?;
    cmd!(
        shell,
        "cargo clippy --quiet {benchmarks...} --all-targets -- -D warnings"
    )
    .run()?;
    let _flags = shell.push_env("RUSTDOCFLAGS", "-D warnings");
    cmd!(shell, "cargo doc --quiet --workspace --no-deps --lib").run()?;
    cmd!(shell, "cargo doc --quiet {benchmarks...} --no-deps --lib").run()?;
    Ok(())
}
