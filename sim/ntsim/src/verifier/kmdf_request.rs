//! The framework requests and queues rules.

crate::rules! {}
