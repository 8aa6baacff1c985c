//! User-mode client of the Hawser driver: build programs, submit them, read results.
//!
//! * [`program`]: programs, and a typed builder for them;
//! * [`Device`]: an open device; [`Device::run`] blocks, [`Device::submit`] returns a [`Pending`] that can be polled, waited for, awaited
//!   and cancelled;
//! * [`language`]: the program language `.hws`;
//! * [`assembly`]: programs as text, step by step, `.hwa`;
//! * [`transport`]: how IOCTLs reach a driver: the Windows device, or a simulated machine in this process.
//!
//! A data buffer belongs to the request while the driver may use it: submitting takes it, and it comes back with the result. Dropping a
//! [`Pending`] cancels the request and waits for its end, so that no buffer is ever freed under the device.

#[cfg(test)]
mod testing;

pub mod assembly;
mod device;
mod error;
pub mod language;
mod pending;
pub mod program;
mod status;
pub mod transport;

pub use device::{Device, limits_of};
pub use error::{Ending, Error, Failed};
pub use half::{bf16, f16};
pub use pending::{Finished, Pending};
pub use program::{
    Array, Element, Float, Integer, Matrix, Operand, Predicate, Program, ProgramBuilder, ProgramError, Signed,
};
pub use status::NtStatus;
pub use transport::{Buffer, Transport};
