//! A view of a toolchain that has library sources where `-Zbuild-std` looks for them; the toolchain itself stays as it is.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use xshell::Shell;

use super::core_library::Toolchain;

/// A compiler that calls the view its system root.
pub fn with_sources(shell: &Shell, toolchain: &Toolchain, library: &Path) -> Result<PathBuf> {
    let real = toolchain.sysroot(shell).map_err(anyhow::Error::msg)?;
    let view = shell.current_dir().join("target/hawser/sysroot");
    shell.remove_path(&view)?;
    let sources = Path::new("lib/rustlib/src/rust");
    mirror(&real, &view, sources)?;
    shell.create_dir(view.join(sources))?;
    link(library, &view.join(sources).join("library"))?;
    let rustc = view.join("rustc");
    let text = format!(
        "#!/bin/sh\nexec '{}' --sysroot '{}' \"$@\"\n",
        real.join("bin/rustc").display(),
        view.display()
    );
    shell.write_file(&rustc, text)?;
    make_executable(&rustc)?;
    Ok(rustc)
}

/// Makes a folder whose entries are links to those of another, except along a path.
fn mirror(real: &Path, view: &Path, except: &Path) -> Result<()> {
    std::fs::create_dir_all(view)?;
    let mut components = except.components();
    let Some(own) = components.next() else { return Ok(()) };
    for entry in real
        .read_dir()
        .with_context(|| format!("cannot read {}", real.display()))?
    {
        let name = entry?.file_name();
        if name != own.as_os_str() {
            link(&real.join(&name), &view.join(&name))?;
        }
    }
    let next = real.join(own);
    if next.is_dir() {
        mirror(&next, &view.join(own), components.as_path())?;
    }
    Ok(())
}

#[cfg(unix)]
fn link(target: &Path, link: &Path) -> Result<()> {
    std::os::unix::fs::symlink(target, link).with_context(|| format!("cannot make the link {}", link.display()))
}

#[cfg(unix)]
fn make_executable(file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    Ok(std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755))?)
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> Result<()> {
    anyhow::bail!("foreign library sources can be used on Unix only; install the component rust-src")
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_view_differs_in_one_place() {
        let top = tempfile::tempdir().unwrap();
        let (real, view) = (top.path().join("real"), top.path().join("view"));
        std::fs::create_dir_all(real.join("lib/rustlib/src/rust")).unwrap();
        std::fs::create_dir_all(real.join("lib/rustlib/etc")).unwrap();
        std::fs::write(real.join("lib/rustlib/src/rust/old"), "").unwrap();
        std::fs::write(real.join("lib/driver.so"), "so").unwrap();
        mirror(&real, &view, Path::new("lib/rustlib/src/rust")).unwrap();
        assert_eq!(std::fs::read_to_string(view.join("lib/driver.so")).unwrap(), "so");
        assert!(view.join("lib/rustlib/etc").is_symlink());
        assert!(view.join("lib/rustlib/src/rust").is_dir());
        assert!(!view.join("lib/rustlib/src/rust/old").exists());
    }
}
