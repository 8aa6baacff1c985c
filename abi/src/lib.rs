//! The contract between Hawser's user-mode client, its driver and the accelerator.
//!
//! Everything that crosses a boundary is defined here and nowhere else: the IOCTLs and their buffers
//! ([`ioctl`], [`program`], [`info`], [`result`]), what operations take ([`op`], [`rules`]), the reasons a program is
//! refused or fails ([`reason`]), what driver and device share ([`pci`], [`registers`], [`queue`], [`descriptor`]), and the
//! names under which the driver is installed ([`package`]).
//! All integers are little-endian; every structure is `zerocopy`, without padding, and its size is
//! asserted at compile time.
#![no_std]
#![forbid(unsafe_code)]

pub mod descriptor;
pub mod info;
pub mod ioctl;
pub mod op;
pub mod package;
pub mod pci;
pub mod program;
pub mod queue;
pub mod reason;
pub mod registers;
pub mod result;
pub mod rules;

/// Fails the build when a wire structure does not have the size that the contract states.
macro_rules! assert_size {
    ($($type:ty = $size:expr),+ $(,)?) => {
        $(const _: () = assert!(core::mem::size_of::<$type>() == $size);)+
    };
}
pub(crate) use assert_size;
