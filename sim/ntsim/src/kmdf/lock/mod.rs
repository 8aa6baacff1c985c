//! `WDFSPINLOCK` and `WDFWAITLOCK`.

mod spin;
mod wait;

pub(crate) use spin::{FUNCTIONS as SPIN_FUNCTIONS, SpinLock};
pub(crate) use wait::FUNCTIONS as WAIT_FUNCTIONS;
