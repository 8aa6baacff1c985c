//! What the stand-in adds to the bindings: import slots, the entry stub, and calls through the function table.
#![allow(unsafe_code, reason = "plays the kernel and the framework")]

mod calls;
mod child;
mod entry;
mod framework;
mod slots;
