//! Runs a test again in a process of its own, for what ends the process.
use std::process::{Command, Output};

const MARK: &str = "STANDIN_TEST_CHILD";

/// Whether this is the child.
pub fn is_child() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Runs the named test in a child, where [`is_child`] holds.
pub fn run(test: &str) -> Output {
    let program = std::env::current_exe().expect("the test program has a path");
    let mut command = Command::new(program);
    command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(MARK, "1");
    command.output().expect("the test program runs")
}
