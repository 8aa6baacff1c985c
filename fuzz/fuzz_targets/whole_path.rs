//! Programs run on a simulated PC as the reference interpreter says.
#![no_main]

use hawser_fuzz_targets::whole_path;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Err(difference) = whole_path::run(bytes) {
        panic!("{difference}");
    }
});
