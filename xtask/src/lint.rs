//! Format check and clippy.

use anyhow::Result;
use xshell::{Shell, cmd};

/// Fails on any difference from rustfmt and on any warning.
pub fn run(shell: &Shell) -> Result<()> {
    cmd!(shell, "cargo fmt --all --check").run()?;
    cmd!(shell, "cargo clippy --quiet --workspace --all-targets -- -D warnings").run()?;
    Ok(())
}
