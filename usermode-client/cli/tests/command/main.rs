//! The command as its users call it, through the real binary: what it prints, how it exits, and what its documentation says about that.
#![cfg(not(windows))]

mod arrays;
mod assembly;
mod documents;
mod ends;
mod examples;
mod explain;
mod failures;
mod form_failures;
mod mistakes;
mod pictures;
mod programs;
mod queries;
mod runs;
mod support;
mod terminal;
