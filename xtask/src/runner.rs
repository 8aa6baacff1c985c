//! Runs the test programs of the workspace and adds up their closing lines.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;

use anyhow::{Context, Result, bail};
use xshell::Shell;

use crate::bench;
use crate::programs::{self, Program, Purpose};

/// What test programs reported in their closing lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

/// A test program to run, with the image of the driver or without.
struct Job<'a> {
    program: &'a Program,
    image: Option<&'a Path>,
}

/// Names the image of the driver to the tests that can run with one.
const IMAGE_VARIABLE: &str = "HAWSER_DRIVER_IMAGE";
/// Folders of the packages whose tests can, and which of their test programs: the driver's scenarios, and the command's own.
const WITH_IMAGE: [(&str, Option<&str>); 2] = [("sim/machine", None), ("usermode-client/cli", Some("image"))];
/// Programs that run at the same time. Each of them uses all processors, but for its end, when its longest test is alone.
const AT_ONCE: usize = 2;

/// Runs all tests of the workspace and of the benchmarks, and those of the driver once more with its image where there is one. Prints one closing line for all of them.
pub fn run_workspace_tests(shell: &Shell, image: Option<&Path>) -> Result<()> {
    let own = programs::build(shell, &["--workspace"])?;
    let benchmarks = programs::build(shell, &bench::SELECTION)?;
    let mut jobs = jobs(own.iter().chain(&benchmarks));
    match image {
        Some(image) => jobs.extend(jobs_with_image(shell, &own, image)?),
        None => println!("\nSKIPPED: there is no image of the driver, so no test ran with it"),
    }
    let mut total = run_all(jobs)?;
    println!("\n=== tests in the documentation");
    total.add(documentation(shell, &["--workspace"])?);
    total.add(documentation(shell, &bench::SELECTION)?);
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

fn jobs<'a>(programs: impl Iterator<Item = &'a Program>) -> Vec<Job<'a>> {
    let tests = programs.filter(|program| program.purpose == Purpose::Tests);
    tests.map(|program| Job { program, image: None }).collect()
}

/// The programs that can run with an image; fails where a selection has none.
fn jobs_with_image<'a>(shell: &Shell, programs: &'a [Program], image: &'a Path) -> Result<Vec<Job<'a>>> {
    let mut all = Vec::new();
    for (folder, target) in WITH_IMAGE {
        let folder = shell.current_dir().join(folder);
        let before = all.len();
        all.extend(
            jobs(programs.iter())
                .into_iter()
                .filter(|job| job.program.folder == folder && target.is_none_or(|target| job.program.target == target)),
        );
        if all.len() == before {
            bail!("{} has no test to run with the image", folder.display());
        }
    }
    Ok(all
        .into_iter()
        .map(|job| Job {
            image: Some(image),
            ..job
        })
        .collect())
}

/// Runs test programs, some at once. What a program says is printed when it has ended.
fn run_all(jobs: Vec<Job>) -> Result<Counts> {
    let queue = Mutex::new(jobs.into_iter());
    let next = || queue.lock().ok()?.next();
    let work = || {
        let mut total = Counts::default();
        while let Some(job) = next() {
            total.add(job.run()?);
        }
        anyhow::Ok(total)
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        let mut total = Counts::default();
        for worker in workers {
            total.add(worker.join().ok().context("a thread that runs tests panicked")??);
        }
        Ok(total)
    })
}

impl Job<'_> {
    /// Runs the program as cargo would: in the folder of its package.
    fn run(&self) -> Result<Counts> {
        let Program { folder, executable, .. } = self.program;
        let mut command = Command::new(executable);
        command.current_dir(folder).env("CARGO_MANIFEST_DIR", folder);
        match self.image {
            Some(image) => command.env(IMAGE_VARIABLE, image),
            None => command.env_remove(IMAGE_VARIABLE),
        };
        let output = command.stdin(Stdio::null()).output();
        let output = output.with_context(|| format!("{} did not start", executable.display()))?;
        let said = String::from_utf8_lossy(&output.stdout);
        println!(
            "\n--- {}\n{said}{}",
            self.title(),
            String::from_utf8_lossy(&output.stderr)
        );
        let counts = said
            .lines()
            .filter_map(closing_line)
            .fold(Counts::default(), Counts::with);
        Ok(counts.ended(output.status.success()))
    }

    fn title(&self) -> String {
        let Program { folder, target, .. } = self.program;
        let image = self.image.map(|image| format!(", with {}", image.display()));
        format!("{}: {target}{}", folder.display(), image.unwrap_or_default())
    }
}

/// Runs the tests in the documentation of some packages, which have no program of their own.
fn documentation(shell: &Shell, selection: &[&str]) -> Result<Counts> {
    let mut command = Command::new("cargo");
    command.args(["test", "--no-fail-fast", "--doc"]).args(selection);
    command.current_dir(shell.current_dir()).stdout(Stdio::piped());
    let mut child = command.spawn().context("cargo test did not start")?;
    let output = child.stdout.take().context("cargo test has no output")?;
    let mut total = Counts::default();
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        total.add(closing_line(&line).unwrap_or_default());
    }
    Ok(total.ended(child.wait()?.success()))
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }

    fn with(mut self, other: Self) -> Self {
        self.add(other);
        self
    }

    /// A program that fails without saying so counts as one test that failed.
    fn ended(mut self, success: bool) -> Self {
        if !success && self.failed == 0 {
            self.failed = 1;
        }
        self
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

    #[test]
    fn a_silent_failure_counts() {
        let none = Counts::default();
        assert_eq!(none.ended(true), none);
        assert_eq!(none.ended(false).failed, 1);
        let two = Counts { failed: 2, ..none };
        assert_eq!(two.ended(false), two);
    }
}
