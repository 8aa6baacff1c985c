//! The I/O and PnP rules.

crate::rules! {}
