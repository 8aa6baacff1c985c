//! Check of the unwind data, and the functions that it describes.

use std::ops::Range;

use object::pe::IMAGE_DIRECTORY_ENTRY_EXCEPTION;

use super::{Expected, Outcome};
use crate::facts::Machine;
use crate::image::Image;

/// A function and where the description of its frame is, if it is not in the table itself.
pub struct Function {
    /// Its code.
    pub code: Range<u32>,
    /// Address of the description.
    description: Option<u32>,
}

pub fn unwind(image: &Image<'_>, expected: &Expected<'_>) -> Outcome {
    let functions = functions(image, expected.machine)?;
    let mut end = 0;
    for function in &functions {
        let Function { code, description } = function;
        if code.is_empty() || code.start < end {
            return Err(format!("the entry of {:#x} is empty or out of order", code.start));
        }
        end = code.end;
        if !is_code(image, code) {
            return Err(format!("{:#x} to {:#x} is not code", code.start, code.end));
        }
        if description.is_some_and(|description| image.u32_at(description).is_none()) {
            return Err(format!("the description of {:#x} is not in the image", code.start));
        }
    }
    let entry = image.facts().entry;
    if !functions.iter().any(|function| function.code.contains(&entry)) {
        return Err("the entry point has none".to_owned());
    }
    Ok(format!("{} functions", functions.len()))
}

fn is_code(image: &Image<'_>, code: &Range<u32>) -> bool {
    let section = image.section_of(code.start).filter(|section| section.is_executable());
    section.is_some_and(|section| section.contains(code.end.saturating_sub(1)))
}

/// The functions in the table.
pub fn functions(image: &Image<'_>, machine: Machine) -> Result<Vec<Function>, String> {
    let table = image
        .directory_bytes(IMAGE_DIRECTORY_ENTRY_EXCEPTION)
        .ok_or("there is no table")?;
    let (words, rest) = table.as_chunks::<4>();
    if !rest.is_empty() {
        return Err("the table has an odd length".to_owned());
    }
    let words: Vec<_> = words.iter().map(|word| u32::from_le_bytes(*word)).collect();
    match machine {
        Machine::X64 => Ok(words.as_chunks().0.iter().map(x64).collect()),
        Machine::Arm64 => words.as_chunks().0.iter().map(|entry| arm64(image, entry)).collect(),
    }
}

fn x64(&[start, end, description]: &[u32; 3]) -> Function {
    Function {
        code: start..end,
        description: Some(description),
    }
}

/// The second word is a packed description, or the address of one; the length of the function is in either, in instructions.
fn arm64(image: &Image<'_>, &[start, second]: &[u32; 2]) -> Result<Function, String> {
    let packed = second & 3 != 0;
    let (instructions, description) = if packed {
        (second >> 2 & 0x7FF, None)
    } else {
        let first = image.u32_at(second);
        let first = first.ok_or_else(|| format!("the description of {start:#x} is not in the image"))?;
        (first & 0x3_FFFF, Some(second))
    };
    Ok(Function {
        code: start..start.saturating_add(instructions * 4),
        description,
    })
}
