//! Reads an image by `pelite`, so that a mistake of one reader does not pass for a fact.

use pelite::pe64::imports::Import as Entry;
use pelite::pe64::{Pe, PeFile};

use crate::facts::{Facts, Import, Relocation, Section};

/// Everything that the headers and tables say, and the checksum as it should be.
pub fn read(bytes: &[u8]) -> Result<(Facts, u32), pelite::Error> {
    let file = PeFile::from_bytes(bytes)?;
    let mut facts = headers(file);
    facts.sections = file.section_headers().iter().map(section).collect();
    facts.imports = imports(file)?;
    facts.relocations = relocations(file)?;
    Ok((facts, file.headers().check_sum()))
}

fn headers(file: PeFile<'_>) -> Facts {
    let (header, optional) = (file.file_header(), file.optional_header());
    let directories = file.data_directory().iter();
    Facts {
        machine: header.Machine,
        file_flags: header.Characteristics,
        dll_flags: optional.DllCharacteristics,
        subsystem: optional.Subsystem,
        subsystem_version: (optional.SubsystemVersion.Major, optional.SubsystemVersion.Minor),
        base: optional.ImageBase,
        entry: optional.AddressOfEntryPoint,
        size: optional.SizeOfImage,
        headers: optional.SizeOfHeaders,
        checksum: optional.CheckSum,
        directories: directories.map(|entry| (entry.VirtualAddress, entry.Size)).collect(),
        ..Facts::default()
    }
}

fn section(header: &pelite::pe64::headers::SectionHeader) -> Section {
    Section {
        name: String::from_utf8_lossy(header.name_bytes()).into_owned(),
        flags: header.Characteristics,
        address: header.VirtualAddress,
        size: header.VirtualSize,
        file_offset: header.PointerToRawData,
        file_size: header.SizeOfRawData,
    }
}

/// An empty directory is no error.
fn optional<T>(result: Result<T, pelite::Error>) -> Result<Option<T>, pelite::Error> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(pelite::Error::Null) => Ok(None),
        Err(error) => Err(error),
    }
}

fn imports(file: PeFile<'_>) -> Result<Vec<Import>, pelite::Error> {
    let mut found = Vec::new();
    for descriptor in optional(file.imports())?.into_iter().flatten() {
        let module = descriptor.dll_name()?.to_string();
        let mut slot = descriptor.image().FirstThunk;
        for entry in descriptor.int()? {
            let name = match entry? {
                Entry::ByOrdinal { ord } => format!("#{ord}"),
                Entry::ByName { name, .. } => name.to_string(),
            };
            found.push(Import {
                module: module.clone(),
                name,
                slot,
            });
            slot = slot.wrapping_add(8);
        }
    }
    Ok(found)
}

fn relocations(file: PeFile<'_>) -> Result<Vec<Relocation>, pelite::Error> {
    let mut found = Vec::new();
    if let Some(table) = optional(file.base_relocs())? {
        table.for_each(|address, kind| {
            found.push(Relocation {
                address,
                kind: u16::from(kind),
            });
        });
    }
    Ok(found)
}
