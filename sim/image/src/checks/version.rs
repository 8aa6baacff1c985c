//! Check of the version resource.

use object::LittleEndian as LE;
use object::pe::{IMAGE_DIRECTORY_ENTRY_RESOURCE, ImageResourceDataEntry, ImageResourceDirectoryEntry, RT_VERSION};
use object::read::pe::{ResourceDirectory, ResourceDirectoryTable, ResourceNameOrId};

use super::{Expected, Outcome};
use crate::image::Image;
use crate::version::VersionFacts;

pub fn version(image: &Image<'_>, expected: &Expected<'_>) -> Outcome {
    if image.directory(IMAGE_DIRECTORY_ENTRY_RESOURCE).is_none() {
        return Err("there are no resources".to_owned());
    }
    let found = read(image)?;
    let wanted = expected.version;
    let dotted = wanted.version.map(|part| part.to_string()).join(".");
    let right = VersionFacts {
        file_version: wanted.version,
        product_version: wanted.version,
        file_version_text: Some(dotted.clone()),
        product_name: Some(wanted.product.to_owned()),
        original_name: Some(wanted.file.to_owned()),
    };
    if found != right {
        return Err(format!("it says {found:?}"));
    }
    Ok(format!("{} {dotted}", wanted.product))
}

/// The language-neutral way down: type "version", name 1, first language.
fn read(image: &Image<'_>) -> Result<VersionFacts, String> {
    let bytes = image
        .directory_bytes(IMAGE_DIRECTORY_ENTRY_RESOURCE)
        .ok_or("the resources are cut off")?;
    let entry = entry(bytes)
        .map_err(|error| error.to_string())?
        .ok_or("there is no version resource")?;
    let block = image.at(entry.offset_to_data.get(LE), entry.size.get(LE) as usize);
    VersionFacts::read(block.ok_or("the version resource is cut off")?).ok_or_else(|| "it is damaged".to_owned())
}

fn entry(bytes: &[u8]) -> object::Result<Option<ImageResourceDataEntry>> {
    let directory = ResourceDirectory::new(bytes);
    let Some(versions) = named(directory.root()?, RT_VERSION) else {
        return Ok(None);
    };
    let Some(names) = versions.data(directory)?.table() else {
        return Ok(None);
    };
    let Some(first) = named(names, 1) else { return Ok(None) };
    let Some(languages) = first.data(directory)?.table() else {
        return Ok(None);
    };
    let Some(language) = languages.entries.first() else {
        return Ok(None);
    };
    Ok(language.data(directory)?.data().copied())
}

fn named(table: ResourceDirectoryTable<'_>, id: u16) -> Option<&ImageResourceDirectoryEntry> {
    table
        .entries
        .iter()
        .find(|entry| matches!(entry.name_or_id(), ResourceNameOrId::Id(found) if found == id))
}
