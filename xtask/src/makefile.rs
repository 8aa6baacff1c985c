//! `Makefile.toml`, which only Windows can run: that the tasks which the documentation names exist, that each names others that exist, here or in the makefile that it extends, and that it
//! overrides nothing which `wdk-build` has given up.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail};
use toml::{Table, Value};
use xshell::{Shell, cmd};

const PATH: &str = "Makefile.toml";
/// The makefile of `wdk-build`, in its package and where it is linked to.
const BASE: &str = "rust-driver-makefile.toml";
/// Tasks that the documentation names.
const TASKS: [&str; 10] = [
    "default",
    "test",
    "sys",
    "package",
    "install",
    "uninstall",
    "verifier-on",
    "verifier-off",
    "verifier-status",
    "enable-test-signing",
];
/// Tasks of cargo-make itself that are overridden.
const CORE: [&str; 3] = ["build", "test", "package"];
/// Variables of `wdk-build`'s tasks that tasks here set or use.
const VARIABLES: [&str; 3] = [
    "CARGO_MAKE_CRATE_FS_NAME",
    "WDK_BUILD_OUTPUT_DIRECTORY",
    "CARGO_MAKE_CARGO_BUILD_TEST_FLAGS",
];

/// Fails where the makefile does not fit together with that of the `wdk-build` release in `Cargo.lock`.
pub fn run(shell: &Shell) -> Result<()> {
    let release = Release::locked(shell)?;
    let wrong = problems(&shell.read_file(PATH)?, &release)?;
    if wrong.is_empty() {
        return Ok(());
    }
    bail!("{PATH}, with wdk-build {}:\n{}", release.version, wrong.join("\n"))
}

/// A release of `wdk-build`.
struct Release {
    version: String,
    makefile: String,
}

impl Release {
    /// The release that the workspace is locked to; cargo fetches it where it is not there.
    fn locked(shell: &Shell) -> Result<Self> {
        let metadata = cmd!(shell, "cargo metadata --format-version 1 --quiet")
            .quiet()
            .read()?;
        let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
        let packages = metadata["packages"].as_array().context("metadata without packages")?;
        let package = packages.iter().find(|package| package["name"] == "wdk-build");
        let package = package.context("the workspace does not depend on wdk-build")?;
        let text = |key: &str| package[key].as_str().context("metadata of wdk-build");
        let folder = text("manifest_path")?.trim_end_matches("Cargo.toml");
        Ok(Self {
            version: text("version")?.to_owned(),
            makefile: shell.read_file(format!("{folder}{BASE}"))?,
        })
    }
}

fn problems(text: &str, release: &Release) -> Result<Vec<String>> {
    let makefile: Table = text.parse().context(PATH)?;
    let base: Table = release.makefile.parse().context(BASE)?;
    let (own, extended) = (tasks(&makefile), tasks(&base));
    let mut wrong = Vec::new();
    let absent = TASKS.iter().filter(|task| !own.contains(**task));
    wrong.extend(absent.map(|task| format!("no task `{task}`")));
    if makefile.get("extend").and_then(|extend| extend.get("path")) != Some(&format!("target/{BASE}").into()) {
        wrong.push(format!("it does not extend target/{BASE}"));
    }
    let script = makefile
        .get("config")
        .and_then(|config| config.get("windows_load_script"));
    let (minor, _) = release.version.rsplit_once('.').unwrap_or_default();
    if !script
        .and_then(Value::as_str)
        .is_some_and(|script| script.contains(&format!("wdk-build = \"{minor}.")))
    {
        wrong.push(format!("its load script does not use wdk-build {minor}"));
    }
    let known: BTreeSet<_> = own.union(&extended).copied().collect();
    let unknown = named(&makefile)
        .into_iter()
        .filter(|(_, other)| !known.contains(other.as_str()));
    wrong.extend(unknown.map(|(task, other)| format!("`{task}` names `{other}`, which does not exist")));
    wrong.extend(orphans(&makefile, &extended));
    let unused = VARIABLES.iter().filter(|name| !release.makefile.contains(*name));
    wrong.extend(unused.map(|name| format!("{BASE} does not use {name}")));
    Ok(wrong)
}

fn tasks(makefile: &Table) -> BTreeSet<&str> {
    let tasks = makefile.get("tasks").and_then(Value::as_table);
    tasks.into_iter().flat_map(Table::keys).map(String::as_str).collect()
}

fn each_task(makefile: &Table) -> impl Iterator<Item = (&String, &Table)> {
    let tasks = makefile.get("tasks").and_then(Value::as_table);
    tasks
        .into_iter()
        .flatten()
        .filter_map(|(name, task)| Some((name, task.as_table()?)))
}

/// Pairs of a task and another that it runs.
fn named(makefile: &Table) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (name, task) in each_task(makefile) {
        let single = [
            "alias",
            "windows_alias",
            "linux_alias",
            "mac_alias",
            "run_task",
            "extend",
        ];
        let single = single.iter().filter_map(|key| task.get(*key));
        let listed = task.get("dependencies").and_then(Value::as_array).into_iter().flatten();
        let others = single.chain(listed).filter_map(Value::as_str);
        pairs.extend(others.map(|other| (name.clone(), other.to_owned())));
    }
    pairs
}

/// Tasks that replace one of the extended makefile, or of cargo-make, which is no longer there.
fn orphans(makefile: &Table, extended: &BTreeSet<&str>) -> Vec<String> {
    let replacing = each_task(makefile).filter(|(_, task)| task.get("clear") == Some(&Value::Boolean(true)));
    let orphans = replacing.filter(|(name, _)| !extended.contains(name.as_str()) && !CORE.contains(&name.as_str()));
    orphans.map(|(name, _)| format!("`{name}` replaces nothing")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE_TEXT: &str = "[tasks.package-driver]\nargs = ['CARGO_MAKE_CRATE_FS_NAME WDK_BUILD_OUTPUT_DIRECTORY CARGO_MAKE_CARGO_BUILD_TEST_FLAGS']\n\
        [tasks.default]\n[tasks.copy-inx-to-output]\n";

    fn of(text: &str, base: &str, version: &str) -> Vec<String> {
        let release = Release {
            version: version.to_owned(),
            makefile: base.to_owned(),
        };
        problems(text, &release).expect("TOML")
    }

    fn makefile() -> String {
        std::fs::read_to_string(crate::root().join(PATH)).expect("the makefile")
    }

    #[test]
    fn the_makefile_fits_a_base_with_the_tasks_that_it_names() {
        assert_eq!(of(&makefile(), BASE_TEXT, "0.6.0"), [""; 0]);
    }

    #[test]
    fn what_does_not_fit_is_noticed() {
        for (from, to, expected) in [
            ("[tasks.verifier-off]", "[tasks.verifier-of]", "no task `verifier-off`"),
            (
                "target/rust-driver-makefile.toml",
                "target/other.toml",
                "it does not extend target/rust-driver-makefile.toml",
            ),
            (
                "wdk-build = \"0.6.0\"",
                "wdk-build = \"0.5.0\"",
                "its load script does not use wdk-build 0.6",
            ),
            (
                "dependencies = [\"package-driver\"]",
                "dependencies = [\"package-the-driver\"]",
                "`package-with-wdk` names `package-the-driver`, which does not exist",
            ),
            (
                "[tasks.build-image]",
                "[tasks.build-images]",
                "`build` names `build-image`, which does not exist",
            ),
            (
                "[tasks.build-image]",
                "[tasks.another]\nclear = true\n[tasks.build-image]",
                "`another` replaces nothing",
            ),
        ] {
            let text = makefile();
            assert!(text.contains(from), "{from}");
            assert_eq!(of(&text.replace(from, to), BASE_TEXT, "0.6.0"), [expected]);
        }
    }

    #[test]
    fn a_base_that_changed_is_noticed() {
        let gone = BASE_TEXT.replace("[tasks.copy-inx-to-output]\n", "");
        assert_eq!(
            of(&makefile(), &gone, "0.6.1"),
            ["`copy-inx-to-output` replaces nothing"]
        );
        let other = BASE_TEXT.replace("WDK_BUILD_OUTPUT_DIRECTORY", "ELSEWHERE");
        assert_eq!(
            of(&makefile(), &other, "0.6.0"),
            [format!("{BASE} does not use WDK_BUILD_OUTPUT_DIRECTORY")]
        );
        assert_eq!(
            of(&makefile(), BASE_TEXT, "0.7.0"),
            ["its load script does not use wdk-build 0.7"]
        );
    }
}
