//! Paths that the documentation names exist in the repository: nothing stale, and nothing that only one machine has.

use anyhow::{Result, bail};
use xshell::{Shell, cmd};

/// Fails where a Markdown file names a path of the repository that does not exist, or one outside it.
pub fn run(shell: &Shell) -> Result<()> {
    let documents = cmd!(shell, "git ls-files --cached --others --exclude-standard -- *.md")
        .quiet()
        .read()?;
    let folders = top_level(shell)?;
    let mut wrong = Vec::new();
    for document in documents.lines().filter(|document| shell.path_exists(document)) {
        let text = shell.read_file(document)?;
        for named in links(&text).into_iter().chain(code_spans(&text)) {
            if claims_a_path(&named, &folders) && !exists(shell, document, &named) {
                wrong.push(format!("{document}: {named}"));
            }
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    bail!("paths that are not in the repository:\n{}", wrong.join("\n"))
}

fn top_level(shell: &Shell) -> Result<Vec<String>> {
    let files = cmd!(shell, "git ls-files").quiet().read()?;
    let mut folders: Vec<_> = files
        .lines()
        .filter_map(|file| Some(file.split_once('/')?.0.to_owned()))
        .collect();
    folders.dedup();
    Ok(folders)
}

/// Targets of inline links that are not addresses of the web or places on the same page.
fn links(text: &str) -> Vec<String> {
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once(')')?.0));
    let local = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    local
        .map(|target| format!("./{}", target.split('#').next().unwrap_or_default()))
        .collect()
}

/// Text between single backticks of one line.
fn code_spans(text: &str) -> Vec<String> {
    text.lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect()
}

/// Whether a name is meant as a path: a link, a path from the root of a machine, a path upward, or one that begins with a folder of the
/// repository. A single name after a slash is a switch.
fn claims_a_path(named: &str, folders: &[String]) -> bool {
    let plain = named.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    let Some((first, rest)) = named.split_once('/') else {
        return false;
    };
    plain && (first.starts_with('.') || first.is_empty() && rest.contains('/') || folders.iter().any(|f| f == first))
}

/// Paths are relative to their document or to the repository, and stay inside it.
fn exists(shell: &Shell, document: &str, named: &str) -> bool {
    let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
    let candidates = [inside("", named), inside(folder, named)];
    candidates.into_iter().flatten().any(|path| shell.path_exists(path))
}

/// A path without `.` and `..`; nothing when it leaves the repository.
fn inside(folder: &str, named: &str) -> Option<String> {
    if named.starts_with('/') {
        return None;
    }
    let mut parts = Vec::new();
    for part in folder.split('/').chain(named.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_paths_are_found() {
        let text = "See [that](docs/a.md#part), [web](https://x.y/z) and `core/src/plan.rs`, not `a / b`.";
        assert_eq!(links(text), ["./docs/a.md"]);
        assert_eq!(code_spans(text), ["core/src/plan.rs", "a / b"]);
    }

    #[test]
    fn only_what_is_meant_as_a_path_counts() {
        let folders = ["core".to_owned()];
        for path in ["core/src/plan.rs", "/etc/passwd", "../elsewhere/file", "./docs/a.md"] {
            assert!(claims_a_path(path, &folders), "{path}");
        }
        for other in [
            "a/b",
            "core",
            "x86_64-pc-windows-msvc",
            "/standard",
            "and/or not",
            "core::plan",
        ] {
            assert!(!claims_a_path(other, &folders), "{other}");
        }
    }

    #[test]
    fn a_path_that_is_not_there_is_noticed() -> Result<()> {
        let shell = Shell::new()?;
        let folder = shell.create_temp_dir()?;
        shell.change_dir(folder.path());
        shell.write_file("docs/a.md", "")?;
        assert!(exists(&shell, "README.md", "docs/a.md"));
        assert!(exists(&shell, "docs/b.md", "./a.md"));
        assert!(!exists(&shell, "README.md", "docs/b.md"));
        assert!(exists(&shell, "docs/b.md", "../docs/a.md"));
        assert!(!exists(&shell, "docs/b.md", "../../docs/a.md"));
        assert!(!exists(&shell, "README.md", "/"));
        Ok(())
    }
}
