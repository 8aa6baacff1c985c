//! What a model of a PCI function has to provide, and what it gets.

/// Who a function says it is, and what resources it wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Vendor ID.
    pub vendor: u16,
    /// Device ID.
    pub device: u16,
    /// Subsystem vendor ID.
    pub subsystem_vendor: u16,
    /// Subsystem ID.
    pub subsystem: u16,
    /// Class, subclass and programming interface, 24 bits.
    pub class: u32,
    /// Revision ID.
    pub revision: u8,
    /// The BARs by number; a 64-bit memory BAR takes its number and the next, where `None` stands.
    pub bars: Vec<Option<Bar>>,
    /// The number of MSI-X messages it can send; 0 when it has only its interrupt line.
    pub messages: u16,
}

/// A 64-bit memory BAR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// The length in bytes, a power of two of at least 4096.
    pub length: u64,
    /// Whether reads have no side effects.
    pub prefetchable: bool,
}

/// What a function does next, as far as it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// Nothing until a register is written.
    Idle,
    /// Something, as soon as it gets a turn.
    Busy,
    /// Something at this virtual time, in nanoseconds.
    WaitUntil(u64),
}

/// A device power state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PowerState {
    /// Fully on.
    #[default]
    D0,
    /// Off; the registers are gone.
    D3,
}

/// The state of an interrupt line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The function asks for service.
    Asserted,
    /// It does not.
    Deasserted,
}

/// An access to host memory that the bus did not carry out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DmaFault {
    /// The address.
    pub address: u64,
}

/// What a function can do to the rest of the machine.
pub trait DevicePort {
    /// Reads host memory.
    ///
    /// # Errors
    /// Bus mastering is off, or the address is not one that the function may read.
    fn dma_read(&mut self, address: u64, data: &mut [u8]) -> Result<(), DmaFault>;
    /// Writes host memory.
    ///
    /// # Errors
    /// Bus mastering is off, or the address is not one that the function may write.
    fn dma_write(&mut self, address: u64, data: &[u8]) -> Result<(), DmaFault>;
    /// Sends an MSI-X message. With fewer messages granted than the function has, messages share; without any, this does nothing.
    fn message(&mut self, number: u16);
    /// Drives the interrupt line.
    fn line(&mut self, level: Level);
    /// The virtual time in nanoseconds.
    fn now_ns(&self) -> u64;
    /// How interrupts are to be sent: the number of messages granted; 0 means the line.
    fn messages_granted(&self) -> u16;
}

/// A model of a PCI function.
pub trait PciFunction {
    /// Who it is.
    fn identity(&self) -> Identity;
    /// A read of `width` bytes (1, 2, 4 or 8, naturally aligned, inside the BAR).
    fn read(&mut self, bar: u8, offset: u64, width: u8) -> u64;
    /// A write of `width` bytes (1, 2, 4 or 8, naturally aligned, inside the BAR).
    fn write(&mut self, bar: u8, offset: u64, width: u8, value: u64, port: &mut dyn DevicePort);
    /// Does a small amount of work.
    fn step(&mut self, port: &mut dyn DevicePort) -> Activity;
    /// Bus mastering was switched.
    fn set_bus_master(&mut self, enabled: bool);
    /// Whether bus mastering can be switched off by the driver. Where the answer is no, the bit in the command register stays set, as on broken hardware.
    fn gives_up_bus_mastering(&self) -> bool {
        true
    }
    /// The power state changed. Coming from D3 to D0 resets a function.
    fn set_power(&mut self, state: PowerState);
    /// It was pulled out: it does nothing more.
    fn unplug(&mut self);
}
