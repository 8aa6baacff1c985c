//! The command on a terminal, and with a reader that leaves.
#![cfg(unix)]

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::{Place, SAXPY, SUCCESS, USAGE, texts};

/// Both ends of a new terminal: what is written to the second can be read from the first.
fn terminal() -> (File, File) {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    let path = std::path::Path::new(std::ffi::OsStr::from_bytes(name.as_bytes()));
    let terminal = OpenOptions::new().read(true).write(true).open(path).unwrap();
    (controller.into(), terminal)
}

/// Everything that is written to a terminal until its last writer closes it, which is then told as an error.
fn drain(mut controller: File) -> String {
    let (mut all, mut part) = (Vec::new(), [0; 4096]);
    while let Ok(length @ 1..) = controller.read(&mut part) {
        all.extend_from_slice(&part[..length]);
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// Standard output of a call with standard error on a terminal, and what the terminal got.
fn on_a_terminal(place: &Place, arguments: &[&str]) -> (String, String) {
    let (controller, terminal) = terminal();
    let reader = thread::spawn(move || drain(controller));
    // The command is dropped, and with it the terminal, before the reader is waited for.
    let output = place.command(arguments).stderr(Stdio::from(terminal)).output().unwrap();
    (texts(SUCCESS, output).0, reader.join().unwrap())
}

/// A program of so many steps on a million elements each.
fn long(steps: usize) -> String {
    let declarations = "in x : f64[1048576]\nout s : f64[1]\ntemp t : f64[1048576]\n";
    format!("{declarations}t = x\n{}s = sum(t)\n", "t = t + x\n".repeat(steps))
}

#[test]
fn something_moves_on_the_terminal_where_it_takes_long() {
    let place = Place::new();
    // Each is several times as much work as can be done before the command shows it, on any machine.
    place.file("run.hws", long(1000)).file("verify.hws", long(60));
    for (arguments, phase) in [
        (["run", "run.hws", "--no-verify"].as_slice(), "running"),
        (&["run", "verify.hws", "--json"], "verifying"),
    ] {
        let (_, shown) = on_a_terminal(&place, arguments);
        assert!(shown.contains(phase), "no {phase} in {shown:?}");
        let (_, after) = shown.rsplit_once(phase).unwrap();
        assert!(after.contains("\u{1b}[2K"), "it is not taken away: {after:?}");
    }
}

#[test]
fn a_terminal_gets_nothing_where_it_is_over_soon() {
    let place = Place::new();
    place.file("p.hws", SAXPY);
    let (output, shown) = on_a_terminal(&place, &["check", "p.hws"]);
    assert!(output.contains("plan"), "{output}");
    assert_eq!(shown, "");
}

#[test]
fn a_reader_that_leaves_early_does_no_harm() {
    let place = Place::new();
    place.file("p.hws", SAXPY).file("wrong.hws", "x\n");
    for (exit, arguments) in [
        (SUCCESS, ["run", "p.hws"].as_slice()),
        (SUCCESS, &["run", "p.hws", "--json", "--out", "y=y.npy"]),
        (SUCCESS, &["check", "p.hws"]),
        (SUCCESS, &["info"]),
        (SUCCESS, &["stats", "--json"]),
        (SUCCESS, &["--help"]),
        (USAGE, &["check", "wrong.hws"]),
        (USAGE, &["check", "wrong.hws", "--json"]),
    ] {
        let mut child = place
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop((child.stdout.take(), child.stderr.take()));
        assert_eq!(child.wait().unwrap().code(), Some(exit), "{arguments:?}");
    }
    assert!(place.path("y.npy").exists(), "what was begun is ended");
}

#[test]
fn output_that_is_lost_is_no_success() {
    let place = Place::new();
    place.file("p.hws", SAXPY);
    for arguments in [
        ["check", "p.hws"].as_slice(),
        &["check", "p.hws", "--json"],
        &["disasm", "p.hws"],
    ] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = place.command(arguments).stdout(full).output().unwrap();
        let (_, complaint) = texts(USAGE, output);
        assert!(complaint.contains("hawser::output-lost"), "{complaint}");
        assert!(complaint.contains("No space left on device"), "{complaint}");
    }
}
