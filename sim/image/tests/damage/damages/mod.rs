//! Ways to damage an image, and the checks that have to notice.

mod headers;
mod tables;

use kernel_image::{Check, Machine};

use crate::sample::Copy;

/// One way to damage an image.
pub struct Damage {
    /// What it does.
    pub name: &'static str,
    /// The processor whose images it is for; both without.
    pub machine: Option<Machine>,
    /// Does it.
    pub apply: fn(&mut Copy),
    /// Every check that has to notice, and no other may.
    pub noticed_by: &'static [Check],
}

const fn damage(name: &'static str, apply: fn(&mut Copy), noticed_by: &'static [Check]) -> Damage {
    Damage {
        name,
        machine: None,
        apply,
        noticed_by,
    }
}

const fn only(machine: Machine, damage: Damage) -> Damage {
    Damage {
        machine: Some(machine),
        ..damage
    }
}

/// Every way. The checksum is made right again after each, so that it does not tell.
pub fn all() -> impl Iterator<Item = &'static Damage> {
    headers::DAMAGES.iter().chain(tables::DAMAGES)
}

/// Ways to damage the checksum, or what only the checksum tells of.
pub use headers::CHECKSUMS;

/// Fields of the optional header.
pub(crate) const ENTRY: usize = 16;
pub(crate) const SUBSYSTEM_VERSION: usize = 48;
pub(crate) const CHECKSUM: usize = 64;
pub(crate) const SUBSYSTEM: usize = 68;
pub(crate) const DLL_FLAGS: usize = 70;

/// Fields of a section header.
pub(crate) const SIZE: usize = 8;
pub(crate) const ADDRESS: usize = 12;
pub(crate) const FILE_SIZE: usize = 16;
pub(crate) const FILE_OFFSET: usize = 20;
pub(crate) const FLAGS: usize = 36;

/// Data directories.
pub(crate) const EXPORTS: usize = 0;
pub(crate) const RESOURCES: usize = 2;
pub(crate) const EXCEPTIONS: usize = 3;
pub(crate) const RELOCATIONS: usize = 5;
pub(crate) const DEBUG: usize = 6;
pub(crate) const TLS: usize = 9;
pub(crate) const LOAD_CONFIG: usize = 10;
pub(crate) const DELAYED_IMPORTS: usize = 13;

fn fill_directory(copy: &mut Copy, index: usize) {
    let section = copy
        .facts
        .sections
        .iter()
        .find(|section| section.name == ".data")
        .expect("it is there")
        .address;
    let at = copy.directory(index);
    copy.put(at, &section.to_le_bytes());
    copy.put(at + 4, &[0x28, 0, 0, 0]);
}

fn empty_directory(copy: &mut Copy, index: usize) {
    let at = copy.directory(index);
    copy.put(at, &[0; 8]);
}

fn clear(copy: &mut Copy, flag: u16) {
    let at = copy.optional_header(DLL_FLAGS);
    copy.flip(at, flag);
}
