//! Bytes are disassembled, and assembled as a text; both come back.
#![no_main]

use hawser_fuzz_targets::assembly;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(difference) = assembly::run(bytes) {
        panic!("{difference}");
    }
});

libfuzzer_sys::fuzz_mutator!(|bytes: &mut [u8], size: usize, most: usize, seed: u32| {
    if seed.is_multiple_of(2) {
        assembly::mutate(&mut bytes[..most], size, seed / 2)
    } else {
        libfuzzer_sys::fuzzer_mutate(bytes, size, most)
    }
});
