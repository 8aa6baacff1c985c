//! Bytes are checked, planned and translated as the slow model says.
#![no_main]

use hawser_fuzz_targets::check_plan;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(difference) = check_plan::run(bytes) {
        panic!("{difference}");
    }
});

libfuzzer_sys::fuzz_mutator!(|bytes: &mut [u8], size: usize, most: usize, seed: u32| {
    if seed.is_multiple_of(2) {
        check_plan::mutate(&mut bytes[..most], size, seed / 2)
    } else {
        libfuzzer_sys::fuzzer_mutate(bytes, size, most)
    }
});
