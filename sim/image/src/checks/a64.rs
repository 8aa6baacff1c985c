//! Check of the instructions of ARM64 code, as far as the encoding tells.
//!
//! The kernel of ARM64 saves the vector registers, so that code may use them; the scalable ones (SVE, SME) it does not.

use super::Outcome;
use super::unwind;
use crate::facts::Machine;
use crate::image::Image;

/// Every word of every function is in a group of instructions that the base architecture allocates.
pub fn instructions(image: &Image<'_>) -> Outcome {
    let mut count = 0;
    for function in unwind::functions(image, Machine::Arm64)? {
        let code = function.code;
        let bytes = image
            .at(code.start, code.len())
            .ok_or_else(|| format!("{:#x} is not in the file", code.start))?;
        for (place, word) in (code.start..).step_by(4).zip(bytes.as_chunks::<4>().0) {
            check_word(u32::from_le_bytes(*word)).map_err(|reason| format!("{reason} at {place:#x}"))?;
            count += 1;
        }
    }
    Ok(format!("{count} words"))
}

/// Bits 28 to 25 name the group.
fn check_word(word: u32) -> Result<(), String> {
    match word >> 25 & 0xF {
        0 if word >> 31 == 1 => Err("an SME instruction".to_owned()),
        0 if word >> 16 != 0 => Err(format!("no instruction ({word:#010x})")),
        2 => Err("an SVE instruction".to_owned()),
        1 | 3 => Err(format!("no instruction ({word:#010x})")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_told_apart() {
        let passing = [0xD65F_03C0, 0xF940_0008, 0x4EA1_8400, 0x0000_0000, 0xD43E_0060]; // ret, ldr, add v0.4s, udf, brk
        for word in passing {
            assert_eq!(check_word(word), Ok(()), "{word:#x}");
        }
        assert!(check_word(0x04A0_0000).unwrap_err().contains("SVE")); // add z0.s, z0.s, z0.s
        assert!(check_word(0x8080_0000).unwrap_err().contains("SME"));
        assert!(check_word(0x0300_0000).unwrap_err().contains("no instruction"));
    }
}
