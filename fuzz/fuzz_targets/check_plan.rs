//! Bytes are checked, planned and translated as the slow model says.
#![no_main]

use hawser_fuzz_targets::check_plan;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(difference) = check_plan::run(bytes) {
        panic!("{difference}");
    }
});
