//! Reads driver images, and checks what a kernel-mode image has to be.
//!
//! [`check`] compares an image with what it is [`Expected`] to be and reports every check by name; [`Image`] is the view of the bytes behind it, for whoever loads
//! an image. Everything works on bytes that may have been damaged or made up: a reason comes back, never a panic.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

mod allow_list;
mod checks;
mod checksum;
mod facts;
mod first_reader;
mod image;
mod second_reader;
mod version;

pub use allow_list::AllowList;
pub use checks::{Check, Expected, Line, Report, VersionResource, check};
pub use checksum::{checksum, checksum_offset};
pub use facts::{Facts, Import, Machine, Relocation, Section};
pub use image::{Image, NotAnImage};
pub use version::VersionFacts;
