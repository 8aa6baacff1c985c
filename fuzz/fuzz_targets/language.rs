//! Bytes are compiled as a program text; what compiles is accepted.
#![no_main]

use hawser_fuzz_targets::language;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(difference) = language::run(bytes) {
        panic!("{difference}");
    }
});
