//! A simulated PC that runs the Hawser driver: `ntsim`'s Windows, the accelerator model in its slot, the driver loaded and started.
//!
//! The user-mode client's simulated transport and the scenario tests of the driver are written against this crate. A [`SimPc`] lives
//! on the thread that started it; everything it does follows from its configuration and seed.

mod accelerator;
mod buffer;
mod error;
mod form;
mod handle;
mod pc;
mod shutdown;

pub use accelerator::AcceleratorSlot;
pub use buffer::SimBuffer;
pub use error::SimError;
pub use form::DriverForm;
pub use handle::{Access, IoOutcome, SimHandle, SimIo};
pub use ntsim::hal::Registers;
pub use ntsim::image::{Image, ImageError, Signing};
pub use ntsim::mem::MemoryModel;
pub use ntsim::nt::io::Account;
pub use pc::{SimConfig, SimPc};
pub use shutdown::Report;
