//! Names for addresses in an image, from its PDB file.

use crate::machine;
use object::read::pe::PeFile64;
use pdb2::{FallibleIterator as _, PDB, SymbolData};
use std::{collections::BTreeMap, io::Cursor};

/// The functions of an image by where they begin.
#[derive(Debug, Default)]
pub(super) struct Symbols(BTreeMap<u32, String>);

impl Symbols {
    /// Reads the functions; none when there is no PDB file, or another image's.
    pub(super) fn read(image: &PeFile64<'_>, pdb: Option<Vec<u8>>) -> Self {
        let Some(bytes) = pdb else { return Self::default() };
        if !belongs(image, &bytes) {
            return Self::default();
        }
        functions(bytes).map(Self).unwrap_or_default()
    }

    /// The function that contains a place, and how far into it.
    pub(super) fn find(&self, place: u32) -> Option<(&str, u32)> {
        let (start, name) = self.0.range(..=place).next_back()?;
        Some((name, place - start))
    }
}

/// Whether a PDB file has the identity that the image's debug directory names.
fn belongs(image: &PeFile64<'_>, pdb: &[u8]) -> bool {
    use object::Object as _;
    let Ok(Some(wanted)) = image.pdb_info() else {
        return false;
    };
    let Ok(mut file) = PDB::open(Cursor::new(pdb)) else {
        return false;
    };
    let Ok(information) = file.pdb_information() else {
        return false;
    };
    information.guid.to_bytes_le() == wanted.guid()
}

fn functions(bytes: Vec<u8>) -> pdb2::Result<BTreeMap<u32, String>> {
    let mut file = PDB::open(Cursor::new(bytes))?;
    let addresses = file.address_map()?;
    let mut all = BTreeMap::new();
    let mut add = |offset: pdb2::PdbInternalSectionOffset, name: &str| {
        if let Some(place) = offset.to_rva(&addresses) {
            all.insert(place.0, format!("{:#}", rustc_demangle::demangle(name)));
        }
    };
    let global = file.global_symbols()?;
    let mut symbols = global.iter();
    while let Some(symbol) = symbols.next()? {
        if let Ok(SymbolData::Public(public)) = symbol.parse()
            && public.function
        {
            add(public.offset, &public.name.to_string());
        }
    }
    let information = file.debug_information()?;
    let mut modules = information.modules()?;
    while let Some(module) = modules.next()? {
        let Some(content) = file.module_info(&module)? else {
            continue;
        };
        let mut symbols = content.symbols()?;
        while let Some(symbol) = symbols.next()? {
            if let Ok(SymbolData::Procedure(procedure)) = symbol.parse() {
                add(procedure.offset, &procedure.name.to_string());
            }
        }
    }
    Ok(all)
}

/// The name of an address, if it is in an image of the current machine.
pub(crate) fn name_of(address: usize) -> Option<String> {
    if !machine::exists() {
        return None;
    }
    machine::with(|m| m.io.images.name_of(address))
}
