//! Checks of the sections.

use object::pe::IMAGE_DIRECTORY_ENTRY_TLS;

use super::{Expected, Outcome};
use crate::facts::Section;
use crate::image::Image;

const PAGE: u32 = 0x1000;

/// Each section begins on a page behind the one before, lies within image and file, and none overlaps another.
pub fn sections_fit(image: &Image<'_>, _: &Expected<'_>) -> Outcome {
    let facts = image.facts();
    if facts.sections.is_empty() {
        return Err("there are none".to_owned());
    }
    let mut free = u64::from(facts.headers);
    for section in &facts.sections {
        if u64::from(section.address) < free || !section.address.is_multiple_of(PAGE) {
            return Err(format!("{} begins at {:#x}", section.name, section.address));
        }
        free = u64::from(section.address) + u64::from(section.size);
        if free > u64::from(facts.size) {
            return Err(format!("{} ends behind the image", section.name));
        }
        in_file(section, image.bytes().len())?;
    }
    Ok(format!("{} sections", facts.sections.len()))
}

fn in_file(section: &Section, length: usize) -> Result<(), String> {
    let end = u64::from(section.file_offset) + u64::from(section.file_size);
    if end > length as u64 {
        return Err(format!("{} ends behind the file", section.name));
    }
    Ok(())
}

pub fn write_or_execute(image: &Image<'_>, _: &Expected<'_>) -> Outcome {
    let sections = &image.facts().sections;
    match sections
        .iter()
        .find(|section| section.is_executable() && section.is_writable())
    {
        Some(section) => Err(format!("{} is both", section.name)),
        None => Ok(format!("none of {}", sections.len())),
    }
}

pub fn entry_point(image: &Image<'_>, _: &Expected<'_>) -> Outcome {
    let entry = image.facts().entry;
    let section = image.section_of(entry).filter(|section| section.is_executable());
    let section = section.ok_or_else(|| format!("{entry:#x} is not in code"))?;
    Ok(section.name.clone())
}

pub fn no_thread_locals(image: &Image<'_>, _: &Expected<'_>) -> Outcome {
    if image.directory(IMAGE_DIRECTORY_ENTRY_TLS).is_some() {
        return Err("there is a directory for it, which the kernel ignores".to_owned());
    }
    if image.facts().sections.iter().any(|section| section.name == ".tls") {
        return Err("there is a section for it".to_owned());
    }
    Ok("none".to_owned())
}
