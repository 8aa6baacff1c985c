//! Access to a PCI device's configuration space through its bus driver.

use wdk_sys::{
    BUS_INTERFACE_STANDARD, GUID, PCI_ENABLE_BUS_MASTER, PCI_WHICHSPACE_CONFIG, WDFDEVICE,
    call_unsafe_wdf_function_binding,
};

use crate::status::{NtStatus, Result, check};

/// `GUID_BUS_INTERFACE_STANDARD`.
static BUS_INTERFACE_STANDARD_GUID: GUID = GUID {
    Data1: 0x496B_8280,
    Data2: 0x6F25,
    Data3: 0x11D0,
    Data4: [0xBE, 0xAF, 0x08, 0x00, 0x2B, 0xE2, 0x09, 0x2F],
};

/// Offset of the vendor identifier in configuration space.
const VENDOR: u32 = 0;
/// What reads as the vendor identifier where there is no function.
const NO_VENDOR: u16 = u16::MAX;
/// Offset of the command register in configuration space.
const COMMAND: u32 = 4;
/// The bit of the command register that lets a function access memory by itself.
const BUS_MASTER: u16 = PCI_ENABLE_BUS_MASTER as u16;

/// The standard interface of the bus driver below a device. Its functions: `IRQL <= DISPATCH_LEVEL`.
#[derive(Debug)]
pub struct BusInterface(BUS_INTERFACE_STANDARD);

// SAFETY: the interface may be used from any thread; it is not changed after it was queried.
unsafe impl Send for BusInterface {}
// SAFETY: as above.
unsafe impl Sync for BusInterface {}

/// What the command register says about bus mastering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusMaster {
    /// The device may access memory.
    Enabled,
    /// The device cannot access memory.
    Disabled,
    /// The vendor identifier reads as ones: there is no device.
    Gone,
}

impl BusInterface {
    /// Asks the bus driver for its interface. `STATUS_INVALID_DEVICE_REQUEST` where it cannot read and write configuration space. `PASSIVE_LEVEL`.
    pub(crate) fn query(device: WDFDEVICE) -> Result<Self> {
        let mut interface = BUS_INTERFACE_STANDARD::default();
        // SAFETY: the device is alive; the pointer leads to a local of the size stated, into which an interface of the version stated is written.
        let status = unsafe {
            call_unsafe_wdf_function_binding!(
                WdfFdoQueryForInterface,
                device,
                &raw const BUS_INTERFACE_STANDARD_GUID,
                (&raw mut interface).cast(),
                size_of::<BUS_INTERFACE_STANDARD>() as u16,
                1,
                core::ptr::null_mut()
            )
        };
        check(status)?;
        let interface = Self(interface);
        if interface.0.GetBusData.is_some() && interface.0.SetBusData.is_some() {
            Ok(interface)
        } else {
            Err(NtStatus::INVALID_DEVICE_REQUEST)
        }
    }

    /// Whether the device may access memory by itself. `STATUS_DEVICE_DOES_NOT_EXIST` where the bus driver read less than it was asked for, which proves nothing.
    pub fn bus_master(&self) -> Result<BusMaster> {
        if self.read(VENDOR)? == NO_VENDOR {
            return Ok(BusMaster::Gone);
        }
        Ok(if self.read(COMMAND)? & BUS_MASTER == 0 {
            BusMaster::Disabled
        } else {
            BusMaster::Enabled
        })
    }

    /// Takes the right to access memory from the device, or gives it back, and returns what the device says afterwards. Errors as for
    /// [`bus_master`](Self::bus_master).
    pub fn set_bus_master(&self, to: BusMaster) -> Result<BusMaster> {
        if self.bus_master()? != BusMaster::Gone {
            let command = self.read(COMMAND)?;
            let wanted = if to == BusMaster::Enabled {
                command | BUS_MASTER
            } else {
                command & !BUS_MASTER
            };
            self.write_command(wanted)?;
        }
        self.bus_master()
    }

    /// Reads 16 bits of configuration space.
    fn read(&self, offset: u32) -> Result<u16> {
        let get = self.0.GetBusData.ok_or(NtStatus::INVALID_DEVICE_REQUEST)?;
        let mut bytes = [0xFF_u8; 2];
        // SAFETY: a function of the interface, with the interface's context; the buffer has the length stated.
        let read = unsafe {
            get(
                self.0.Context,
                PCI_WHICHSPACE_CONFIG,
                bytes.as_mut_ptr().cast(),
                offset,
                2,
            )
        };
        if read == 2 {
            Ok(u16::from_le_bytes(bytes))
        } else {
            Err(NtStatus::DEVICE_DOES_NOT_EXIST)
        }
    }

    fn write_command(&self, command: u16) -> Result {
        let set = self.0.SetBusData.ok_or(NtStatus::INVALID_DEVICE_REQUEST)?;
        let mut bytes = command.to_le_bytes();
        // SAFETY: a function of the interface, with the interface's context; the buffer has the length stated.
        let written = unsafe {
            set(
                self.0.Context,
                PCI_WHICHSPACE_CONFIG,
                bytes.as_mut_ptr().cast(),
                COMMAND,
                2,
            )
        };
        if written == 2 {
            Ok(())
        } else {
            Err(NtStatus::DEVICE_DOES_NOT_EXIST)
        }
    }
}

impl Drop for BusInterface {
    fn drop(&mut self) {
        if let Some(dereference) = self.0.InterfaceDereference {
            // SAFETY: the query referenced the interface; this gives the reference back, once.
            unsafe { dereference(self.0.Context) };
        }
    }
}
