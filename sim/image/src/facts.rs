//! What an image says of itself, in a form that two readers can be compared in.

use std::fmt;

/// Processors that a driver image can be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// x86-64.
    X64,
    /// AArch64.
    Arm64,
}

impl Machine {
    /// The machine in the file header.
    pub const fn code(self) -> u16 {
        match self {
            Self::X64 => object::pe::IMAGE_FILE_MACHINE_AMD64,
            Self::Arm64 => object::pe::IMAGE_FILE_MACHINE_ARM64,
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::X64 => "x64",
            Self::Arm64 => "arm64",
        })
    }
}

/// Headers and tables of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// `IMAGE_FILE_HEADER.Machine`.
    pub machine: u16,
    /// `IMAGE_FILE_HEADER.Characteristics`.
    pub file_flags: u16,
    /// `DllCharacteristics`.
    pub dll_flags: u16,
    /// `Subsystem`.
    pub subsystem: u16,
    /// Version of the subsystem that is needed: major, minor.
    pub subsystem_version: (u16, u16),
    /// Address that the image is linked for.
    pub base: u64,
    /// Entry point, relative to the base.
    pub entry: u32,
    /// Bytes from the base to the end.
    pub size: u32,
    /// Bytes of the headers.
    pub headers: u32,
    /// `CheckSum`.
    pub checksum: u32,
    /// Address and length of each data directory.
    pub directories: Vec<(u32, u32)>,
    /// Sections in the order of their headers.
    pub sections: Vec<Section>,
    /// Imports in the order of the import directory.
    pub imports: Vec<Import>,
    /// Relocations in the order of their blocks, without padding.
    pub relocations: Vec<Relocation>,
}

/// A section's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its name, with what is not text replaced.
    pub name: String,
    /// `Characteristics`.
    pub flags: u32,
    /// Address relative to the base.
    pub address: u32,
    /// Bytes in memory.
    pub size: u32,
    /// Place in the file.
    pub file_offset: u32,
    /// Bytes in the file.
    pub file_size: u32,
}

impl Section {
    /// Code may run from it.
    pub fn is_executable(&self) -> bool {
        self.flags & object::pe::IMAGE_SCN_MEM_EXECUTE != 0
    }

    /// It may be written to.
    pub fn is_writable(&self) -> bool {
        self.flags & object::pe::IMAGE_SCN_MEM_WRITE != 0
    }

    /// The address lies in the section.
    pub fn contains(&self, address: u32) -> bool {
        address
            .checked_sub(self.address)
            .is_some_and(|offset| offset < self.size)
    }
}

/// A function or variable of another image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The image that exports it.
    pub module: String,
    /// Its name, or `#` and a number.
    pub name: String,
    /// Where its address goes, relative to the base.
    pub slot: u32,
}

impl fmt::Display for Import {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}!{}", self.module, self.name)
    }
}

/// A place that depends on where the image is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relocation {
    /// The place, relative to the base.
    pub address: u32,
    /// `IMAGE_REL_BASED_*`.
    pub kind: u16,
}
