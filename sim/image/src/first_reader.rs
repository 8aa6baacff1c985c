//! Reads an image by `object`.

use object::LittleEndian as LE;
use object::pe::ImageNtHeaders64;
use object::read::pe::{ImageNtHeaders, ImageOptionalHeader, Import as Entry, PeFile64};

use crate::facts::{Facts, Import, Relocation, Section};
use crate::image::NotAnImage;

/// More imports or relocations than any driver has are damage, not data to work through.
const LIMIT: usize = 1 << 16;

type Read<T> = Result<T, NotAnImage>;

fn damaged(error: object::Error) -> NotAnImage {
    NotAnImage(error.to_string())
}

/// Everything that the headers and tables say.
pub fn read(bytes: &[u8]) -> Read<Facts> {
    let file = PeFile64::parse(bytes).map_err(damaged)?;
    let mut facts = headers(&file);
    facts.sections = file.section_table().iter().map(section).collect();
    facts.imports = imports(&file)?;
    facts.relocations = relocations(bytes, &file)?;
    Ok(facts)
}

fn headers(file: &PeFile64<'_>) -> Facts {
    let header = file.nt_headers().file_header();
    let optional = file.nt_headers().optional_header();
    let directories = file.data_directories();
    Facts {
        machine: header.machine.get(LE),
        file_flags: header.characteristics.get(LE),
        dll_flags: optional.dll_characteristics(),
        subsystem: optional.subsystem(),
        subsystem_version: (optional.major_subsystem_version(), optional.minor_subsystem_version()),
        base: optional.image_base(),
        entry: optional.address_of_entry_point(),
        size: optional.size_of_image(),
        headers: optional.size_of_headers(),
        checksum: optional.check_sum(),
        directories: directories.iter().map(|directory| directory.address_range()).collect(),
        ..Facts::default()
    }
}

fn section(header: &object::pe::ImageSectionHeader) -> Section {
    let name = header.name.split(|&byte| byte == 0).next().unwrap_or_default();
    Section {
        name: String::from_utf8_lossy(name).into_owned(),
        flags: header.characteristics.get(LE),
        address: header.virtual_address.get(LE),
        size: header.virtual_size.get(LE),
        file_offset: header.pointer_to_raw_data.get(LE),
        file_size: header.size_of_raw_data.get(LE),
    }
}

fn imports(file: &PeFile64<'_>) -> Read<Vec<Import>> {
    let mut found = Vec::new();
    let Some(table) = file.import_table().map_err(damaged)? else {
        return Ok(found);
    };
    let mut descriptors = table.descriptors().map_err(damaged)?;
    while let Some(descriptor) = descriptors.next().map_err(damaged)? {
        let module = text(table.name(descriptor.name.get(LE)).map_err(damaged)?);
        let mut thunks = table.thunks(descriptor.original_first_thunk.get(LE)).map_err(damaged)?;
        let mut slot = descriptor.first_thunk.get(LE);
        while let Some(thunk) = thunks.next::<ImageNtHeaders64>().map_err(damaged)? {
            let name = match table.import::<ImageNtHeaders64>(thunk).map_err(damaged)? {
                Entry::Ordinal(number) => format!("#{number}"),
                Entry::Name(_, name) => text(name),
            };
            found.push(Import {
                module: module.clone(),
                name,
                slot,
            });
            slot = slot.wrapping_add(8);
            within_limit(found.len())?;
        }
    }
    Ok(found)
}

fn relocations(bytes: &[u8], file: &PeFile64<'_>) -> Read<Vec<Relocation>> {
    let sections = file.section_table();
    let blocks = file.data_directories().relocation_blocks(bytes, &sections);
    let Some(mut blocks) = blocks.map_err(damaged)? else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    while let Some(block) = blocks.next().map_err(damaged)? {
        let entries = block.filter(|entry| entry.typ != object::pe::IMAGE_REL_BASED_ABSOLUTE);
        found.extend(entries.map(|entry| Relocation {
            address: entry.virtual_address,
            kind: entry.typ,
        }));
        within_limit(found.len())?;
    }
    Ok(found)
}

fn within_limit(count: usize) -> Read<()> {
    if count > LIMIT {
        return Err(NotAnImage("its tables have no end".to_owned()));
    }
    Ok(())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
