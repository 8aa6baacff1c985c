//! Numbers of the text as elements.

use half::{bf16, f16};
use hawser_abi::op::ElementType;

use super::problem::Problem;
use super::syntax::{Number, Sign};

/// The bits of a number as an element.
///
/// Floats are rounded once, to nearest; `f16` and `bf16` by way of `f64`. A number that is finite in the text is finite as an element.
pub(super) fn bits(number: &Number<'_>, element: ElementType) -> Result<u64, Problem> {
    let text = number.text.replace('_', "");
    match element {
        ElementType::F16 | ElementType::BF16 | ElementType::F32 | ElementType::F64 => float(number, &text, element),
        _ => integer(number, &text, element),
    }
}

/// Whether a text is a number, of whatever type and size.
pub(super) fn is_number(number: &Number<'_>) -> Result<(), Problem> {
    let text = number.text.replace('_', "");
    match magnitude(&text) {
        Some(_) => Ok(()),
        None if text.parse::<f64>().is_ok() => Ok(()),
        None => Err(Problem::BadNumber { text: written(number) }),
    }
}

/// A number of elements.
pub(super) fn count(number: &Number<'_>) -> Result<u64, Problem> {
    let bad = || Problem::BadCount { text: written(number) };
    let magnitude = magnitude(&number.text.replace('_', "")).ok_or_else(bad)?;
    let count = u64::try_from(magnitude).map_err(|_| bad())?;
    if count == 0 || number.sign == Sign::Minus {
        Err(bad())
    } else {
        Ok(count)
    }
}

/// The value of an integer without sign; larger ones than 128 bits count as the largest.
fn magnitude(text: &str) -> Option<u128> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    let all_digits = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    all_digits.then(|| u128::from_str_radix(digits, radix).unwrap_or(u128::MAX))
}

/// The number as it is written.
fn written(number: &Number<'_>) -> String {
    let sign = if number.sign == Sign::Minus { "-" } else { "" };
    format!("{sign}{}", number.text)
}

fn integer(number: &Number<'_>, text: &str, element: ElementType) -> Result<u64, Problem> {
    let Some(magnitude) = magnitude(text) else {
        return Err(match text.parse::<f64>() {
            Ok(_) => Problem::NotAnInteger {
                text: written(number),
                element: element.name(),
            },
            Err(_) => Problem::BadNumber { text: written(number) },
        });
    };
    let (least, most) = range(element);
    let magnitude = i128::try_from(magnitude).unwrap_or(i128::MAX);
    let value = if number.sign == Sign::Minus {
        -magnitude
    } else {
        magnitude
    };
    if value < least || value > most {
        let range = format!("{least} to {most}");
        return Err(Problem::OutOfRange {
            text: written(number),
            element: element.name(),
            range,
        });
    }
    Ok(value as u64 & (u64::MAX >> (64 - element.size() * 8)))
}

fn range(element: ElementType) -> (i128, i128) {
    let bits = element.size() * 8;
    match element {
        ElementType::I8 | ElementType::I16 | ElementType::I32 | ElementType::I64 => {
            (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
        }
        _ => (0, (1 << bits) - 1),
    }
}

fn float(number: &Number<'_>, text: &str, element: ElementType) -> Result<u64, Problem> {
    // Hexadecimal digits are the integer that they write, not the bits of the float.
    let decimal = match text.get(..2) {
        Some("0x" | "0X") => magnitude(text).map(|value| value.to_string()),
        _ => Some(text.to_owned()),
    };
    let bad = || Problem::BadNumber { text: written(number) };
    let decimal = decimal.ok_or_else(bad)?;
    let wide: f64 = decimal.parse().map_err(|_| bad())?;
    let (bits, finite, most) = match element {
        ElementType::F16 => (
            f16::from_f64(wide).to_bits().into(),
            f16::from_f64(wide).is_finite(),
            f16::MAX.to_f64(),
        ),
        ElementType::BF16 => (
            bf16::from_f64(wide).to_bits().into(),
            bf16::from_f64(wide).is_finite(),
            bf16::MAX.to_f64(),
        ),
        ElementType::F32 => {
            let narrow: f32 = decimal.parse().map_err(|_| bad())?;
            (narrow.to_bits().into(), narrow.is_finite(), f32::MAX.into())
        }
        _ => (wide.to_bits(), wide.is_finite(), f64::MAX),
    };
    if !finite && !matches!(text, "inf" | "nan") {
        let range = format!("{:e} to {most:e}", -most);
        return Err(Problem::OutOfRange {
            text: written(number),
            element: element.name(),
            range,
        });
    }
    let sign = if number.sign == Sign::Minus {
        1 << (element.size() * 8 - 1)
    } else {
        0
    };
    Ok(bits ^ sign)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::span::Span;
    use proptest::prelude::*;

    fn parse(text: &str, element: ElementType) -> Result<u64, Problem> {
        bits(&number(text), element)
    }

    fn number(text: &str) -> Number<'_> {
        let (sign, text) = text
            .strip_prefix('-')
            .map_or((Sign::Plus, text), |rest| (Sign::Minus, rest));
        Number {
            sign,
            text,
            span: Span::default(),
        }
    }

    #[test]
    fn integers_keep_to_their_range() {
        for (text, element, bits) in [
            ("127", ElementType::I8, 127),
            ("-128", ElementType::I8, 0x80),
            ("255", ElementType::U8, 255),
            ("-1", ElementType::I32, 0xFFFF_FFFF),
            ("0xFFFF_FFFF", ElementType::U32, 0xFFFF_FFFF),
            ("-9223372036854775808", ElementType::I64, 1 << 63),
            ("18446744073709551615", ElementType::U64, u64::MAX),
        ] {
            assert_eq!(parse(text, element), Ok(bits), "{text}");
        }
        for (text, element) in [
            ("128", ElementType::I8),
            ("-129", ElementType::I8),
            ("-1", ElementType::U8),
            ("65536", ElementType::U16),
            ("18446744073709551616", ElementType::U64),
            ("999999999999999999999999999999999999999999999999", ElementType::I64),
        ] {
            assert!(
                matches!(parse(text, element), Err(Problem::OutOfRange { .. })),
                "{text}"
            );
        }
        assert!(matches!(
            parse("2.5", ElementType::I32),
            Err(Problem::NotAnInteger { .. })
        ));
        assert!(matches!(
            parse("inf", ElementType::I32),
            Err(Problem::NotAnInteger { .. })
        ));
        assert!(matches!(
            parse("0xZZ", ElementType::I32),
            Err(Problem::BadNumber { .. })
        ));
        assert!(matches!(parse("0x", ElementType::U32), Err(Problem::BadNumber { .. })));
    }

    #[test]
    fn floats_are_rounded_once_and_stay_finite() {
        // Between two f32 values, just above the middle: rounding through f64 would land on the middle and go to even, down.
        let tie = "1.000000059604644775390626";
        assert_eq!(parse(tie, ElementType::F32), Ok(1.000_000_1_f32.to_bits().into()));
        assert_eq!(parse("-0", ElementType::F64), Ok((-0.0_f64).to_bits()));
        assert_eq!(parse("-inf", ElementType::F32), Ok(f32::NEG_INFINITY.to_bits().into()));
        assert_eq!(parse("nan", ElementType::F16), Ok(f16::NAN.to_bits().into()));
        assert_eq!(parse("0x10", ElementType::F64), Ok(16.0_f64.to_bits()));
        assert_eq!(
            parse("1.5", ElementType::BF16),
            Ok(bf16::from_f32(1.5).to_bits().into())
        );
        for (text, element) in [
            ("1e39", ElementType::F32),
            ("1e309", ElementType::F64),
            ("70000", ElementType::F16),
            ("1e39", ElementType::BF16),
        ] {
            assert!(
                matches!(parse(text, element), Err(Problem::OutOfRange { .. })),
                "{text}"
            );
        }
        assert!(matches!(parse("0xG", ElementType::F32), Err(Problem::BadNumber { .. })));
    }

    #[test]
    fn counts_are_positive_integers() {
        assert_eq!(count(&number("1_048_576")), Ok(1 << 20));
        assert_eq!(count(&number("0x10")), Ok(16));
        for text in ["0", "-1", "1.5", "1e3", "nan", "18446744073709551616"] {
            assert_eq!(count(&number(text)), Err(Problem::BadCount { text: text.into() }));
        }
    }

    proptest! {
        #[test]
        fn written_numbers_come_back(single in any::<f32>(), double in any::<f64>(), integer in any::<i64>()) {
            prop_assume!(single.is_finite() && double.is_finite());
            prop_assert_eq!(parse(&format!("{single}"), ElementType::F32), Ok(single.to_bits().into()));
            prop_assert_eq!(parse(&format!("{double:e}"), ElementType::F64), Ok(double.to_bits()));
            prop_assert_eq!(parse(&integer.to_string(), ElementType::I64), Ok(integer as u64));
        }

        #[test]
        fn any_text_is_a_number_or_a_problem(text in "[0-9a-zA-Z_.+-]{0,12}", which in 0..12_usize) {
            let element = ElementType::ALL[which];
            if let Ok(bits) = parse(&text, element) {
                prop_assert_eq!(bits & !(u64::MAX >> (64 - element.size() * 8)), 0);
            }
        }
    }
}
