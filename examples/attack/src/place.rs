//! The driver that is attacked: that in a simulated machine, or on Windows the installed one.

use std::error::Error;

use clap::Parser;

use crate::visit;

/// A tour of programs that try to reach outside their buffer.
#[derive(Parser)]
#[command(version, about)]
pub struct Options {
    /// The simulated machine's memory
    #[cfg(not(windows))]
    #[arg(long, value_enum, default_value_t = Memory::Iommu)]
    memory: Memory,
}

/// How device addresses relate to memory.
#[cfg(not(windows))]
#[derive(Clone, Copy, clap::ValueEnum)]
enum Memory {
    Flat,
    Scrambled,
    Iommu,
    Bounce,
}

#[cfg(not(windows))]
impl Options {
    /// Limits that leave room for programs beyond them in little memory.
    const PARAMETERS: [(&str, u32); 3] = [("MaxSteps", 1024), ("MaxDataKiB", 1024), ("ArenaKiB", 512)];

    /// Makes the tour in a machine that is then shut down, which fails if anything is left in it.
    pub fn with_device(self) -> Result<usize, Box<dyn Error>> {
        use hawser::transport::simulated::{Access, Machine, MemoryModel, SimConfig};

        let memory = match self.memory {
            Memory::Flat => MemoryModel::Flat,
            Memory::Scrambled => MemoryModel::Scrambled,
            Memory::Iommu => MemoryModel::Iommu,
            Memory::Bounce => MemoryModel::Bounce,
        };
        let machine = Machine::start(&SimConfig {
            memory,
            parameters: Self::PARAMETERS.map(|(name, value)| (name.into(), value)).into(),
            ..SimConfig::default()
        })?;
        let device = machine.open(Access::ReadWrite)?;
        let wrong = visit(&device)?;
        drop(device);
        machine.shutdown()?;
        println!("device removed, driver unloaded, nothing left");
        Ok(wrong)
    }
}

#[cfg(windows)]
impl Options {
    /// Makes the tour on the first device that is present.
    pub fn with_device(self) -> Result<usize, Box<dyn Error>> {
        use hawser::transport::windows::{Access, open};

        visit(&open(Access::ReadWrite)?)
    }
}
