//! Runs the test programs of the workspace and adds up their closing lines.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use xshell::Shell;

/// What test programs reported in their closing lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

/// Runs all tests of the workspace and prints one closing line for all of them.
pub fn run_workspace_tests(shell: &Shell) -> Result<()> {
    let mut child = Command::new("cargo")
        .args(["test", "--workspace", "--no-fail-fast"])
        .current_dir(shell.current_dir())
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo test did not start")?;
    let output = child.stdout.take().context("cargo test has no output")?;
    let mut total = Counts::default();
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        if let Some(counts) = closing_line(&line) {
            total.passed += counts.passed;
            total.failed += counts.failed;
            total.ignored += counts.ignored;
        }
    }
    let status = child.wait()?;
    println!(
        "\n{} passed, {} failed, {} skipped",
        total.passed, total.failed, total.ignored
    );
    if !status.success() || total.failed > 0 {
        bail!("tests failed");
    }
    if total.passed == 0 {
        bail!("no test ran");
    }
    Ok(())
}

/// Reads a line such as `test result: ok. 5 passed; 0 failed; 1 ignored; ...`.
fn closing_line(line: &str) -> Option<Counts> {
    let rest = line.strip_prefix("test result: ")?;
    let number = |what: &str| {
        let (before, _) = rest.split_once(what)?;
        before.rsplit([' ', '.']).find(|word| !word.is_empty())?.parse().ok()
    };
    Some(Counts {
        passed: number(" passed")?,
        failed: number(" failed")?,
        ignored: number(" ignored")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_read() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        assert_eq!(
            closing_line(line),
            Some(Counts {
                passed: 12,
                failed: 3,
                ignored: 1
            })
        );
        assert_eq!(closing_line("test result is unknown"), None);
    }
}
