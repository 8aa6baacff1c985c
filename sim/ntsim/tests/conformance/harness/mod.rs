//! What stands around the client: the function on the bus, the IRPs, the interrupts, and what the record remarks in between.

pub mod buffer;
pub mod bus;
pub mod irp;
pub mod note;
pub mod stimulus;
