//! What a device and its driver can take.

use hawser_abi::op::{REV1_ELEMENT_TYPES, REV1_OPERATIONS};
use hawser_abi::{pci, program};

/// Most DMA mappings of one request in each direction.
pub const MAX_MAPPINGS: usize = 8;
/// Most bytes of a program's window of device-local memory: places in it and in the data buffer are told apart in 31 bits.
pub(crate) const MAX_SCRATCH: u64 = (1 << 30) - 1;

/// What a device and its driver can take. [`Limits::default`] is revision 1 of the device with a driver that nobody has configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most steps of one program; 65,536. Not above [`program::MAX_STEPS`], nor above what the workspace of a check holds.
    pub max_steps: u32,
    /// Most bytes of one data buffer; 1 GiB, and not above [`program::MAX_DATA`].
    pub max_data: u64,
    /// Most mappings in each direction; 8, and not above [`MAX_MAPPINGS`].
    pub max_mappings: u32,
    /// Bytes of device-local memory; 64 MiB. A program's window has less than 1 GiB of it.
    pub scratch_size: u64,
    /// Bytes of the arena; 64 MiB. A request whose copies and tables need more is refused.
    pub arena_size: u64,
    /// Bytes to which both ends of a mapping from the device are aligned in memory, a power of two; 64, the cache line.
    pub dma_alignment: u32,
    /// Pages that all mappings of one request in one direction may span together, which is what map registers there are for it; as many as there are.
    pub map_registers: u32,
    /// Operations that the device runs: bit `n` stands for opcode `n`.
    pub operations: u64,
    /// Element types that the device computes with: bit `n` stands for type `n`.
    pub element_types: u32,
    /// Bits of an address that the device can put on the bus; 64.
    pub device_address_bits: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_steps: program::MAX_STEPS,
            max_data: program::MAX_DATA,
            max_mappings: MAX_MAPPINGS as u32,
            scratch_size: pci::MEMORY_BAR_SIZE,
            arena_size: 64 << 20,
            dma_alignment: 64,
            map_registers: u32::MAX,
            operations: REV1_OPERATIONS,
            element_types: REV1_ELEMENT_TYPES,
            device_address_bits: 64,
        }
    }
}

impl Limits {
    /// Most bytes of a data buffer, within the contract.
    pub(crate) fn data_limit(&self) -> u64 {
        self.max_data.min(program::MAX_DATA)
    }

    /// Most bytes of a program's window of device-local memory.
    pub(crate) fn scratch_limit(&self) -> u64 {
        self.scratch_size.min(MAX_SCRATCH)
    }

    /// Most mappings in each direction, within what a plan can list.
    pub(crate) fn mapping_limit(&self) -> usize {
        usize::try_from(self.max_mappings).map_or(MAX_MAPPINGS, |most| most.min(MAX_MAPPINGS))
    }

    /// Bytes of a cache line; an alignment that is not a power of two counts as the next one.
    pub(crate) fn line(&self) -> u64 {
        u64::from(self.dma_alignment).next_power_of_two()
    }

    /// The highest address that the device can reach.
    pub fn highest_address(&self) -> u64 {
        match 1_u64.checked_shl(self.device_address_bits) {
            Some(beyond) => beyond.wrapping_sub(1),
            None => u64::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_never_leave_the_contract() {
        let wild = Limits {
            max_data: u64::MAX,
            max_mappings: u32::MAX,
            scratch_size: u64::MAX,
            dma_alignment: 0,
            ..Limits::default()
        };
        assert_eq!(wild.data_limit(), program::MAX_DATA);
        assert_eq!(wild.mapping_limit(), MAX_MAPPINGS);
        assert_eq!(wild.scratch_limit(), MAX_SCRATCH);
        assert_eq!(wild.line(), 1);
    }

    #[test]
    fn highest_addresses() {
        let highest = |bits| {
            Limits {
                device_address_bits: bits,
                ..Limits::default()
            }
            .highest_address()
        };
        assert_eq!(highest(32), 0xFFFF_FFFF);
        assert_eq!(highest(63), u64::MAX >> 1);
        assert_eq!(highest(64), u64::MAX);
        assert_eq!(highest(200), u64::MAX);
    }
}
