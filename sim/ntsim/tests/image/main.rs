//! Loading driver images: what is refused and why, and what images may do once they are loaded.

mod files;
mod pe;
mod running;
mod signatures;
