//! Executable model of the accelerator, and the reference interpreter of programs
