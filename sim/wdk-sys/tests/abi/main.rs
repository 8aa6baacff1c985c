//! The compiled bindings against the ABI data.
//!
//! `reflected` lists what the compiler made of the bindings. Each other module compares that with a data file, at run
//! time, and then changes the data to see that the comparison notices. Where two files describe a thing, the one that
//! did not make it is the one compared with.
#![allow(unsafe_code, reason = "bit fields of unions are set through raw pointers")]

mod calls;
mod data;
mod layout;
mod numbers;
mod reflected;
