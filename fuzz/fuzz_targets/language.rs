//! Bytes are compiled as a program text and those that it includes; what compiles is accepted, and its layout changes nothing.
#![no_main]

use hawser_fuzz_targets::language;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(difference) = language::run(bytes) {
        panic!("{difference}");
    }
});
