//! Builds the test programs of a workspace, and says which there are. All are built in one selection of packages: features of dependencies follow from the selection, and each other
//! one would compile much of the workspace once more.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use xshell::Shell;

/// A test program that has been built, or a command that tests start.
#[derive(Debug, PartialEq, Eq)]
pub struct Program {
    /// Folder of its package.
    pub folder: PathBuf,
    /// Its target: a test's file, or the library or command whose own tests it has.
    pub target: String,
    /// Where it is.
    pub executable: PathBuf,
    /// What it is for.
    pub purpose: Purpose,
}

/// What a program is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It is a command.
    Command,
    /// It runs tests.
    Tests,
}

/// Builds what `cargo test` would run with some arguments.
pub fn build(shell: &Shell, arguments: &[&str]) -> Result<Vec<Program>> {
    let mut command = Command::new("cargo");
    command.args(["test", "--no-run", "--message-format=json-render-diagnostics"]);
    command.args(arguments).current_dir(shell.current_dir());
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .context("cargo did not start")?;
    if !output.status.success() {
        bail!("the tests could not be built");
    }
    let messages = String::from_utf8(output.stdout)?;
    messages.lines().filter_map(|line| program(line).transpose()).collect()
}

/// Reads a message of cargo's that says where a program is.
fn program(message: &str) -> Result<Option<Program>> {
    let message: Value = serde_json::from_str(message)?;
    let Some(executable) = message["executable"].as_str() else {
        return Ok(None);
    };
    let manifest = message["manifest_path"].as_str().map(Path::new);
    let folder = manifest.and_then(Path::parent).context("a program without a package")?;
    let target = message["target"]["name"]
        .as_str()
        .context("a program without a target")?;
    let purpose = match message["profile"]["test"].as_bool() {
        Some(true) => Purpose::Tests,
        _ => Purpose::Command,
    };
    Ok(Some(Program {
        folder: folder.to_owned(),
        target: target.to_owned(),
        executable: executable.into(),
        purpose,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_read_from_messages() {
        let message = |test: bool| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"/p/cli/Cargo.toml","target":{{"name":"image"}},"profile":{{"test":{test}}},"executable":"/t/image-1"}}"#
            )
        };
        let read = |test| program(&message(test)).expect("a message").expect("a program");
        assert_eq!(
            read(true),
            Program {
                folder: "/p/cli".into(),
                target: "image".to_owned(),
                executable: "/t/image-1".into(),
                purpose: Purpose::Tests,
            }
        );
        assert_eq!(read(false).purpose, Purpose::Command);
    }

    #[test]
    fn other_messages_name_no_program() {
        assert_eq!(
            program(r#"{"reason":"compiler-artifact","executable":null}"#).expect("a message"),
            None
        );
        assert!(program("no message").is_err());
    }
}
