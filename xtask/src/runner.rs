//! Runs the test programs of the workspace and adds up their closing lines.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use xshell::Shell;

use crate::bench;

/// What test programs reported in their closing lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

/// Names the image of the driver to the tests that can run with one.
const IMAGE_VARIABLE: &str = "HAWSER_DRIVER_IMAGE";
/// The tests that can: the driver's scenarios, and the command's own.
const WITH_IMAGE: [&[&str]; 2] = [&["-p", "hawser-machine"], &["-p", "hawser-cli", "--test", "image"]];

/// Runs all tests of the workspace and of the benchmarks, and those of the driver once more with its image where there is one. Prints one closing line for all of them.
pub fn run_workspace_tests(shell: &Shell, image: Option<&Path>) -> Result<()> {
    let mut total = cargo_test(shell, &["--workspace"], None)?;
    println!("\n=== tests of the benchmarks");
    total.add(cargo_test(
        shell,
        &["--locked", "--manifest-path", bench::MANIFEST],
        None,
    )?);
    match image {
        Some(image) => {
            println!("\n=== tests of the driver, with {}", image.display());
            for selection in WITH_IMAGE {
                total.add(cargo_test(shell, selection, Some(image))?);
            }
        }
        None => println!("\nSKIPPED: there is no image of the driver, so no test ran with it"),
    }
    println!(
        "\n{} passed, {} failed, {} skipped",
        total.passed, total.failed, total.ignored
    );
    if total.failed > 0 {
        bail!("tests failed");
    }
    if total.passed == 0 {
        bail!("no test ran");
    }
    Ok(())
}

/// Runs some tests. A test program that fails without saying so counts as one test that failed.
fn cargo_test(shell: &Shell, selection: &[&str], image: Option<&Path>) -> Result<Counts> {
    let mut command = Command::new("cargo");
    command.args(["test", "--no-fail-fast"]).args(selection);
    command.current_dir(shell.current_dir()).stdout(Stdio::piped());
    match image {
        Some(image) => command.env(IMAGE_VARIABLE, image),
        None => command.env_remove(IMAGE_VARIABLE),
    };
    let mut child = command.spawn().context("cargo test did not start")?;
    let output = child.stdout.take().context("cargo test has no output")?;
    let mut total = Counts::default();
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        total.add(closing_line(&line).unwrap_or_default());
    }
    if !child.wait()?.success() && total.failed == 0 {
        total.failed = 1;
    }
    Ok(total)
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }
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
