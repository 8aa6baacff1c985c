//! A simulated Windows kernel and KMDF with Driver-Verifier-grade rules.
//!
//! A [`machine::Machine`] runs drivers, written against `wdk_sys`, on virtual processors. Two layers, as in Windows: `nt`, `mem`, `hal`, `mmio` and `pci`
//! are the kernel and the hardware under it; `kmdf` is the framework, which reaches the machine only through the kernel functions that those export, bound
//! by name. Everything is deterministic from the seed; one machine lives on one thread of the host.
#![allow(
    unsafe_code,
    reason = "a kernel interface is raw pointers; the simulator is on both sides of it"
)]
#![allow(
    clippy::result_large_err,
    reason = "a crash is the end of a machine: its report may be large"
)]
#![cfg(all(target_arch = "x86_64", target_os = "linux"))]

#[macro_use]
pub mod cross;
#[macro_use]
pub mod verifier;

pub mod hal;
pub mod image;
pub mod kmdf;
pub mod machine;
pub mod mem;
pub mod mmio;
pub mod nt;
pub mod pci;
pub mod sched;
pub mod trace;

pub use machine::Machine;
