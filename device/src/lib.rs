//! Executable model of the accelerator, and the reference interpreter of programs.
//!
//! [`Accelerator`] behaves as the device that [`hawser_abi`] describes: registers, submission and completion rings, descriptors, bindings
//! with their bounds and directions, device-local memory, interrupts, abort, reset, power. It reaches the host only through [`HostBus`], so
//! that an IOMMU and a scheduler can stand in between, and works in bounded pieces ([`Accelerator::step`]).
//!
//! [`mod@reference`] runs a program as the user wrote it on a plain buffer. It shares no arithmetic with the device and is the oracle of tests;
//! [`semantics`] says what both compute.
//!
//! [`forecast()`] says what a program costs on the device without running it, by the same rules.
//!
//! Whatever the driver writes to registers or memory, the model neither panics nor loops without bound: it faults as hardware would.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

mod accelerator;
mod behaviour;
mod bus;
mod chunk;
mod command;
mod compute;
mod cost;
mod descriptor;
mod engine;
mod fault;
mod forecast;
mod host_access;
mod interrupts;
mod kernels;
mod lanes;
mod local_memory;
mod moderation;
mod number;
mod place;
mod program;
mod queue_pair;
pub mod reference;

mod register_file;
mod registers;
pub mod semantics;
mod step;
mod tiles;
mod transfer;
mod view;

pub use accelerator::Accelerator;
pub use behaviour::{Behaviour, Faultless};
pub use bus::{Activity, BusError, HostBus};
pub use cost::STEP_CYCLES;
pub use forecast::{Forecast, NotForecast, StepCost, Tables, forecast};
pub use host_access::BusMaster;
