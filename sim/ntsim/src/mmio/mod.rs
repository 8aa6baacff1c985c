//! Device registers: their mapping into the system address space, and the accesses to them.
//!
//! A mapping is a range of host addresses without any access rights. Touching it faults; the signal handler (`fault`) makes the context call `trap` on
//! its own stack, which decodes the instruction, carries out the access as a scheduling point, and goes on behind the instruction. So drivers read and
//! write registers with ordinary instructions, and have no test hooks. Other faults in a context become bug checks.

mod decode;
mod emulate;
mod fault;
mod flags;
mod frame;
mod ledger;
mod mapping;
mod trap;

pub(crate) use fault::install_fault_handler;
pub use ledger::{RegisterCount, check_unload};
pub use mapping::State;
pub use mapping::{explain, forget};

use crate::cross::Export;

/// The functions that this part exports.
pub(crate) const EXPORTS: &[&[Export]] = &[mapping::EXPORTS];
