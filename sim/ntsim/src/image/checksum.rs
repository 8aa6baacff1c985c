//! The checksum of a PE image: what the linker stores with `/RELEASE`, and what Windows checks before it loads a driver.

/// Where the offset of the PE header is stored.
const PE_OFFSET: usize = 0x3C;
/// From the PE signature to the checksum, in PE32 and PE32+ alike.
const TO_CHECKSUM: usize = 4 + 20 + 64;

/// Where in a file its checksum is stored.
#[must_use]
pub fn checksum_offset(bytes: &[u8]) -> Option<usize> {
    let header = u32::from_le_bytes(bytes.get(PE_OFFSET..)?.first_chunk().copied()?);
    let offset = usize::try_from(header).ok()?.checked_add(TO_CHECKSUM)?;
    (offset.checked_add(4)? <= bytes.len()).then_some(offset)
}

/// The checksum of a file: its 16-bit words added up with end-around carry, without the stored checksum, and its length.
#[must_use]
pub fn checksum(bytes: &[u8]) -> Option<u32> {
    let stored = checksum_offset(bytes)?;
    let words = bytes.chunks(2).enumerate().map(|(index, word)| {
        let skipped = (stored..stored + 4).contains(&(index * 2));
        let high = word.get(1).copied().unwrap_or(0);
        if skipped {
            0
        } else {
            u32::from(u16::from_le_bytes([word[0], high]))
        }
    });
    let sum = words.fold(0u32, |sum, word| fold(sum + word));
    Some(sum.wrapping_add(bytes.len() as u32))
}

/// Brings the carry of a 16-bit addition back in.
const fn fold(sum: u32) -> u32 {
    (sum & 0xFFFF) + (sum >> 16)
}

#[cfg(test)]
mod tests {
    use super::{checksum, checksum_offset};

    fn file() -> Vec<u8> {
        let mut bytes = vec![0u8; 0x100];
        bytes[0x3C] = 0x40;
        bytes
    }

    #[test]
    fn the_stored_checksum_does_not_count() {
        let mut bytes = file();
        let before = checksum(&bytes);
        let offset = checksum_offset(&bytes).unwrap();
        bytes[offset..offset + 4].copy_from_slice(&0xDEAD_BEEFu32.to_le_bytes());
        assert_eq!(checksum(&bytes), before);
    }

    #[test]
    fn carries_come_back_in() {
        let mut bytes = file();
        bytes[0x80..0x84].copy_from_slice(&[0xFF; 4]);
        // 0x40 and two words of ones: 0x40 + 0xFFFF = 0x1003F -> 0x40, twice.
        assert_eq!(checksum(&bytes), Some(0x40 + 0x100));
    }

    #[test]
    fn a_file_that_is_too_short_has_none() {
        assert_eq!(checksum(&[0; 0x3F]), None);
        assert_eq!(checksum(&file()[..0x90]), None);
    }
}
