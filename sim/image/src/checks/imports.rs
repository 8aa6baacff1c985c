//! Check of the imports.

use object::pe::IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT;

use super::{Expected, Outcome};
use crate::image::Image;

pub fn imports(image: &Image<'_>, expected: &Expected<'_>) -> Outcome {
    if image.directory(IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT).is_some() {
        return Err("there are delayed imports, which the kernel ignores".to_owned());
    }
    let imports = &image.facts().imports;
    if imports.is_empty() {
        return Err("there are none: a driver cannot do without the framework".to_owned());
    }
    let objections: Vec<_> = imports
        .iter()
        .filter_map(|import| expected.imports.objection(import))
        .collect();
    if !objections.is_empty() {
        return Err(objections.join("; "));
    }
    Ok(format!("{}", imports.len()))
}
