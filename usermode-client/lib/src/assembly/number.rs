//! The immediate of a step as text, by the type of its elements, and back, to the bit.

use half::{bf16, f16};
use hawser_abi::op::ElementType;

use super::problem::Problem;

/// The element as text. Only a NaN other than the usual one is shown as bits, since no number says which it is.
pub(super) fn text(bits: u64, element: ElementType) -> String {
    match element {
        ElementType::I8 => (bits as i8).to_string(),
        ElementType::I16 => (bits as i16).to_string(),
        ElementType::I32 => (bits as i32).to_string(),
        ElementType::I64 => (bits as i64).to_string(),
        ElementType::U8 | ElementType::U16 | ElementType::U32 | ElementType::U64 => bits.to_string(),
        _ if bits == nan(element) => "nan".into(),
        _ if is_nan(bits, element) => format!("bits({bits:#x})"),
        ElementType::F16 => format!("{:?}", f16::from_bits(bits as u16).to_f32()),
        ElementType::BF16 => format!("{:?}", bf16::from_bits(bits as u16).to_f32()),
        ElementType::F32 => format!("{:?}", f32::from_bits(bits as u32)),
        ElementType::F64 => format!("{:?}", f64::from_bits(bits)),
    }
}

/// The bits of an element that is written as a number.
pub(super) fn bits(text: &str, element: ElementType) -> Result<u64, Problem> {
    if element.is_float() {
        float(text, element)
    } else {
        integer(text, element)
    }
}

/// A number without sign and point, in decimal or hexadecimal digits, at most `most`.
pub(super) fn unsigned(text: &str, most: u64) -> Result<u64, Problem> {
    match digits(text)? {
        value if (0..=i128::from(most)).contains(&value) => Ok(value as u64),
        _ => Err(Problem::OutOfRange {
            text: text.into(),
            least: 0,
            most: most.into(),
        }),
    }
}

fn integer(text: &str, element: ElementType) -> Result<u64, Problem> {
    let width = 8 * element.size();
    let (least, most) = element.integers();
    match digits(text)? {
        value if (least..=most).contains(&value) => Ok(value as u64 & u64::MAX >> (64 - width)),
        _ => Err(Problem::OutOfRange {
            text: text.into(),
            least,
            most,
        }),
    }
}

/// An integer of at most 128 bits; what has more is outside the range of everything.
fn digits(text: &str) -> Result<i128, Problem> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let bare = digits.replace('_', "");
    let hexadecimal = bare.strip_prefix("0x").or_else(|| bare.strip_prefix("0X"));
    let (bare, radix) = hexadecimal.map_or((bare.as_str(), 10), |bare| (bare, 16));
    if bare.is_empty() || !bare.chars().all(|digit| digit.is_digit(radix)) {
        return Err(Problem::NotAnInteger { text: text.into() });
    }
    Ok(i128::from_str_radix(bare, radix).map_or(i128::MAX, |value| sign * value))
}

fn float(text: &str, element: ElementType) -> Result<u64, Problem> {
    if text == "nan" {
        return Ok(nan(element));
    }
    let infinite = matches!(text, "inf" | "-inf");
    let value: f64 = text
        .replace('_', "")
        .parse()
        .map_err(|_| Problem::NotANumber { text: text.into() })?;
    let (bits, is_finite) = match element {
        ElementType::F16 => with(f16::from_f64(value), f16::to_bits, f16::is_finite),
        ElementType::BF16 => with(bf16::from_f64(value), bf16::to_bits, bf16::is_finite),
        // Not by way of a double: the text is rounded once.
        ElementType::F32 => {
            let single: f32 = text.replace('_', "").parse().unwrap_or(f32::NAN);
            (single.to_bits().into(), single.is_finite())
        }
        _ => (value.to_bits(), value.is_finite()),
    };
    if is_finite || infinite {
        Ok(bits)
    } else {
        Err(Problem::TooLarge {
            text: text.into(),
            element: element.name(),
        })
    }
}

fn with<F: Copy>(value: F, bits: fn(F) -> u16, is_finite: fn(F) -> bool) -> (u64, bool) {
    (bits(value).into(), is_finite(value))
}

/// Bits of the fraction of a float.
fn fraction_bits(element: ElementType) -> u32 {
    match element {
        ElementType::F16 => 10,
        ElementType::BF16 => 7,
        ElementType::F32 => 23,
        _ => 52,
    }
}

/// The bits of infinity: an exponent of ones.
fn infinity(element: ElementType) -> u64 {
    let magnitude = u64::MAX >> (65 - 8 * element.size());
    magnitude & !((1 << fraction_bits(element)) - 1)
}

/// The quiet NaN without sign and payload.
fn nan(element: ElementType) -> u64 {
    infinity(element) | 1 << (fraction_bits(element) - 1)
}

fn is_nan(bits: u64, element: ElementType) -> bool {
    bits & u64::MAX >> (65 - 8 * element.size()) > infinity(element)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_element_keeps_its_bits(raw in any::<u64>(), which in 0..12_usize) {
            let element = ElementType::ALL[which];
            let raw = raw & u64::MAX >> (64 - 8 * element.size());
            let text = text(raw, element);
            if text.starts_with("bits(") {
                prop_assert!(is_nan(raw, element), "{}", text);
            } else {
                prop_assert_eq!(bits(&text, element), Ok(raw), "{} {}", element.name(), text);
            }
        }

        #[test]
        fn any_text_is_a_number_or_a_mistake(text in "[-0-9a-fxX_.en]{0,12}", which in 0..12_usize) {
            let _ = bits(&text, ElementType::ALL[which]);
            let _ = unsigned(&text, u64::MAX);
        }
    }

    #[test]
    fn every_float_of_two_bytes_keeps_its_bits() {
        for element in [ElementType::F16, ElementType::BF16] {
            for raw in 0..=u64::from(u16::MAX) {
                let text = text(raw, element);
                assert!(text.starts_with("bits(") || bits(&text, element) == Ok(raw), "{text}");
            }
        }
    }

    #[test]
    fn numbers_are_written_in_the_usual_ways() {
        assert_eq!(bits("0x10", ElementType::U8), Ok(16));
        assert_eq!(bits("-0x80", ElementType::I8), Ok(0x80));
        assert_eq!(bits("1_000", ElementType::I16), Ok(1000));
        assert_eq!(bits("1e3", ElementType::F32), Ok(1000_f32.to_bits().into()));
        assert_eq!(bits("-inf", ElementType::F16), Ok(0xFC00));
        assert_eq!(bits("nan", ElementType::F64), Ok(0x7FF8_0000_0000_0000));
        assert_eq!(bits("-0.0", ElementType::BF16), Ok(0x8000));
        // Between two singles; a double on the way would be a tie, and end at the even one.
        let text = "1.00000005960464477540";
        assert_eq!(bits(text, ElementType::F32), Ok(0x3F80_0001));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let problem = |text: &str, element| bits(text, element).unwrap_err().to_string();
        assert_eq!(problem("128", ElementType::I8), "`128` is not from -128 to 127");
        assert_eq!(problem("-1", ElementType::U16), "`-1` is not from 0 to 65535");
        assert_eq!(problem("2.5", ElementType::I8), "`2.5` is not an integer");
        assert_eq!(problem("0x", ElementType::I8), "`0x` is not an integer");
        assert_eq!(problem("0x10", ElementType::F32), "`0x10` is not a number");
        assert_eq!(problem("65520", ElementType::F16), "`65520` is larger than f16 can be");
        assert_eq!(problem("1e39", ElementType::F32), "`1e39` is larger than f32 can be");
        let long = "9".repeat(60);
        assert!(problem(&long, ElementType::U64).ends_with("is not from 0 to 18446744073709551615"));
        assert!(unsigned("256", 255).is_err());
    }
}
