//! The checksum of an image: the sum of its 16-bit words with the carries added back in, and its length.

/// Place of the field behind the start of the NT headers: signature, file header, then the optional header's field.
const FIELD: usize = 4 + 20 + 64;
/// Where the file says where the NT headers are.
const NT_HEADERS: usize = 0x3C;

/// Where the field is in the file.
pub fn checksum_offset(bytes: &[u8]) -> Option<usize> {
    let word = bytes.get(NT_HEADERS..NT_HEADERS + 4)?;
    let headers = u32::from_le_bytes(word.try_into().ok()?) as usize;
    let offset = headers.checked_add(FIELD)?;
    bytes.get(offset..offset.checked_add(4)?).map(|_| offset)
}

/// The checksum that the image should have.
pub fn checksum(bytes: &[u8]) -> Option<u32> {
    let field = checksum_offset(bytes)?;
    let field = field..field + 4;
    let counted = |index: usize| {
        if field.contains(&index) {
            0
        } else {
            bytes.get(index).copied().unwrap_or_default()
        }
    };
    let sum = (0..bytes.len()).step_by(2).fold(0_u32, |sum, index| {
        let sum = sum + u32::from(u16::from_le_bytes([counted(index), counted(index + 1)]));
        (sum & 0xFFFF) + (sum >> 16)
    });
    u32::try_from(bytes.len()).ok()?.checked_add(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with nothing but the place of its headers.
    fn file(length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        bytes[NT_HEADERS] = 0x40;
        bytes
    }

    #[test]
    fn the_field_itself_does_not_count() {
        let mut bytes = file(0x200);
        let sum = checksum(&bytes).unwrap();
        assert_eq!(sum, 0x200 + 0x40);
        let offset = checksum_offset(&bytes).unwrap();
        bytes[offset..offset + 4].copy_from_slice(&sum.to_le_bytes());
        assert_eq!(checksum(&bytes), Some(sum));
    }

    #[test]
    fn carries_are_added_back() {
        let mut bytes = file(0x200);
        bytes[0x100..0x102].copy_from_slice(&[0xFF, 0xFF]);
        assert_eq!(checksum(&bytes), Some(0x200 + 0x40));
    }

    #[test]
    fn a_short_file_has_none() {
        assert_eq!(checksum(&[0; 16]), None);
        assert_eq!(checksum(&file(0x60)), None);
    }
}
