//! Damage to headers and sections.

use kernel_image::{Check, Machine};

use super::*;
use crate::sample::Copy;

/// One way for each thing that headers say.
pub const DAMAGES: &[Damage] = &[
    damage(
        "another machine",
        |copy| {
            let at = copy.optional_header(0) - 20;
            copy.put(at, &[0x4C, 0x01])
        },
        &[Check::Machine],
    ),
    damage(
        "a console program",
        |copy| {
            let at = copy.optional_header(SUBSYSTEM);
            copy.put(at, &[3, 0])
        },
        &[Check::Native],
    ),
    damage(
        "a later subsystem",
        |copy| {
            let at = copy.optional_header(SUBSYSTEM_VERSION);
            copy.put(at, &[11, 0])
        },
        &[Check::Native],
    ),
    damage(
        "the flag of a DLL",
        |copy| {
            let at = copy.file_flags();
            copy.flip(at, 0x2000)
        },
        &[Check::NotALibrary],
    ),
    damage(
        "an export directory",
        |copy| fill_directory(copy, EXPORTS),
        &[Check::NotALibrary],
    ),
    damage(
        "stripped relocations",
        |copy| {
            let at = copy.file_flags();
            copy.flip(at, 1)
        },
        &[Check::DynamicBase],
    ),
    damage("a fixed base", |copy| clear(copy, 0x40), &[Check::DynamicBase]),
    damage("executable data", |copy| clear(copy, 0x100), &[Check::NxCompatible]),
    damage("low addresses", |copy| clear(copy, 0x20), &[Check::HighEntropy]),
    damage(
        "no forced integrity",
        |copy| clear(copy, 0x80),
        &[Check::ForceIntegrity],
    ),
    damage(
        "a section inside the one before",
        |copy| move_section(copy, ".data"),
        &[Check::Layout, Check::Relocations],
    ),
    damage(
        "a section behind the image",
        |copy| {
            let at = copy.section_header(".reloc", SIZE);
            copy.put(at, &[0xFF; 4])
        },
        &[Check::Layout],
    ),
    damage(
        "a section behind the file",
        |copy| {
            let at = copy.section_header(".data", FILE_SIZE + 2);
            copy.put(at, &[0xFF])
        },
        &[Check::Layout],
    ),
    damage(
        "code that can be written",
        |copy| {
            let at = copy.section_header(".text", FLAGS + 3);
            copy.image[at] |= 0x80;
        },
        &[Check::WriteOrExecute],
    ),
    only(
        Machine::X64,
        damage(
            "data that can be executed",
            |copy| {
                let at = copy.section_header(".data", FLAGS + 3);
                copy.image[at] |= 0x20;
            },
            &[Check::WriteOrExecute, Check::Instructions],
        ),
    ),
    only(
        Machine::Arm64,
        damage(
            "data that can be executed",
            |copy| {
                let at = copy.section_header(".data", FLAGS + 3);
                copy.image[at] |= 0x20;
            },
            &[Check::WriteOrExecute],
        ),
    ),
    damage(
        "an entry point in data",
        enter_data,
        &[Check::EntryPoint, Check::Unwind],
    ),
    damage(
        "a directory of thread-local storage",
        |copy| fill_directory(copy, TLS),
        &[Check::NoThreadLocals],
    ),
    damage(
        "a section of thread-local storage",
        |copy| {
            let at = copy.section_header(".data", 0);
            copy.put(at, b".tls\0")
        },
        &[Check::NoThreadLocals],
    ),
];

/// Ways to damage the checksum.
pub const CHECKSUMS: &[Damage] = &[
    damage(
        "no checksum",
        |copy| {
            let at = copy.optional_header(CHECKSUM);
            copy.put(at, &[0; 4])
        },
        &[Check::Checksum],
    ),
    damage(
        "one bit of the checksum",
        |copy| {
            let at = copy.optional_header(CHECKSUM);
            copy.flip(at, 1)
        },
        &[Check::Checksum],
    ),
    damage(
        "one bit behind the code",
        |copy| {
            let at = copy.section_header(".rdata", FILE_OFFSET);
            let at = copy.u32(at) as usize - 2;
            copy.flip(at, 1)
        },
        &[Check::Checksum],
    ),
];

fn move_section(copy: &mut Copy, name: &str) {
    let at = copy.section_header(name, ADDRESS);
    let address = copy.u32(at) - 0x1000;
    copy.put(at, &address.to_le_bytes());
}

fn enter_data(copy: &mut Copy) {
    let data = copy
        .facts
        .sections
        .iter()
        .find(|section| section.name == ".rdata")
        .expect("it is there")
        .address;
    let at = copy.optional_header(ENTRY);
    copy.put(at, &data.to_le_bytes());
}
