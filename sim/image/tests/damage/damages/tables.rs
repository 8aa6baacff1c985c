//! Damage to tables, code and resources.

use kernel_image::{Check, Machine};

use super::*;
use crate::sample::Copy;

/// One way for each thing that a table holds.
pub const DAMAGES: &[Damage] = &[
    damage(
        "one relocation of another kind",
        |copy| {
            let at = copy.contents(RELOCATIONS) + 8;
            copy.flip(at, 0x9000)
        },
        &[Check::Relocations],
    ),
    damage(
        "one relocation of another place",
        |copy| {
            let at = copy.contents(RELOCATIONS) + 8;
            copy.flip(at, 0x0004)
        },
        &[Check::Relocations],
    ),
    damage(
        "one relocation of a pointer out of the image",
        lead_out,
        &[Check::Relocations],
    ),
    damage(
        "no relocations",
        |copy| empty_directory(copy, RELOCATIONS),
        &[Check::Relocations],
    ),
    damage(
        "no unwind data",
        |copy| empty_directory(copy, EXCEPTIONS),
        &[Check::Unwind, Check::Instructions],
    ),
    damage("unwind data out of order", swap_functions, &[Check::Unwind]),
    damage(
        "one letter of an import's name",
        |copy| {
            let at = copy.find(b"IoAllocateMdl\0");
            copy.put(at, b"J")
        },
        &[Check::Imports],
    ),
    damage(
        "one letter of a module's name",
        |copy| {
            let at = copy.find(b"WDFLDR.SYS\0");
            copy.put(at, b"X")
        },
        &[Check::Imports],
    ),
    damage(
        "an import with a name that is no text",
        |copy| {
            let at = copy.find(b"IoAllocateMdl\0");
            copy.put(at, &[0xFF])
        },
        &[Check::Imports],
    ),
    damage(
        "letters behind a section's name",
        |copy| {
            let at = copy.section_header(".data", 7);
            copy.put(at, b"x")
        },
        &[Check::SecondReader],
    ),
    damage(
        "delayed imports",
        |copy| fill_directory(copy, DELAYED_IMPORTS),
        &[Check::Imports],
    ),
    only(
        Machine::X64,
        damage(
            "an AVX instruction",
            |copy| put_code(copy, &[0xC5, 0xFC, 0x58, 0xC1]),
            &[Check::Instructions],
        ),
    ),
    only(
        Machine::X64,
        damage(
            "an MMX instruction",
            |copy| put_code(copy, &[0x0F, 0xFE, 0xC1]),
            &[Check::Instructions],
        ),
    ),
    only(
        Machine::X64,
        damage(
            "an x87 instruction",
            |copy| put_code(copy, &[0xD9, 0xE8]),
            &[Check::Instructions],
        ),
    ),
    only(
        Machine::X64,
        damage("no instruction", |copy| put_code(copy, &[0x06]), &[Check::Instructions]),
    ),
    only(
        Machine::Arm64,
        damage(
            "an SVE instruction",
            |copy| put_code(copy, &[0x00, 0x00, 0xA0, 0x04]),
            &[Check::Instructions],
        ),
    ),
    damage(
        "no control flow guard in the header",
        |copy| clear(copy, 0x4000),
        &[Check::ControlFlowGuard],
    ),
    damage(
        "no flags of the guard",
        |copy| {
            let at = copy.contents(LOAD_CONFIG) + 0x90;
            copy.put(at, &[0; 4])
        },
        &[Check::ControlFlowGuard],
    ),
    damage(
        "a call that leads into data",
        |copy| {
            let at = copy.contents(LOAD_CONFIG) + 0x80;
            let data = copy.image[at..at + 8].to_vec();
            copy.put(at - 8, &data)
        },
        &[Check::ControlFlowGuard],
    ),
    damage(
        "no load configuration",
        |copy| empty_directory(copy, LOAD_CONFIG),
        &[Check::ControlFlowGuard],
    ),
    only(
        Machine::X64,
        damage(
            "no word of shadow stacks",
            |copy| {
                let at = shadow_stack_flags(copy);
                copy.put(at, &[0; 4])
            },
            &[Check::ShadowStack],
        ),
    ),
    damage(
        "another version",
        |copy| {
            let at = fixed_version(copy);
            copy.flip(at + 8, 1)
        },
        &[Check::Version],
    ),
    damage(
        "another product",
        |copy| {
            let at = copy.find(&utf16("Hawser\0"));
            copy.put(at, b"J")
        },
        &[Check::Version],
    ),
    damage("no version", |copy| empty_directory(copy, RESOURCES), &[Check::Version]),
    damage(
        "one bit of the symbols' identity",
        |copy| {
            let at = copy.find(b"RSDS");
            copy.flip(at + 4, 1)
        },
        &[Check::Symbols],
    ),
    damage(
        "symbols of another name",
        |copy| {
            let at = copy.find(b"hawser.pdb\0");
            copy.put(at, b"j")
        },
        &[Check::Symbols],
    ),
    damage(
        "no word of symbols",
        |copy| {
            let at = copy.contents(DEBUG) + 12;
            copy.put(at, &[13])
        },
        &[Check::Symbols],
    ),
    damage(
        "symbols that are cut off",
        |copy| copy.symbols.truncate(4096),
        &[Check::Symbols],
    ),
];

fn lead_out(copy: &mut Copy) {
    let at = copy.offset(copy.facts.relocations.last().expect("there are some").address);
    copy.put(at + 4, &[0x77]);
}

/// Exchanges the first two functions of the table.
fn swap_functions(copy: &mut Copy) {
    let length = if copy.facts.machine == Machine::X64.code() {
        12
    } else {
        8
    };
    let at = copy.contents(EXCEPTIONS);
    copy.image[at..at + 2 * length].rotate_left(length);
}

/// Overwrites the first instructions of the entry point.
fn put_code(copy: &mut Copy, code: &[u8]) {
    let at = copy.offset(copy.facts.entry);
    copy.put(at, code);
}

/// The data of the debug directory's entry with more characteristics.
fn shadow_stack_flags(copy: &Copy) -> usize {
    let (address, size) = copy.facts.directories[DEBUG];
    let table = copy.offset(address);
    let entries = (table..table + size as usize).step_by(28);
    let entry = entries
        .into_iter()
        .find(|&entry| copy.u32(entry + 12) == 20)
        .expect("it is there");
    copy.u32(entry + 24) as usize
}

/// The fixed part of the version resource.
fn fixed_version(copy: &Copy) -> usize {
    copy.find(&0xFEEF_04BD_u32.to_le_bytes())
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}
