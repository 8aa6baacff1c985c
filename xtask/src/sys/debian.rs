//! Debian's `rust-src` package, fetched with lists and caches of its own, so that the system's package sources stay as they are.

use std::path::{Path, PathBuf};

use xshell::{Shell, cmd};

use super::core_library::{release_of, run_quietly};
use super::rust_src::unpack_into;

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Where the package has a folder with the sources.
const SOURCES: &str = "usr/src";
/// Suites that carry new compilers.
const SUITES: [&str; 2] = ["forky", "sid"];

/// A folder with the unpacked package of a release such as `1.97`, and the package's version.
pub fn rust_src(shell: &Shell, release: &str) -> Result<(PathBuf, String), String> {
    if let Some(version) = system_version(shell).filter(|version| release_of(version) == Some(release)) {
        return Ok((PathBuf::from("/usr/lib/rustlib/src/rust"), version));
    }
    let base = shell.current_dir().join("target/hawser/debian");
    if let Some(found) = unpacked(&base, release) {
        return Ok(found);
    }
    let options = &private_apt(shell, &base)?;
    run_quietly(cmd!(shell, "apt-get {options...} update"))?;
    let table = cmd!(shell, "apt-cache {options...} madison rust-src").quiet().read();
    let table = table.map_err(|error| error.to_string())?;
    let version = matching_version(&table, release)
        .ok_or_else(|| format!("Debian has no rust-src {release}; it has:\n{}", table.trim()))?;
    let folder = base.join(format!("rust-src_{version}"));
    unpack_into(shell, &folder, |partial| download(shell, options, &version, partial))?;
    Ok((folder.join(SOURCES), version))
}

/// The version of the package that is installed.
fn system_version(shell: &Shell) -> Option<String> {
    let format = "--showformat=${Version}";
    cmd!(shell, "dpkg-query --show {format} rust-src")
        .quiet()
        .ignore_stderr()
        .read()
        .ok()
}

/// What an earlier run has unpacked.
fn unpacked(base: &Path, release: &str) -> Option<(PathBuf, String)> {
    base.read_dir().ok()?.flatten().find_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let version = name.strip_prefix("rust-src_")?;
        (release_of(version) == Some(release) && !name.ends_with(".partial"))
            .then(|| (entry.path().join(SOURCES), version.to_owned()))
    })
}

/// Options that give apt its own sources, lists and cache.
fn private_apt(shell: &Shell, base: &Path) -> Result<Vec<String>, String> {
    if !Path::new(KEYRING).is_file() {
        return Err(format!("{KEYRING} is not there: no Debian system"));
    }
    let said = |error: xshell::Error| error.to_string();
    for folder in ["state/lists/partial", "cache/archives/partial"] {
        shell.create_dir(base.join(folder)).map_err(said)?;
    }
    let sources = SUITES.map(|suite| format!("deb [signed-by={KEYRING}] http://deb.debian.org/debian {suite} main\n"));
    let list = base.join("sources.list");
    shell.write_file(&list, sources.concat()).map_err(said)?;
    let options = [
        ("Dir::State", base.join("state")),
        ("Dir::State::status", PathBuf::from("/var/lib/dpkg/status")),
        ("Dir::Cache", base.join("cache")),
        ("Dir::Etc::sourcelist", list),
        ("Dir::Etc::sourceparts", PathBuf::from("-")),
        ("Acquire::Languages", PathBuf::from("none")),
    ];
    let flags = options.map(|(name, value)| ["-o".to_owned(), format!("{name}={}", value.display())]);
    Ok(flags.concat())
}

/// The version in apt's table that belongs to a release.
fn matching_version(table: &str, release: &str) -> Option<String> {
    let versions = table.lines().filter_map(|line| line.split('|').nth(1));
    let mut versions = versions.map(str::trim);
    versions
        .find(|version| release_of(version) == Some(release))
        .map(str::to_owned)
}

fn download(shell: &Shell, options: &[String], version: &str, folder: &Path) -> Result<(), String> {
    let _folder = shell.push_dir(folder);
    let package = format!("rust-src={version}");
    run_quietly(cmd!(shell, "apt-get {options...} download {package}"))?;
    let files = shell.read_dir(folder).map_err(|error| error.to_string())?;
    let file = files
        .iter()
        .find(|file| file.extension().is_some_and(|extension| extension == "deb"));
    let file = file.ok_or_else(|| format!("apt-get left no package in {}", folder.display()))?;
    run_quietly(cmd!(shell, "dpkg-deb --extract {file} {folder}"))?;
    shell.remove_path(file).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_release_in_use_matches() {
        let table = "  rust-src | 1.97.1+dfsg1-1 | http://deb.debian.org/debian sid/main amd64 Packages\n";
        assert_eq!(matching_version(table, "1.97").as_deref(), Some("1.97.1+dfsg1-1"));
        assert_eq!(matching_version(table, "1.9"), None);
        assert_eq!(matching_version("", "1.97"), None);
    }
}
