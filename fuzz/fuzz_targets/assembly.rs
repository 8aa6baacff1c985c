//! Bytes are disassembled, and assembled as a text; both come back.
#![no_main]

use hawser_fuzz_targets::assembly;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(difference) = assembly::run(bytes) {
        panic!("{difference}");
    }
});
