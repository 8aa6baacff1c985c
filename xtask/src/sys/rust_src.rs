//! The sources of the Rust library for a nightly compiler: its component, Debian's package, or what the user names.

use std::path::{Path, PathBuf};

use xshell::{Shell, cmd};

use super::core_library::{Toolchain, run_quietly};
use super::debian;

/// Names a folder or an archive with the library's sources.
pub const VARIABLE: &str = "HAWSER_RUST_SRC";

/// Where the library is in a folder: itself, a checkout of the compiler, a toolchain, the component's archive.
const SHAPES: [&str; 4] = [
    "",
    "library",
    "lib/rustlib/src/rust/library",
    "rust-src/lib/rustlib/src/rust/library",
];

/// Sources of the library.
pub struct Sources {
    /// Where they come from, for the user.
    pub origin: String,
    /// Where they are, unless the toolchain finds them by itself.
    pub library: Option<PathBuf>,
}

/// The toolchain's own component, added where it is missing and `rustup` can.
pub fn component(shell: &Shell, toolchain: &Toolchain) -> Result<Sources, String> {
    let library = toolchain.sysroot(shell)?.join("lib/rustlib/src/rust/library");
    if !is_library(&library) {
        let name = toolchain.name.as_ref();
        let name = name.ok_or_else(|| format!("{} has no sources", toolchain.version))?;
        run_quietly(cmd!(shell, "rustup component add rust-src --toolchain {name}"))?;
    }
    if !is_library(&library) {
        return Err(format!("{} is not there", library.display()));
    }
    Ok(Sources {
        origin: "component rust-src".to_owned(),
        library: None,
    })
}

/// Debian's package, if its version is the toolchain's.
pub fn debian(shell: &Shell, toolchain: &Toolchain) -> Result<Sources, String> {
    let release = toolchain.release().ok_or("the toolchain has no version")?;
    let (folder, version) = debian::rust_src(shell, release)?;
    let library = find_library(&folder).ok_or_else(|| no_library(&folder))?;
    Ok(Sources {
        origin: format!("Debian's rust-src {version}"),
        library: Some(library),
    })
}

/// What the environment variable names.
pub fn named(shell: &Shell, _: &Toolchain) -> Result<Sources, String> {
    let named = shell.var_os(VARIABLE).ok_or_else(|| format!("{VARIABLE} is not set"))?;
    let path = shell.current_dir().join(named);
    let folder = if path.is_file() {
        extract(shell, &path)?
    } else {
        path.clone()
    };
    let library = find_library(&folder).ok_or_else(|| no_library(&path))?;
    Ok(Sources {
        origin: format!("{} ({VARIABLE})", path.display()),
        library: Some(library),
    })
}

/// Unpacks an archive below `target`, once.
fn extract(shell: &Shell, archive: &Path) -> Result<PathBuf, String> {
    let name = archive.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let length = archive.metadata().map_err(|error| error.to_string())?.len();
    let folder = shell
        .current_dir()
        .join(format!("target/hawser/rust-src/{name}-{length}"));
    if find_library(&folder).is_some() {
        return Ok(folder);
    }
    unpack_into(shell, &folder, |partial| {
        run_quietly(cmd!(shell, "tar -xf {archive} -C {partial}"))
    })?;
    Ok(folder)
}

/// Fills a folder so that it is there completely or not at all.
pub fn unpack_into(shell: &Shell, folder: &Path, fill: impl FnOnce(&Path) -> Result<(), String>) -> Result<(), String> {
    let partial = folder.with_extension("partial");
    let said = |error: xshell::Error| error.to_string();
    shell.remove_path(&partial).map_err(said)?;
    shell.create_dir(&partial).map_err(said)?;
    fill(&partial)?;
    shell.remove_path(folder).map_err(said)?;
    std::fs::rename(&partial, folder).map_err(|error| error.to_string())
}

fn is_library(folder: &Path) -> bool {
    folder.join("Cargo.toml").is_file() && folder.join("core/src/lib.rs").is_file()
}

/// The library's folder in one of the shapes in which the sources are handed round, or below the only folder of an archive.
fn find_library(folder: &Path) -> Option<PathBuf> {
    library_in(folder).or_else(|| {
        let folders = folder
            .read_dir()
            .ok()?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_dir());
        let [only] = folders.collect::<Vec<_>>().try_into().ok()?;
        library_in(&only)
    })
}

fn library_in(folder: &Path) -> Option<PathBuf> {
    let candidates = SHAPES.iter().map(|shape| folder.join(shape));
    candidates.into_iter().find(|candidate| is_library(candidate))
}

fn no_library(place: &Path) -> String {
    format!(
        "{} holds no library sources (a folder with Cargo.toml and core/src/lib.rs)",
        place.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_found_below_an_archives_top() {
        let top = tempfile::tempdir().unwrap();
        let library = top.path().join("rust-src-1.97.1/rust-src/lib/rustlib/src/rust/library");
        std::fs::create_dir_all(library.join("core/src")).unwrap();
        assert_eq!(find_library(top.path()), None);
        std::fs::write(library.join("Cargo.toml"), "").unwrap();
        std::fs::write(library.join("core/src/lib.rs"), "").unwrap();
        assert_eq!(find_library(top.path()), Some(library.clone()));
        assert_eq!(find_library(&library), Some(library));
        std::fs::create_dir(top.path().join("another")).unwrap();
        assert_eq!(
            find_library(top.path()),
            None,
            "no search through whatever a folder holds"
        );
    }
}
