//! Bus-master DMA: what a device may access, and proof that it has stopped.
//!
//! The rule that the types keep: *memory stays tied to the device until the device has proved that it let go.* A request is mapped by the transactions of an
//! [`IdleSet`]; while any of them is mapped the request cannot be completed, since it can only be had back from
//!
//! - [`Mapping::abandon`] and [`Mapped::abandon`]: the device was never told the addresses;
//! - [`Started::release`]: the device was told, and a [`Quiesced`] token shows that it has ended.
//!
//! There is no other way to `WdfDmaTransactionDmaCompletedFinal` and thereby to `PutScatterGatherList`. A value of these types that is dropped releases nothing:
//! the memory stays tied, and the ledger shows it.

mod common_buffer;
mod enabler;
mod quiesced;
mod scatter_gather;
mod transfer;

pub use common_buffer::CommonBuffer;
pub use enabler::{DmaEnabler, EnablerConfig};
pub use quiesced::{Authority, Quiesced, Run};
pub use scatter_gather::{DeviceAddress, ScatterGatherElement, ScatterGatherList};
pub use transfer::{
    Direction, Execution, ExecutionFailed, IdleSet, Mapped, Mapping, Part, Patience, ProgramDma, Programmed, Started,
};
