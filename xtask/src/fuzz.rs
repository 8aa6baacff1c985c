//! `cargo xtask fuzz`: runs the fuzzers of `fuzz/`, one after another.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

/// What the command takes.
#[derive(clap::Args)]
pub struct Arguments {
    /// Seconds for each target
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// This target instead of all
    #[arg(long)]
    target: Option<String>,
    /// Seed of the fuzzers' choices, as an earlier run printed it
    #[arg(long)]
    seed: Option<u32>,
    /// Write fuzz/seeds from examples, documentation and random programs, and fuzz nothing
    #[arg(long)]
    make_seeds: bool,
}

/// A fuzzer.
struct Target {
    name: &'static str,
    /// Most bytes of an input.
    longest: u32,
    dictionary: Option<&'static str>,
}

const TARGETS: [Target; 4] = [
    Target {
        name: "assembly",
        longest: 4096,
        dictionary: Some("fuzz/assembly.dict"),
    },
    Target {
        name: "check_plan",
        longest: 16_384,
        dictionary: None,
    },
    Target {
        name: "language",
        longest: 2048,
        dictionary: Some("fuzz/language.dict"),
    },
    Target {
        name: "whole_path",
        longest: 2048,
        dictionary: None,
    },
];

/// Seconds that one input may take.
const TIMEOUT: u32 = 30;

/// All code that is fuzzed is safe Rust, but for the simulated kernel, which switches stacks and catches page faults: AddressSanitizer knows of neither and reports both.
const SANITIZER: &str = "none";

/// Replays what is known and fuzzes each target for so many seconds.
pub fn run(shell: &Shell, arguments: &Arguments) -> Result<()> {
    if arguments.make_seeds {
        let make = cmd!(
            shell,
            "cargo run --quiet --package hawser-fuzz-targets --bin make-seeds"
        );
        return Ok(make.run()?);
    }
    let targets = chosen(arguments.target.as_deref())?;
    provide_cargo_fuzz(shell)?;
    let seed = arguments.seed.unwrap_or_else(seed_of_the_moment);
    for target in targets {
        let name = target.name;
        println!("\n=== {name}: {} seconds, --seed {seed}", arguments.seconds);
        let found = |what: &str| {
            format!(
                "{what} found something in {name} (--seed {seed}): the input is in fuzz/artifacts/{name}; put it into fuzz/regressions/{name}, which the tests replay"
            )
        };
        fuzz(shell, target, &["-runs=0".to_owned()]).with_context(|| found("replaying what is known"))?;
        let limits = [
            format!("-max_total_time={}", arguments.seconds),
            format!("-seed={seed}"),
        ];
        fuzz(shell, target, &limits).with_context(|| found("fuzzing"))?;
    }
    println!("\nnothing found");
    Ok(())
}

fn chosen(name: Option<&str>) -> Result<Vec<&'static Target>> {
    let chosen: Vec<_> = TARGETS
        .iter()
        .filter(|target| name.is_none_or(|name| name == target.name))
        .collect();
    if chosen.is_empty() {
        bail!(
            "there is no such target; there are {}",
            TARGETS.map(|target| target.name).join(", ")
        );
    }
    Ok(chosen)
}

/// Installs cargo-fuzz where it is missing. A nightly toolchain has to be there.
fn provide_cargo_fuzz(shell: &Shell) -> Result<()> {
    cmd!(shell, "cargo +nightly --version")
        .quiet()
        .ignore_stdout()
        .run()
        .context("fuzzing needs a nightly toolchain: rustup toolchain install nightly")?;
    let there = cmd!(shell, "cargo fuzz --version")
        .quiet()
        .ignore_stdout()
        .ignore_stderr()
        .run();
    if there.is_err() {
        cmd!(shell, "cargo install cargo-fuzz --locked").run()?;
    }
    Ok(())
}

/// A seed that libFuzzer does not take for the wish to choose one, which is 0.
fn seed_of_the_moment() -> u32 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(1, |elapsed| elapsed.as_secs() as u32).max(1)
}

/// Runs a fuzzer. What it learns is kept in `fuzz/corpus`, which is not committed.
fn fuzz(shell: &Shell, target: &Target, flags: &[String]) -> Result<()> {
    let name = target.name;
    let folders = ["corpus", "seeds", "regressions"].map(|kind| format!("fuzz/{kind}/{name}"));
    for folder in &folders {
        shell.create_dir(folder)?;
    }
    let dictionary = target.dictionary.map(|file| format!("-dict={file}"));
    let (longest, timeout) = (target.longest.to_string(), TIMEOUT.to_string());
    let run = cmd!(
        shell,
        "cargo +nightly fuzz run --sanitizer {SANITIZER} --target-dir target/fuzz/{SANITIZER} {name} {folders...}"
    );
    run.args([
        "--",
        &format!("-max_len={longest}"),
        &format!("-timeout={timeout}"),
        "-print_final_stats=1",
        "-verbosity=0",
    ])
    .args(dictionary)
    .args(flags)
    .run()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_found_by_its_name() {
        let names = |name| chosen(name).map(|targets| targets.iter().map(|target| target.name).collect::<Vec<_>>());
        assert_eq!(names(None).expect("all").len(), TARGETS.len());
        assert_eq!(names(Some("language")).expect("one"), ["language"]);
        assert!(names(Some("none")).is_err());
    }

    /// The fuzzers, their list here, and the workspace of the fuzzers name the same targets.
    #[test]
    fn every_fuzzer_is_run() {
        let manifest: toml::Table = include_str!("../../fuzz/Cargo.toml").parse().expect("it is TOML");
        let built = manifest["bin"].as_array().expect("fuzzers");
        let names: Vec<_> = built.iter().filter_map(|bin| bin["name"].as_str()).collect();
        assert_eq!(names.len(), TARGETS.len());
        assert!(TARGETS.iter().all(|target| names.contains(&target.name)));
    }
}
