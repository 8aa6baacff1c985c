//! Finds the core library for a Windows target: one that is installed, one that `rustup` adds, or one built from source.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use xshell::{Shell, cmd};

use super::rust_src::{self, Sources};
use super::sysroot;
use super::target::Arch;

/// Ways to get the core library, in the order in which they are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Way {
    /// The compiler in use has the target
    Installed,
    /// `rustup target add`
    Rustup,
    /// A nightly compiler builds it from the `rust-src` component
    Component,
    /// ...from Debian's `rust-src` package of the nightly's version
    Debian,
    /// ...from the folder or archive that HAWSER_RUST_SRC names
    Named,
}

/// A core library, and how to compile with it.
pub struct CoreLibrary {
    way: Way,
    detail: String,
    /// Compiler that builds the library itself; the one in use where there is none.
    pub nightly: Option<Nightly>,
}

/// A nightly compiler that builds the core library.
pub struct Nightly {
    /// Argument that selects it, where `rustup` is at hand.
    pub selector: Option<String>,
    /// A compiler that finds the sources, where the toolchain itself does not.
    pub rustc: Option<PathBuf>,
}

impl fmt::Display for CoreLibrary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.way {
            Way::Installed => "core library installed",
            Way::Rustup => "core library added by rustup",
            Way::Component | Way::Debian | Way::Named => "core library built from source",
        };
        write!(out, "{how}: {}", self.detail)
    }
}

/// No way led to a core library for the target.
#[derive(Debug)]
pub struct NoCrossToolchain {
    arch: Arch,
    tried: Vec<(Way, String)>,
}

impl std::error::Error for NoCrossToolchain {}

impl fmt::Display for NoCrossToolchain {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let triple = self.arch.triple();
        writeln!(out, "no core library for {triple}:")?;
        for (way, reason) in &self.tried {
            let name = way
                .to_possible_value()
                .map_or_else(String::new, |value| value.get_name().to_owned());
            writeln!(out, "  {name}: {}", reason.trim_end().replace('\n', "\n    "))?;
        }
        writeln!(out, "Any one of these helps:")?;
        writeln!(out, "  rustup target add {triple}")?;
        writeln!(out, "  rustup toolchain install nightly --component rust-src")?;
        write!(
            out,
            "  a nightly toolchain, and {} set to a folder or tar archive with the library sources of its version",
            rust_src::VARIABLE
        )
    }
}

/// The first way that leads to a core library, or why none did.
pub fn find(shell: &Shell, arch: Arch, only: Option<Way>) -> Result<CoreLibrary, NoCrossToolchain> {
    let mut tried = Vec::new();
    for &way in Way::value_variants()
        .iter()
        .filter(|&&way| only.is_none_or(|only| only == way))
    {
        match attempt(shell, arch, way) {
            Ok(found) => return Ok(found),
            Err(reason) => tried.push((way, reason)),
        }
    }
    Err(NoCrossToolchain { arch, tried })
}

fn attempt(shell: &Shell, arch: Arch, way: Way) -> Result<CoreLibrary, String> {
    match way {
        Way::Installed => installed(shell, arch).map(|detail| prebuilt(way, detail)),
        Way::Rustup => add(shell, arch).map(|detail| prebuilt(way, detail)),
        Way::Component => from_source(shell, way, rust_src::component),
        Way::Debian => from_source(shell, way, rust_src::debian),
        Way::Named => from_source(shell, way, rust_src::named),
    }
}

fn prebuilt(way: Way, detail: String) -> CoreLibrary {
    CoreLibrary {
        way,
        detail,
        nightly: None,
    }
}

fn installed(shell: &Shell, arch: Arch) -> Result<String, String> {
    let triple = arch.triple();
    let folder = cmd!(shell, "rustc --print target-libdir --target {triple}")
        .quiet()
        .ignore_stderr()
        .read()
        .map_err(|error| error.to_string())?;
    if has_core(Path::new(&folder)) {
        return Ok(format!("{triple} of {}", version(shell, "rustc")));
    }
    Err(format!("{} has no {triple}", version(shell, "rustc")))
}

/// The folder holds a compiled core library.
fn has_core(folder: &Path) -> bool {
    let Ok(entries) = folder.read_dir() else { return false };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        name.starts_with("libcore-") && name.ends_with(".rlib")
    })
}

fn add(shell: &Shell, arch: Arch) -> Result<String, String> {
    let triple = arch.triple();
    run_quietly(cmd!(shell, "rustup target add {triple}"))?;
    installed(shell, arch)
}

fn from_source(
    shell: &Shell,
    way: Way,
    find: fn(&Shell, &Toolchain) -> Result<Sources, String>,
) -> Result<CoreLibrary, String> {
    let toolchain = nightly(shell)?;
    let sources = find(shell, &toolchain)?;
    let detail = format!("{}, compiled by {}", sources.origin, toolchain.version);
    let rustc = match &sources.library {
        Some(library) => Some(sysroot::with_sources(shell, &toolchain, library).map_err(|error| format!("{error:#}"))?),
        None => None,
    };
    Ok(CoreLibrary {
        way,
        detail,
        nightly: Some(Nightly {
            selector: toolchain.selector,
            rustc,
        }),
    })
}

/// A nightly toolchain.
pub struct Toolchain {
    /// Argument that selects it, where `rustup` is at hand.
    pub selector: Option<String>,
    /// Its name for `rustup`.
    pub name: Option<String>,
    /// What its compiler calls itself.
    pub version: String,
}

impl Toolchain {
    /// Where the toolchain is.
    pub fn sysroot(&self, shell: &Shell) -> Result<PathBuf, String> {
        let selector = &self.selector;
        let path = cmd!(shell, "rustc {selector...} --print sysroot").quiet().read();
        path.map(PathBuf::from).map_err(|error| error.to_string())
    }

    /// The first two numbers of its version, such as `1.97`.
    pub fn release(&self) -> Option<&str> {
        release_of(self.version.split_whitespace().nth(1)?)
    }
}

/// The first two numbers of a version.
pub fn release_of(version: &str) -> Option<&str> {
    let (second_dot, _) = version.match_indices('.').nth(1)?;
    version.get(..second_dot)
}

/// The compiler in use, if it is a nightly; else one that `rustup` knows.
fn nightly(shell: &Shell) -> Result<Toolchain, String> {
    let own = version(shell, "rustc");
    if own.contains("-nightly") {
        return Ok(Toolchain {
            selector: None,
            name: None,
            version: own,
        });
    }
    let listed = cmd!(shell, "rustup toolchain list --quiet")
        .quiet()
        .ignore_stderr()
        .read();
    let listed = listed.map_err(|_| format!("{own} is no nightly, and there is no rustup to name one"))?;
    let name = listed.lines().map(str::trim).find(|name| name.starts_with("nightly"));
    let name = name.ok_or_else(|| "no nightly toolchain is installed".to_owned())?;
    let selector = format!("+{name}");
    let version = cmd!(shell, "rustc {selector} --version").quiet().read();
    Ok(Toolchain {
        version: version.map_err(|error| error.to_string())?,
        selector: Some(selector),
        name: Some(name.to_owned()),
    })
}

fn version(shell: &Shell, program: &str) -> String {
    let output = cmd!(shell, "{program} --version").quiet().ignore_stderr().read();
    output.unwrap_or_else(|_| format!("{program}, which does not run"))
}

/// Runs a command and keeps what it says for the reason of a failure.
pub fn run_quietly(command: xshell::Cmd<'_>) -> Result<(), String> {
    let described = command.to_string();
    let output = command.quiet().ignore_status().output();
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{described}` failed: {}", said.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_two_numbers() {
        assert_eq!(release_of("1.97.0-nightly"), Some("1.97"));
        assert_eq!(release_of("1.97.1+dfsg1-1"), Some("1.97"));
        assert_eq!(release_of("1.97"), None);
    }

    #[test]
    fn what_helps_is_said() {
        let error = NoCrossToolchain {
            arch: Arch::Arm64,
            tried: vec![(Way::Installed, "rustc 1.95.0 has no aarch64-pc-windows-msvc".to_owned())],
        };
        let text = error.to_string();
        assert!(text.contains("installed: rustc 1.95.0 has no"));
        assert!(text.contains("rustup target add aarch64-pc-windows-msvc"));
        assert!(text.contains("HAWSER_RUST_SRC"));
    }
}
