//! What the slot offers the device: the only way to the host.

/// The host did not answer a memory access, or refused it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host refused the memory access")]
pub struct BusError;

/// The host as the device sees it. Addresses are device addresses: an IOMMU may translate or refuse them.
pub trait HostBus {
    /// Reads host memory. After an error the contents of `into` mean nothing.
    fn read(&mut self, address: u64, into: &mut [u8]) -> Result<(), BusError>;
    /// Writes host memory. Writes become visible in the order of the calls.
    fn write(&mut self, address: u64, from: &[u8]) -> Result<(), BusError>;
    /// Sends an MSI-X message.
    fn message(&mut self, vector: u16);
    /// Sets the level of the INTx line; called when it changes.
    fn line(&mut self, asserted: bool);
    /// Nanoseconds since some fixed moment; never goes back.
    fn now_ns(&self) -> u64;
}

/// What [`Accelerator::step`](crate::Accelerator::step) left to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// Nothing, until a register is written or power or bus mastering changes.
    Idle,
    /// More work is ready.
    Busy,
    /// Nothing until this time in nanoseconds, or until what ends [`Activity::Idle`].
    WaitUntil(u64),
}
