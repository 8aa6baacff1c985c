//! Base relocations: adding the distance between the address that the linker assumed and the one where the image lies.

use object::read::pe::PeFile64;

/// Where a pointer must be adjusted, from the start of the image.
pub(super) fn read(image: &PeFile64<'_>, size: u32) -> Result<Vec<u32>, String> {
    let Some(mut blocks) = image
        .data_directories()
        .relocation_blocks(image.data(), &image.section_table())
        .map_err(|error| error.to_string())?
    else {
        return Ok(Vec::new());
    };
    let mut places = Vec::new();
    while let Some(block) = blocks.next().map_err(|error| error.to_string())? {
        for relocation in block {
            match relocation.typ {
                object::pe::IMAGE_REL_BASED_ABSOLUTE => {}
                object::pe::IMAGE_REL_BASED_DIR64 => places.push(inside(relocation.virtual_address, size)?),
                other => return Err(format!("it has a relocation of type {}", other)),
            }
        }
    }
    Ok(places)
}

/// A place with eight bytes in the image behind it.
fn inside(place: u32, size: u32) -> Result<u32, String> {
    match place.checked_add(8) {
        Some(end) if end <= size => Ok(place),
        _ => Err(format!("it has a relocation at {place:#x}, outside the image")),
    }
}

/// Adjusts the pointers of an image that lies `distance` bytes from where the linker assumed.
pub(super) fn apply(memory: &mut [u8], places: &[u32], distance: u64) {
    for place in places {
        let Some(bytes) = memory
            .get_mut(*place as usize..)
            .and_then(|rest| rest.first_chunk_mut::<8>())
        else {
            continue;
        };
        *bytes = u64::from_le_bytes(*bytes).wrapping_add(distance).to_le_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::{apply, inside};

    #[test]
    fn pointers_move_with_the_image() {
        let mut memory = [0u8; 24];
        memory[5..13].copy_from_slice(&0x1_8000_1234u64.to_le_bytes());
        apply(&mut memory, &[5], 0x7000_0000u64.wrapping_sub(0x1_8000_0000));
        assert_eq!(memory[5..13], 0x7000_1234u64.to_le_bytes());
        assert_eq!(memory[13..], [0; 11]);
    }

    #[test]
    fn a_place_at_the_end_is_refused() {
        assert!(inside(92, 100).is_ok());
        assert!(inside(93, 100).is_err());
        assert!(inside(u32::MAX, 100).is_err());
    }
}
