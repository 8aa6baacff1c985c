//! What an image imports, and whether Windows has it.

use super::{ImageError, runtime};
use crate::cross;
use object::{LittleEndian as LE, read::pe::Import};
use wdk_sys::standin;

/// The most imports of an image: far more than any driver has, and few enough that a file whose tables lead to each other over and over is soon refused.
const MOST: usize = 1 << 14;

/// One import: the slot in the import address table, and what belongs there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Where the address goes, from the start of the image.
    pub(super) slot: u32,
    /// The image that exports it.
    pub(super) module: String,
    /// Its name.
    pub(super) name: String,
}

/// What an import is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// A function.
    Function(usize),
    /// A function of Windows that the simulator does not have.
    Missing,
}

impl Wanted {
    /// What the machine has under this name.
    pub(super) fn target(&self) -> Target {
        let module = |other: &str| other.eq_ignore_ascii_case(&self.module);
        if let Some(function) = runtime::find(&self.name).filter(|_| module("ntoskrnl.exe")) {
            return Target::Function(function);
        }
        let export = cross::exported(&self.name).filter(|export| module(export.info.module));
        export.map_or(Target::Missing, |export| Target::Function(export.address.addr()))
    }

    /// Whether Windows has this import at all.
    fn check(&self, file: &str) -> Result<(), ImageError> {
        let (file, module, name) = (file.to_owned(), self.module.clone(), self.name.clone());
        let mut of_module = standin::imports()
            .iter()
            .filter(|slot| slot.module.eq_ignore_ascii_case(&module))
            .peekable();
        if of_module.peek().is_none() {
            return Err(ImageError::NoSuchModule { file, module });
        }
        if standin::variables()
            .iter()
            .any(|(of, variable)| *variable == name && of.eq_ignore_ascii_case(&module))
        {
            return Err(ImageError::NoSuchVariable { file, module, name });
        }
        if of_module.any(|slot| slot.name == name) || self.target() != Target::Missing {
            return Ok(());
        }
        Err(ImageError::NoSuchExport { file, module, name })
    }
}

/// Reads the import directory and checks each import.
pub(super) fn read(file: &str, image: &object::read::pe::PeFile64<'_>, size: u32) -> Result<Vec<Wanted>, ImageError> {
    let wanted = all(image, size).map_err(|reason| ImageError::Malformed {
        file: file.to_owned(),
        reason,
    })?;
    wanted.iter().try_for_each(|wanted| wanted.check(file))?;
    Ok(wanted)
}

fn all(image: &object::read::pe::PeFile64<'_>, size: u32) -> Result<Vec<Wanted>, String> {
    let Some(table) = image.import_table().map_err(text)? else {
        return Ok(Vec::new());
    };
    let mut wanted = Vec::new();
    let mut descriptors = table.descriptors().map_err(text)?;
    while let Some(descriptor) = descriptors.next().map_err(text)? {
        let module = utf8(table.name(descriptor.name.get(LE)).map_err(text)?)?;
        let first = descriptor.original_first_thunk.get(LE);
        let names = if first == 0 {
            descriptor.first_thunk.get(LE)
        } else {
            first
        };
        let mut thunks = table.thunks(names).map_err(text)?;
        let mut slot = descriptor.first_thunk.get(LE);
        while let Some(thunk) = thunks.next::<object::pe::ImageNtHeaders64>().map_err(text)? {
            let name = match table.import::<object::pe::ImageNtHeaders64>(thunk).map_err(text)? {
                Import::Name(_, name) => utf8(name)?,
                Import::Ordinal(number) => return Err(format!("{module} is imported from by ordinal {number}")),
            };
            if wanted.len() == MOST {
                return Err(format!("it has more than {MOST} imports"));
            }
            wanted.push(Wanted {
                slot,
                module: module.clone(),
                name,
            });
            slot = slot
                .checked_add(8)
                .filter(|end| *end <= size)
                .ok_or("the import address table ends outside the image")?;
        }
    }
    Ok(wanted)
}

fn text(error: object::read::Error) -> String {
    error.to_string()
}

fn utf8(name: &[u8]) -> Result<String, String> {
    String::from_utf8(name.to_vec()).map_err(|_| "a name in the import directory is no text".to_owned())
}
