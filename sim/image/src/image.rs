//! An image as bytes of a file, addressed as it will be in memory.

use crate::facts::{Facts, Section};
use crate::first_reader;

/// The bytes are no 64-bit image, or one that is damaged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a 64-bit image: {0}")]
pub struct NotAnImage(pub(crate) String);

/// An image: its bytes and what they say.
pub struct Image<'data> {
    bytes: &'data [u8],
    facts: Facts,
}

impl<'data> Image<'data> {
    /// Reads headers, sections, imports and relocations.
    pub fn read(bytes: &'data [u8]) -> Result<Self, NotAnImage> {
        let facts = first_reader::read(bytes)?;
        Ok(Self { bytes, facts })
    }

    /// The file.
    pub fn bytes(&self) -> &'data [u8] {
        self.bytes
    }

    /// What the image says of itself.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// A data directory, if it is not empty.
    pub fn directory(&self, index: usize) -> Option<(u32, u32)> {
        let found = self.facts.directories.get(index).copied();
        found.filter(|&directory| directory != (0, 0))
    }

    /// The bytes of a data directory.
    pub fn directory_bytes(&self, index: usize) -> Option<&'data [u8]> {
        let (address, size) = self.directory(index)?;
        self.at(address, size as usize)
    }

    /// The section with an address.
    pub fn section_of(&self, address: u32) -> Option<&Section> {
        self.facts.sections.iter().find(|section| section.contains(address))
    }

    /// The bytes of a section that are in the file.
    pub fn section_bytes(&self, section: &Section) -> Option<&'data [u8]> {
        let length = section.file_size.min(section.size) as usize;
        let start = section.file_offset as usize;
        self.bytes.get(start..start.checked_add(length)?)
    }

    /// Bytes at an address, if the file has them.
    pub fn at(&self, address: u32, length: usize) -> Option<&'data [u8]> {
        let section = self.section_of(address)?;
        let start = address.checked_sub(section.address)? as usize;
        self.section_bytes(section)?.get(start..start.checked_add(length)?)
    }

    /// A number at an address.
    pub fn u32_at(&self, address: u32) -> Option<u32> {
        Some(u32::from_le_bytes(self.at(address, 4)?.try_into().ok()?))
    }

    /// A number at an address.
    pub fn u64_at(&self, address: u32) -> Option<u64> {
        Some(u64::from_le_bytes(self.at(address, 8)?.try_into().ok()?))
    }

    /// The address that a pointer for the linked base leads to, relative to the base.
    pub fn relative(&self, pointer: u64) -> Option<u32> {
        let offset = pointer.checked_sub(self.facts.base)?;
        u32::try_from(offset).ok().filter(|&offset| offset < self.facts.size)
    }
}
