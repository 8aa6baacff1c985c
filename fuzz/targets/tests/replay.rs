//! Every seed and everything that a fuzzer has ever found, on each run of the tests.

use std::fs;
use std::path::{Path, PathBuf};

use hawser_fuzz_targets::{TARGETS, Target};

/// The files of a target in one of the folders of inputs.
fn inputs(kind: &str, target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(kind).join(target);
    let mut files: Vec<_> = fs::read_dir(folder)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    files.sort();
    files
}

fn replay(name: &str, target: Target, files: &[PathBuf]) {
    for file in files {
        let bytes = fs::read(file).expect("the input can be read");
        if let Err(difference) = target(&bytes) {
            panic!("{name}, {}: {difference}", file.display());
        }
    }
}

#[test]
fn seeds_and_regressions_find_nothing() {
    for (name, target) in TARGETS {
        let seeds = inputs("seeds", name);
        assert!(!seeds.is_empty(), "{name} has no seeds");
        replay(name, target, &seeds);
        replay(name, target, &inputs("regressions", name));
    }
}

#[test]
fn seeds_are_few() {
    let sizes = TARGETS
        .iter()
        .flat_map(|(name, _)| inputs("seeds", name))
        .map(|file| fs::metadata(file).map_or(0, |metadata| metadata.len()));
    let total: u64 = sizes.sum();
    assert!(total <= 200_000, "{total} bytes of seeds");
}

/// Each target has a fuzzer, and each fuzzer a target.
#[test]
fn every_target_has_a_fuzzer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz_targets");
    let mut fuzzers: Vec<_> = fs::read_dir(folder)
        .expect("the fuzzers are there")
        .flatten()
        .filter_map(|entry| Some(entry.path().file_stem()?.to_string_lossy().into_owned()))
        .collect();
    fuzzers.sort();
    assert_eq!(fuzzers, TARGETS.map(|(name, _)| name.to_owned()));
}
