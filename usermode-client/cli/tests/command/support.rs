//! A directory to work in, calls of the command, and `.npy` files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Exit statuses of the documentation.
pub const SUCCESS: i32 = 0;
pub const USAGE: i32 = 2;
pub const DEVICE: i32 = 3;

/// A small program with all routes but the one from the device.
pub const SAXPY: &str = "in x : f32[1000]\ninout y : f32[1000]\nconst a = 2.5\ny = fma(x, a, y)\n";

/// A directory of its own for each test.
pub struct Place(tempfile::TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        fs::write(self.path(name), content).unwrap();
        self
    }

    /// The command, about to be called here.
    pub fn command(&self, arguments: &[&str]) -> Command {
        command_in(self.0.path(), arguments)
    }

    /// Standard output of a call that has to exit so.
    #[track_caller]
    pub fn output(&self, exit: i32, arguments: &[&str]) -> String {
        self.both(exit, arguments).0
    }

    /// Standard error of a call that has to exit so, on one line.
    #[track_caller]
    pub fn complaint(&self, exit: i32, arguments: &[&str]) -> String {
        // Lines are broken where the terminal ends: words are compared, not lines.
        let lines = self.both(exit, arguments).1;
        lines
            .split_whitespace()
            .filter(|word| *word != "│")
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Standard output and standard error of a call that has to exit so.
    #[track_caller]
    pub fn both(&self, exit: i32, arguments: &[&str]) -> (String, String) {
        texts(exit, self.command(arguments).output().unwrap())
    }

    /// The JSON of a call that has to exit so and to say nothing else.
    #[track_caller]
    pub fn json(&self, exit: i32, arguments: &[&str]) -> Value {
        let (output, complaint) = self.both(exit, arguments);
        let json: Value = serde_json::from_str(&output).unwrap();
        assert_eq!((&json["exit"], complaint.as_str()), (&exit.into(), ""), "{arguments:?}");
        json
    }
}

/// The command, about to be called in a directory.
pub fn command_in(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hawser"));
    command.args(arguments).current_dir(directory);
    command
}

/// Standard output and standard error of a call that has to exit so.
#[track_caller]
pub fn texts(exit: i32, output: Output) -> (String, String) {
    let [text, complaint] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert_eq!(output.status.code(), Some(exit), "{text}\n{complaint}");
    (text, complaint)
}

/// Every one of the parts is in the text.
#[track_caller]
pub fn contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
}

/// The root of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A `.npy` file of version 1.0 with this dictionary.
pub fn npy_with(dictionary: &str, elements: &[u8]) -> Vec<u8> {
    let header = format!("{dictionary}\n");
    let length = (header.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00".as_slice(), &length, header.as_bytes(), elements].concat()
}

/// A `.npy` file of version 1.0 in the order of C.
pub fn npy(descr: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    let dictionary = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    npy_with(&dictionary, elements)
}
