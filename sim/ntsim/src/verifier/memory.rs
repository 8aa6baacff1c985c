//! The pool and MDL rules.

crate::rules! {}
