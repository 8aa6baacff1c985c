//! PCI: functions with their configuration space, BARs and interrupts, and the contexts in which devices work.

mod config;
mod device;
mod function;
mod port;
mod slot;
mod state;

pub use function::{Activity, Bar, DevicePort, DmaFault, Identity, Level, PciFunction, PowerState};
pub use slot::{BarResource, FunctionId, InterruptResource, Resources};
pub use state::State;

pub(crate) use device::{Access, register_read, register_write};
pub use device::{
    bind_pdo, config_read, config_write, identity, of_pdo, plug, remove, resources, set_power, start, stop, unplug,
};
