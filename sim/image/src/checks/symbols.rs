//! Check that the image and the file with its symbols name each other.

use std::io::Cursor;

use object::Object;
use object::read::pe::PeFile64;

use super::{Expected, Outcome};
use crate::image::Image;

pub fn symbols(image: &Image<'_>, expected: &Expected<'_>) -> Outcome {
    let file = PeFile64::parse(image.bytes()).map_err(|error| error.to_string())?;
    let named = file
        .pdb_info()
        .map_err(|error| error.to_string())?
        .ok_or("the image names none")?;
    let path = String::from_utf8_lossy(named.path());
    if path != expected.symbols_name {
        return Err(format!("the image names {path}"));
    }
    let (guid, age) = of_symbols(expected.symbols)?;
    if (named.guid(), named.age()) != (guid, age) {
        return Err(format!("the image is not the one that {path} was made for"));
    }
    Ok(path.into_owned())
}

/// Identity of a file with symbols: GUID as it is in an image, and age.
fn of_symbols(bytes: &[u8]) -> Result<([u8; 16], u32), String> {
    let damaged = |error: pdb2::Error| format!("the symbols cannot be read: {error}");
    let mut pdb = pdb2::PDB::open(Cursor::new(bytes)).map_err(damaged)?;
    let guid = pdb.pdb_information().map_err(damaged)?.guid;
    let age = pdb.debug_information().map_err(damaged)?.age();
    Ok((guid.to_bytes_le(), age.ok_or("the symbols have no age")?))
}
