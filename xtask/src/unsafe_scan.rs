//! Finds `unsafe` where the project allows none: in `core`, `abi`, `device`, `inf` and `bench`, and in `driver` outside its entry point.

use anyhow::{Result, bail};
use xshell::{Shell, cmd};

/// Fails where a line of code mentions `unsafe` in a crate that must do without.
pub fn run(shell: &Shell) -> Result<()> {
    let files = cmd!(
        shell,
        "git ls-files --cached --others --exclude-standard -- core abi device driver inf bench"
    )
    .quiet()
    .read()?;
    let mut found = Vec::new();
    for file in files.lines().filter(|file| file.ends_with(".rs") && !allowed(file)) {
        let text = shell.read_file(file)?;
        found.extend(offending_lines(&text).map(|(number, line)| format!("{file}:{number}: {line}")));
    }
    if found.is_empty() {
        return Ok(());
    }
    bail!("`unsafe` where the project allows none:\n{}", found.join("\n"))
}

/// The driver's entry point is the one place of the driver that has to be unsafe.
fn allowed(file: &str) -> bool {
    file == "driver/src/entry.rs"
}

/// Lines with the word in code; the lint's own name is not an offence.
fn offending_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().filter_map(|(index, line)| {
        let code = line.split("//").next().unwrap_or_default();
        code.split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|word| word == "unsafe")
            .then_some((index + 1, line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_code_is_found() {
        let lines: Vec<_> = offending_lines("fn a() {}\nlet x = unsafe { y };\n").collect();
        assert_eq!(lines, [(2, "let x = unsafe { y };")]);
    }

    #[test]
    fn the_lint_and_comments_are_not() {
        assert_eq!(
            offending_lines("#![forbid(unsafe_code)]\n// unsafe is forbidden\n").count(),
            0
        );
    }
}
