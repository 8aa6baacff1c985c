//! Checks of what protects the flow of control.

use object::pe::{
    IMAGE_DIRECTORY_ENTRY_DEBUG, IMAGE_DIRECTORY_ENTRY_LOAD_CONFIG, IMAGE_DLLCHARACTERISTICS_GUARD_CF,
    IMAGE_GUARD_CF_FUNCTION_TABLE_PRESENT, IMAGE_GUARD_CF_INSTRUMENTED,
};

use super::{Expected, Outcome};
use crate::facts::Machine;
use crate::image::Image;

/// Offsets in the load configuration directory.
const CHECK_POINTER: u32 = 0x70;
const DISPATCH_POINTER: u32 = 0x78;
const FUNCTION_TABLE: u32 = 0x80;
const FUNCTION_COUNT: u32 = 0x88;
const GUARD_FLAGS: u32 = 0x90;

/// The kind of a debug directory entry with more characteristics, and the one that says that shadow stacks are no obstacle.
const EX_DLL_CHARACTERISTICS: u32 = 20;
const CET_COMPATIBLE: u32 = 1;
const DEBUG_ENTRY: usize = 28;

/// The image is instrumented, what it calls through is there, and the table names code.
pub fn control_flow_guard(image: &Image<'_>, _: &Expected<'_>) -> Outcome {
    if image.facts().dll_flags & IMAGE_DLLCHARACTERISTICS_GUARD_CF == 0 {
        return Err("the header does not say so".to_owned());
    }
    let (config, _) = image
        .directory(IMAGE_DIRECTORY_ENTRY_LOAD_CONFIG)
        .ok_or("there is no load configuration")?;
    let field = |offset: u32| {
        image
            .u64_at(config.saturating_add(offset))
            .ok_or("the load configuration is cut off")
    };
    let wanted = IMAGE_GUARD_CF_INSTRUMENTED | IMAGE_GUARD_CF_FUNCTION_TABLE_PRESENT;
    let flags = image
        .u32_at(config.saturating_add(GUARD_FLAGS))
        .ok_or("the load configuration is cut off")?;
    if flags & wanted != wanted {
        return Err(format!("the flags are {flags:#x}"));
    }
    for pointer in [CHECK_POINTER, DISPATCH_POINTER] {
        leads_to_code(image, field(pointer)?)?;
    }
    let count = field(FUNCTION_COUNT)?;
    for index in 0..count {
        table_entry(image, field(FUNCTION_TABLE)?, index)?;
    }
    Ok(format!("{count} targets"))
}

/// A pointer to a pointer to code.
fn leads_to_code(image: &Image<'_>, pointer: u64) -> Result<(), String> {
    let place = image.relative(pointer).and_then(|place| image.u64_at(place));
    let target = place.and_then(|target| image.relative(target));
    if !target.is_some_and(|target| is_code(image, target)) {
        return Err("a call would lead nowhere until the system takes over".to_owned());
    }
    Ok(())
}

fn table_entry(image: &Image<'_>, table: u64, index: u64) -> Result<(), String> {
    let place = index.checked_mul(4).and_then(|offset| table.checked_add(offset));
    let entry = place.and_then(|place| image.u32_at(image.relative(place)?));
    match entry {
        Some(target) if is_code(image, target) => Ok(()),
        Some(target) => Err(format!("the table names {target:#x}, which is not code")),
        None => Err("the table is cut off".to_owned()),
    }
}

fn is_code(image: &Image<'_>, address: u32) -> bool {
    image.section_of(address).is_some_and(|section| section.is_executable())
}

/// The x64 image says that it leaves return addresses alone.
pub fn shadow_stack(image: &Image<'_>, expected: &Expected<'_>) -> Outcome {
    if expected.machine != Machine::X64 {
        return Ok("x64 only".to_owned());
    }
    let table = image
        .directory_bytes(IMAGE_DIRECTORY_ENTRY_DEBUG)
        .ok_or("there is no debug directory")?;
    let found = table.as_chunks::<DEBUG_ENTRY>().0.iter().find_map(|entry| {
        let (words, _) = entry.as_chunks::<4>();
        let word = |index: usize| words.get(index).map(|word| u32::from_le_bytes(*word));
        (word(3)? == EX_DLL_CHARACTERISTICS).then(|| image.u32_at(word(5)?))?
    });
    match found {
        Some(flags) if flags & CET_COMPATIBLE != 0 => Ok("declared".to_owned()),
        _ => Err("not declared".to_owned()),
    }
}
