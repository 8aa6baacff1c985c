//! Checks of the headers.

use object::pe::{
    IMAGE_DIRECTORY_ENTRY_EXPORT, IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE, IMAGE_DLLCHARACTERISTICS_FORCE_INTEGRITY,
    IMAGE_DLLCHARACTERISTICS_HIGH_ENTROPY_VA, IMAGE_DLLCHARACTERISTICS_NX_COMPAT, IMAGE_FILE_DLL,
    IMAGE_FILE_RELOCS_STRIPPED, IMAGE_SUBSYSTEM_NATIVE,
};

use super::{Expected, Outcome};
use crate::image::Image;

/// The version of Windows from which on an image for Windows 10 can be loaded.
const WINDOWS_10: (u16, u16) = (10, 0);

pub fn machine(image: &Image<'_>, expected: &Expected<'_>) -> Outcome {
    let (found, wanted) = (image.facts().machine, expected.machine);
    if found != wanted.code() {
        return Err(format!(
            "the machine is {found:#x}, not {:#x} ({wanted})",
            wanted.code()
        ));
    }
    Ok(wanted.to_string())
}

pub fn native(image: &Image<'_>, _: &Expected<'_>) -> Outcome {
    let facts = image.facts();
    if facts.subsystem != IMAGE_SUBSYSTEM_NATIVE {
        return Err(format!("the subsystem is {}", facts.subsystem));
    }
    if facts.subsystem_version != WINDOWS_10 {
        return Err(format!("the version of the subsystem is {:?}", facts.subsystem_version));
    }
    Ok("version 10.0".to_owned())
}

pub fn not_a_library(image: &Image<'_>, _: &Expected<'_>) -> Outcome {
    if image.facts().file_flags & IMAGE_FILE_DLL != 0 {
        return Err("the file says that it is a DLL".to_owned());
    }
    if image.directory(IMAGE_DIRECTORY_ENTRY_EXPORT).is_some() {
        return Err("there is an export directory".to_owned());
    }
    Ok("neither".to_owned())
}

pub fn dynamic_base(image: &Image<'_>, _: &Expected<'_>) -> Outcome {
    if image.facts().file_flags & IMAGE_FILE_RELOCS_STRIPPED != 0 {
        return Err("relocations are stripped".to_owned());
    }
    flag(image, IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE)
}

pub fn nx_compatible(image: &Image<'_>, _: &Expected<'_>) -> Outcome {
    flag(image, IMAGE_DLLCHARACTERISTICS_NX_COMPAT)
}

pub fn high_entropy(image: &Image<'_>, _: &Expected<'_>) -> Outcome {
    flag(image, IMAGE_DLLCHARACTERISTICS_HIGH_ENTROPY_VA)
}

pub fn force_integrity(image: &Image<'_>, _: &Expected<'_>) -> Outcome {
    flag(image, IMAGE_DLLCHARACTERISTICS_FORCE_INTEGRITY)
}

fn flag(image: &Image<'_>, flag: u16) -> Outcome {
    let flags = image.facts().dll_flags;
    if flags & flag == 0 {
        return Err(format!("not set in {flags:#06x}"));
    }
    Ok("set".to_owned())
}

pub fn checksum(image: &Image<'_>, _: &Expected<'_>) -> Outcome {
    let stated = image.facts().checksum;
    let computed = crate::checksum(image.bytes()).ok_or("the header is damaged")?;
    if stated == 0 {
        return Err("it is zero".to_owned());
    }
    if stated != computed {
        return Err(format!("the image says {stated:#x}, its bytes add up to {computed:#x}"));
    }
    Ok(format!("{stated:#x}"))
}
