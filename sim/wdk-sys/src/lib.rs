//! Stand-in for the wdk-sys crate, generated from ABI data
