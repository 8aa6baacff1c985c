//! Bytes are compiled as a program text and those that it includes; what compiles is accepted, and its layout changes nothing.
#![no_main]

use hawser_fuzz_targets::language;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(difference) = language::run(bytes) {
        panic!("{difference}");
    }
});

libfuzzer_sys::fuzz_mutator!(|bytes: &mut [u8], size: usize, most: usize, seed: u32| {
    if seed.is_multiple_of(2) {
        language::mutate(&mut bytes[..most], size, seed / 2)
    } else {
        libfuzzer_sys::fuzzer_mutate(bytes, size, most)
    }
});
