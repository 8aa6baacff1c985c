//! Check of the instructions of x64 code.
//!
//! Kernel code runs with the SSE state saved and no other extended state: what touches x87, MMX or AVX registers destroys what a program keeps there. Nor may code
//! need more of a processor than every 64-bit one has.

use iced_x86::{CpuidFeature, Decoder, DecoderOptions, Instruction, Register};

use super::Outcome;
use super::unwind;
use crate::facts::{Machine, Section};
use crate::image::Image;

/// What every 64-bit processor has, of what can be used in the kernel.
const ALLOWED: &[CpuidFeature] = &[
    CpuidFeature::INTEL8086,
    CpuidFeature::INTEL186,
    CpuidFeature::INTEL286,
    CpuidFeature::INTEL386,
    CpuidFeature::INTEL486,
    CpuidFeature::X64,
    CpuidFeature::CMOV,
    CpuidFeature::CPUID,
    CpuidFeature::CX8,
    CpuidFeature::MULTIBYTENOP,
    CpuidFeature::PAUSE,
    CpuidFeature::RDPMC,
    CpuidFeature::SSE,
    CpuidFeature::SSE2,
    CpuidFeature::TSC,
];

/// On a processor without BMI1 `tzcnt` is `bsf`, and the compiler uses one for the other where both give the same.
const DECODING: u32 = DecoderOptions::NO_MPFX_0FBC;

/// Decodes all code; each function that the unwind data names has to begin with an instruction.
pub fn instructions(image: &Image<'_>) -> Outcome {
    let mut starts: Vec<_> = unwind::functions(image, Machine::X64)?
        .iter()
        .map(|function| function.code.start)
        .collect();
    starts.sort_unstable();
    let mut count = 0;
    for section in image.facts().sections.iter().filter(|section| section.is_executable()) {
        count += check_section(image, section, &starts)?;
    }
    Ok(format!("{count} decoded"))
}

fn check_section(image: &Image<'_>, section: &Section, starts: &[u32]) -> Result<usize, String> {
    let bytes = image
        .section_bytes(section)
        .ok_or_else(|| format!("{} is not in the file", section.name))?;
    let mut decoder = Decoder::with_ip(64, bytes, u64::from(section.address), DECODING);
    let mut expected = starts.iter().filter(|&&start| section.contains(start)).peekable();
    let mut count = 0;
    while decoder.can_decode() {
        let instruction = decoder.decode();
        check_instruction(&instruction)?;
        count += 1;
        if expected
            .next_if(|&&start| u64::from(start) == instruction.ip())
            .is_none()
            && expected
                .peek()
                .is_some_and(|&&start| u64::from(start) < instruction.next_ip())
        {
            return Err(format!(
                "the function at {:#x} does not begin with an instruction",
                instruction.next_ip()
            ));
        }
    }
    Ok(count)
}

fn check_instruction(instruction: &Instruction) -> Result<(), String> {
    let place = instruction.ip();
    if instruction.is_invalid() {
        return Err(format!("no instruction at {place:#x}"));
    }
    if let Some(feature) = instruction
        .cpuid_features()
        .iter()
        .find(|feature| !ALLOWED.contains(feature))
    {
        return Err(format!("{:?} at {place:#x} needs {feature:?}", instruction.mnemonic()));
    }
    if (0..instruction.op_count()).any(|operand| outside(instruction.op_register(operand))) {
        return Err(format!(
            "{:?} at {place:#x} uses a register that the kernel does not save",
            instruction.mnemonic()
        ));
    }
    Ok(())
}

/// A register of x87, MMX or AVX.
fn outside(register: Register) -> bool {
    register.is_st() || register.is_mm() || register.is_ymm() || register.is_zmm()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(code: &[u8]) -> Result<(), String> {
        check_instruction(&Decoder::with_ip(64, code, 0, DECODING).decode())
    }

    #[test]
    fn base_instructions_pass() {
        let passing: [&[u8]; 7] = [
            &[0x48, 0x89, 0xC8],             // mov rax, rcx
            &[0x0F, 0x10, 0x01],             // movups xmm0, [rcx]
            &[0x66, 0x0F, 0xFE, 0xC1],       // paddd xmm0, xmm1
            &[0xF0, 0x48, 0x0F, 0xB1, 0x0A], // lock cmpxchg [rdx], rcx
            &[0xCC],                         // int3
            &[0xF3, 0x0F, 0xBC, 0xC1],       // rep bsf eax, ecx
            &[0xF3, 0x90],                   // pause
        ];
        for code in passing {
            assert_eq!(verdict(code), Ok(()), "{code:x?}");
        }
    }

    #[test]
    fn instructions_that_need_more_do_not() {
        let failing: [(&[u8], &str); 9] = [
            (&[0xD9, 0xE8], "FPU"),                      // fld1
            (&[0x0F, 0xFE, 0xC1], "MMX"),                // paddd mm0, mm1
            (&[0x0F, 0x2A, 0xC0], "does not save"),      // cvtpi2ps xmm0, mm0
            (&[0xC5, 0xFC, 0x58, 0xC1], "AVX"),          // vaddps ymm0, ymm0, ymm1
            (&[0xF2, 0x0F, 0x7C, 0xC1], "SSE3"),         // haddps xmm0, xmm1
            (&[0x66, 0x0F, 0x38, 0x00, 0xC1], "SSSE3"),  // pshufb xmm0, xmm1
            (&[0xF3, 0x48, 0x0F, 0xB8, 0xC1], "POPCNT"), // popcnt rax, rcx
            (&[0xF3, 0x48, 0x0F, 0xBD, 0xC1], "LZCNT"),  // lzcnt rax, rcx
            (&[0x06], "no instruction"),                 // push es
        ];
        for (code, reason) in failing {
            let verdict = verdict(code).unwrap_err();
            assert!(verdict.contains(reason), "{verdict}");
        }
    }
}
