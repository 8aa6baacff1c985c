//! The DMA rules.

crate::rules! {}
