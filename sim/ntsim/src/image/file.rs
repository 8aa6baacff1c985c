//! Reads an image and checks everything about it that needs no machine.

use super::{
    ImageError,
    imports::{self, Wanted},
    relocate,
    sections::{self, Section},
    signature,
    symbols::Symbols,
};
use kernel_image::checksum;
use object::{
    LittleEndian as LE, pe,
    read::pe::{ImageNtHeaders as _, ImageOptionalHeader as _, PeFile64},
};
use std::{fs, path::Path, sync::Arc};

/// The least alignment of sections that get protections of their own.
const PAGE: u32 = 4096;
/// The largest image that is mapped: beyond any driver, and far below what the host could not give.
const LARGEST: u32 = 256 << 20;

/// What a machine demands of the signatures of drivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Signing {
    /// The digest of a signature must be right where there is one: Windows with integrity checks off.
    #[default]
    Optional,
    /// There must be a signature, as on every other Windows. Who signed is not looked at.
    Required,
}

/// Everything about an image that is needed to load it.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) file: String,
    pub(super) headers: Vec<u8>,
    pub(super) sections: Vec<Section>,
    /// The address that the linker assumed.
    pub(super) base: u64,
    pub(super) size: u32,
    pub(super) entry: u32,
    pub(super) relocations: Vec<u32>,
    pub(super) imports: Vec<Wanted>,
    pub(super) symbols: Symbols,
}

/// A driver image that can be loaded. Clones are the same image.
#[derive(Debug, Clone)]
pub struct Image(pub(super) Arc<Content>);

impl Image {
    /// Reads an image, and its symbols from the `.pdb` file beside it where that belongs to it.
    ///
    /// # Errors
    /// The file cannot be read, or is no driver image that Windows would load.
    pub fn open(path: &Path, signing: Signing) -> Result<Self, ImageError> {
        let file = path.display().to_string();
        let bytes = fs::read(path).map_err(|error| ImageError::Unreadable {
            file: file.clone(),
            reason: error.to_string(),
        })?;
        let symbols = fs::read(path.with_extension("pdb")).ok();
        Self::read(&file, &bytes, symbols, signing)
    }

    /// The same for bytes; `file` is what messages call it.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn from_bytes(file: &str, bytes: &[u8], signing: Signing) -> Result<Self, ImageError> {
        Self::read(file, bytes, None, signing)
    }

    /// What messages call the image: the last part of its path.
    #[must_use]
    pub fn name(&self) -> &str {
        short_name(&self.0.file)
    }

    /// The path, as it was given.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.0.file
    }

    /// The place of its entry point, from the start of the image.
    #[must_use]
    pub fn entry(&self) -> u32 {
        self.0.entry
    }

    /// The function that contains a place, where the symbols of the image were beside it, and how far into it the place is.
    #[must_use]
    pub fn function_at(&self, place: u32) -> Option<(&str, u32)> {
        self.0.symbols.find(place)
    }

    fn read(file: &str, bytes: &[u8], symbols: Option<Vec<u8>>, signing: Signing) -> Result<Self, ImageError> {
        let malformed = |reason: String| ImageError::Malformed {
            file: file.to_owned(),
            reason,
        };
        let image = parse(file, bytes)?;
        let header = image.nt_headers().optional_header();
        check_kind(file, &image)?;
        check_checksum(file, bytes, header.check_sum())?;
        signature::check(file, bytes, signing)?;
        let (size, entry) = (header.size_of_image(), header.address_of_entry_point());
        if header.section_alignment() < PAGE || size == 0 || size > LARGEST {
            return Err(malformed(format!(
                "it has sections aligned to {} bytes and {size} bytes in memory",
                header.section_alignment()
            )));
        }
        let sections = sections::read(file, &image, size)?;
        if !sections.iter().any(|section| section.runs(entry)) {
            return Err(malformed(format!(
                "its entry point {entry:#x} is not in a section with code"
            )));
        }
        let headers = bytes
            .get(..header.size_of_headers() as usize)
            .filter(|headers| headers.len() <= size as usize)
            .ok_or_else(|| malformed("its headers end outside the file".to_owned()))?;
        Ok(Self(Arc::new(Content {
            file: file.to_owned(),
            headers: headers.to_vec(),
            base: header.image_base(),
            size,
            entry,
            relocations: relocate::read(&image, size).map_err(malformed)?,
            imports: imports::read(file, &image, size)?,
            symbols: Symbols::read(&image, symbols),
            sections,
        })))
    }
}

/// The last part of a path.
pub(super) fn short_name(file: &str) -> &str {
    file.rsplit(['/', '\\']).next().unwrap_or(file)
}

fn parse<'a>(file: &str, bytes: &'a [u8]) -> Result<PeFile64<'a>, ImageError> {
    // A file for a 32-bit processor is a PE image of another kind, and deserves the message about the processor.
    if let Ok(object::FileKind::Pe32) = object::FileKind::parse(bytes) {
        return Err(ImageError::Machine {
            file: file.to_owned(),
            machine: "a 32-bit processor".to_owned(),
        });
    }
    PeFile64::parse(bytes).map_err(|error| ImageError::Malformed {
        file: file.to_owned(),
        reason: error.to_string(),
    })
}

fn check_kind(file: &str, image: &PeFile64<'_>) -> Result<(), ImageError> {
    let file = file.to_owned();
    let machine = match image.nt_headers().file_header().machine.get(LE) {
        pe::IMAGE_FILE_MACHINE_AMD64 => None,
        pe::IMAGE_FILE_MACHINE_ARM64 => Some("ARM64".to_owned()),
        pe::IMAGE_FILE_MACHINE_I386 => Some("32-bit x86".to_owned()),
        other => Some(format!("machine type {other:#x}")),
    };
    if let Some(machine) = machine {
        return Err(ImageError::Machine { file, machine });
    }
    let flags = image.nt_headers().file_header().characteristics.get(LE);
    if flags & pe::IMAGE_FILE_EXECUTABLE_IMAGE == 0 || flags & pe::IMAGE_FILE_RELOCS_STRIPPED != 0 {
        return Err(ImageError::Malformed {
            file,
            reason: "its header says that it was not linked completely, or that it cannot be moved".to_owned(),
        });
    }
    let subsystem = image.nt_headers().optional_header().subsystem();
    if subsystem != pe::IMAGE_SUBSYSTEM_NATIVE {
        return Err(ImageError::Subsystem { file, subsystem });
    }
    Ok(())
}

fn check_checksum(file: &str, bytes: &[u8], stored: u32) -> Result<(), ImageError> {
    match checksum(bytes) {
        Some(computed) if computed == stored => Ok(()),
        computed => Err(ImageError::Checksum {
            file: file.to_owned(),
            stored,
            computed: computed.unwrap_or(0),
        }),
    }
}
