//! Check of the relocations: of one kind, in data, and each of a pointer that leads into the image.

use object::pe::{IMAGE_DIRECTORY_ENTRY_BASERELOC, IMAGE_REL_BASED_DIR64};

use super::{Expected, Outcome};
use crate::facts::Relocation;
use crate::image::Image;

pub fn relocations(image: &Image<'_>, _: &Expected<'_>) -> Outcome {
    let found = &image.facts().relocations;
    if image.directory(IMAGE_DIRECTORY_ENTRY_BASERELOC).is_none() || found.is_empty() {
        return Err("there are none, so the image cannot be moved".to_owned());
    }
    let mut end = 0;
    for relocation in found {
        one(image, *relocation)?;
        if relocation.address < end {
            return Err(format!("{:#x} overlaps the one before", relocation.address));
        }
        end = relocation.address.saturating_add(8);
    }
    Ok(format!("{}", found.len()))
}

fn one(image: &Image<'_>, relocation: Relocation) -> Result<(), String> {
    let Relocation { address, kind } = relocation;
    if kind != IMAGE_REL_BASED_DIR64 {
        return Err(format!("{address:#x} is of kind {kind}"));
    }
    let pointer = image
        .u64_at(address)
        .ok_or_else(|| format!("{address:#x} is not in the image"))?;
    let target = image
        .relative(pointer)
        .filter(|&target| image.section_of(target).is_some());
    if target.is_none() {
        return Err(format!(
            "{address:#x} holds {pointer:#x}, which is no address in the image"
        ));
    }
    Ok(())
}
