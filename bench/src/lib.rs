//! Measures how fast programs are checked, planned and translated.
//!
//! See `docs/performance.md` for what is compared with what.

pub mod cases;
pub mod document;
pub mod floor;
pub mod foreign;
pub mod gates;
pub mod hawser;
pub mod lists;
pub mod programs;
pub mod report;
pub mod rounds;
pub mod scale;
