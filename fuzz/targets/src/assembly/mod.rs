//! Bytes are disassembled as a program, and assembled as a text. Every file of whole steps has a text that gives the same bytes; what
//! assembles can be disassembled, and comes back; what does not is reported at places inside the text.

mod mutate;

use hawser::assembly::{NotWhole, assemble, disassemble};
use hawser::language::Compiled;
use hawser_core::Limits;

use crate::Difference;
use crate::shown::can_be_shown;

pub use mutate::mutate;

/// Bytes of a header, and of a step.
const BLOCK: usize = 64;

/// Disassembles `bytes`, and what is whole of them, and assembles them, if they are text.
///
/// # Errors
/// Something does not come back as it was, is refused though it is whole, or is taken though it is not; or a mistake cannot be shown.
pub fn run(bytes: &[u8]) -> Result<(), Difference> {
    is_refused_unless_whole(&disassemble(bytes), bytes.len())?;
    let whole = &bytes[..bytes.len() / BLOCK * BLOCK];
    if !whole.is_empty() {
        comes_back(whole)?;
    }
    match std::str::from_utf8(bytes).map(|text| assemble("fuzzed.hwa", text)) {
        Ok(Ok(assembled)) => {
            has_places(&assembled)?;
            comes_back(assembled.program.bytes())
        }
        Ok(Err(mistakes)) => can_be_shown(&mistakes),
        Err(_) => Ok(()),
    }
}

/// Nothing if there is a text exactly where there are a header and whole steps.
fn is_refused_unless_whole(text: &Result<String, NotWhole>, length: usize) -> Result<(), Difference> {
    let is_whole = length >= BLOCK && length.is_multiple_of(BLOCK);
    Difference::unless_equal("whether there is a text", &text.is_ok(), &is_whole)
}

/// Bytes → text → the same bytes.
fn comes_back(program: &[u8]) -> Result<(), Difference> {
    let text = disassemble(program)
        .map_err(|refused| Difference::new(format!("whole steps are not disassembled: {refused}")))?;
    let assembled = assemble("disassembled.hwa", &text)
        .map_err(|mistakes| Difference::new(format!("{mistakes}: {:?}, in\n{text}", mistakes.list())))?;
    has_places(&assembled)?;
    is_same(assembled.program.bytes(), program, &text)?;
    is_written_by_the_table(&assembled, &text)
}

/// Nothing if the bytes that came back are those that went out.
fn is_same(found: &[u8], expected: &[u8], text: &str) -> Result<(), Difference> {
    Difference::unless_equal("bytes", &found.len(), &expected.len())?;
    let pairs = found.iter().zip(expected);
    let wrong = pairs.enumerate().find(|(_, (found, expected))| found != expected);
    Difference::unless(wrong.is_none(), || {
        format!("the first wrong byte, found and expected: {wrong:?}, by way of\n{text}")
    })
}

/// Steps of a program that the checker accepts are not written field by field: the table of operations allows them.
fn is_written_by_the_table(assembled: &Compiled, text: &str) -> Result<(), Difference> {
    let is_raw = text.lines().any(|line| line.starts_with(".step "));
    let refused = || assembled.program.check(&Limits::default()).is_err();
    Difference::unless(!is_raw || refused(), || {
        format!("an accepted program is written field by field:\n{text}")
    })
}

/// Each step has a place in the text.
fn has_places(assembled: &Compiled) -> Result<(), Difference> {
    let (places, steps) = (&assembled.steps, assembled.program.bytes().len() / BLOCK - 1);
    Difference::unless_equal("places of steps", &places.len(), &steps)?;
    let lost = places.iter().find(|place| assembled.sources.slice(**place).is_empty());
    Difference::unless(lost.is_none(), || format!("a step has no place: {lost:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = ".data_size 64\nfill.u8 data[0], 7 count 64\n.step opcode 200\n";

    fn assembled(text: &str) -> Compiled {
        assemble("t", text).expect("it is a program")
    }

    #[test]
    fn each_wrong_byte_is_a_difference() {
        let right = assembled(TEXT).program.into_bytes();
        assert_eq!(is_same(&right, &right, TEXT), Ok(()));
        for at in 0..right.len() {
            let mut wrong = right.clone();
            wrong[at] ^= 1;
            assert!(is_same(&wrong, &right, TEXT).is_err(), "byte {at}");
        }
        assert!(is_same(&right[..128], &right, TEXT).is_err());
        assert!(is_same(&right, &right[..128], TEXT).is_err());
    }

    #[test]
    fn a_wrong_refusal_is_a_difference() {
        let (text, refused) = (Ok(String::new()), Err(NotWhole::NoHeader { length: 0 }));
        for (length, is_whole) in [
            (0, false),
            (63, false),
            (64, true),
            (65, false),
            (128, true),
            (191, false),
        ] {
            let (right, wrong) = if is_whole { (&text, &refused) } else { (&refused, &text) };
            assert_eq!(is_refused_unless_whole(right, length), Ok(()));
            assert!(is_refused_unless_whole(wrong, length).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn a_lost_place_is_a_difference() {
        let right = assembled(TEXT);
        assert_eq!(has_places(&right), Ok(()));
        let mut wrong = right.clone();
        wrong.steps[1].start = wrong.steps[1].end;
        assert!(has_places(&wrong).is_err());
        wrong.steps.pop();
        assert!(has_places(&wrong).is_err());
    }

    #[test]
    fn an_accepted_step_that_is_written_field_by_field_is_a_difference() {
        let accepted = assembled(".data_size 64\nfill.u8 data[0], 7 count 64\n");
        let raw = ".step opcode 1\n";
        assert!(is_written_by_the_table(&accepted, raw).is_err());
        assert_eq!(is_written_by_the_table(&assembled(TEXT), raw), Ok(()));
    }
}
