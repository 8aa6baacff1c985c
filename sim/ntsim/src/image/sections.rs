//! The sections of an image: where they lie, and what code may do with them.

use super::ImageError;
use object::{
    LittleEndian as LE,
    pe::{self, ImageSectionHeader},
    read::pe::{ImageNtHeaders as _, ImageOptionalHeader as _, PeFile64},
};

/// Sections begin at pages.
const PAGE: u32 = 4096;

/// What code may do with a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protection {
    Read,
    ReadWrite,
    ReadExecute,
}

/// How long a section stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lifetime {
    /// As long as the image.
    Image,
    /// Until the entry point has returned.
    Initialization,
}

/// One section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) name: String,
    /// Where it begins, from the start of the image.
    pub(super) address: u32,
    /// Its size in memory.
    pub(super) size: u32,
    /// Its bytes in the file; zeros follow.
    pub(super) bytes: Vec<u8>,
    pub(super) protection: Protection,
    pub(super) lifetime: Lifetime,
}

impl Section {
    /// Whether code at a place of the image is in this section.
    pub(super) fn runs(&self, place: u32) -> bool {
        let into = place.checked_sub(self.address);
        self.protection == Protection::ReadExecute && into.is_some_and(|into| into < self.size)
    }
}

/// Reads the section table. Each section lies at the first page behind the one before it, and the first behind the headers.
pub(super) fn read(file: &str, image: &PeFile64<'_>, size: u32) -> Result<Vec<Section>, ImageError> {
    let headers = image.nt_headers().optional_header().size_of_headers();
    let mut next = headers.checked_next_multiple_of(PAGE).unwrap_or(u32::MAX);
    let mut all = Vec::new();
    for header in image.section_table().iter() {
        let section = section(file, image, header)?;
        let end = section.address.checked_add(section.size);
        let Some(end) = end.filter(|end| section.address == next && *end <= size) else {
            return Err(malformed(
                file,
                &section.name,
                "does not lie in the image, right behind the one before it",
            ));
        };
        next = end.next_multiple_of(PAGE);
        all.push(section);
    }
    Ok(all)
}

fn section(file: &str, image: &PeFile64<'_>, header: &ImageSectionHeader) -> Result<Section, ImageError> {
    let name = String::from_utf8_lossy(header.raw_name()).into_owned();
    if header.virtual_size.get(LE) == 0 {
        return Err(malformed(file, &name, "has no size in memory"));
    }
    let bytes = header
        .pe_data(image.data())
        .map_err(|error| malformed(file, &name, &error.to_string()))?;
    let flags = header.characteristics.get(LE);
    let Some(protection) = protection(flags) else {
        return Err(ImageError::WritableCode {
            file: file.to_owned(),
            section: name,
        });
    };
    Ok(Section {
        name,
        address: header.virtual_address.get(LE),
        size: header.virtual_size.get(LE).max(bytes.len() as u32),
        bytes: bytes.to_vec(),
        protection,
        lifetime: match flags & pe::IMAGE_SCN_MEM_DISCARDABLE {
            0 => Lifetime::Image,
            _ => Lifetime::Initialization,
        },
    })
}

/// The protection that flags ask for; none for code that can be written.
fn protection(flags: u32) -> Option<Protection> {
    let has = |flag| flags & flag != 0;
    match (has(pe::IMAGE_SCN_MEM_WRITE), has(pe::IMAGE_SCN_MEM_EXECUTE)) {
        (true, true) => None,
        (true, false) => Some(Protection::ReadWrite),
        (false, true) => Some(Protection::ReadExecute),
        (false, false) => Some(Protection::Read),
    }
}

fn malformed(file: &str, section: &str, what: &str) -> ImageError {
    ImageError::Malformed {
        file: file.to_owned(),
        reason: format!("section {section}: {what}"),
    }
}
