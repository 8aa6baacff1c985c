//! Files generated from source: the C header from the `abi` crate, the tables in `docs/` from it and from the simulator.

use std::path::PathBuf;

use anyhow::{Result, bail};
use xshell::{Shell, cmd};

use crate::{header, tables};

/// A file and the text it should have.
struct Generated {
    path: PathBuf,
    text: String,
}

/// Writes every generated file.
pub fn write(shell: &Shell) -> Result<()> {
    for file in generate(shell)? {
        shell.write_file(&file.path, &file.text)?;
        println!("wrote {}", file.path.display());
    }
    Ok(())
}

/// Fails where a generated file is stale, then compiles the header: C11 evaluates its assertions on sizes and offsets.
pub fn check(shell: &Shell) -> Result<()> {
    for file in generate(shell)? {
        if shell.read_file(&file.path).ok().as_deref() != Some(&file.text) {
            bail!("{} is stale: run `cargo xtask abi`", file.path.display());
        }
    }
    let header = header::PATH;
    cmd!(shell, "cc -std=c11 -Wall -Wextra -Werror -fsyntax-only -x c {header}").run()?;
    Ok(())
}

fn generate(shell: &Shell) -> Result<Vec<Generated>> {
    let mut files = vec![Generated {
        path: header::PATH.into(),
        text: header::text(shell)?,
    }];
    for document in tables::DOCUMENTS {
        let text = tables::fill(shell, &shell.read_file(document)?)?;
        files.push(Generated {
            path: document.into(),
            text,
        });
    }
    Ok(files)
}
