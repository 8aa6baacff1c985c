//! Constants, and their values as elements.

use std::fmt;
use std::rc::Rc;

use half::{bf16, f16};
use hawser_abi::op::ElementType;

use super::problem::Problem;

/// The sign of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Plus,
    Minus,
}

/// A constant, which takes a type where it is used.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Constant {
    /// A number as it is written.
    Written { sign: Sign, number: Rc<Number> },
    /// What integers were computed to.
    Integer(i128),
    /// What other numbers were computed to.
    Float(f64),
}

/// A number without its sign, read once, however often it is used.
#[derive(Debug, PartialEq)]
pub(super) struct Number {
    text: Box<str>,
    /// Its value, if it is an integer.
    integer: Option<i128>,
    /// The nearest value in double precision.
    double: Option<f64>,
    /// The nearest value in single precision.
    single: Option<f32>,
}

impl Number {
    fn read(text: &str) -> Self {
        let decimal = decimal(text);
        Self {
            text: text.into(),
            integer: magnitude(&digits(text)).map(|value| i128::try_from(value).unwrap_or(i128::MAX)),
            double: decimal.as_ref().and_then(|text| text.parse().ok()),
            single: decimal.as_ref().and_then(|text| text.parse().ok()),
        }
    }
}

/// The most characters of a number that a message shows.
const SHOWN: usize = 40;

impl fmt::Display for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Written { sign, number } => {
                let sign = if *sign == Sign::Minus { "-" } else { "" };
                let more = if number.text.len() > SHOWN { "..." } else { "" };
                // Its characters are those of ASCII.
                let text = number.text.get(..SHOWN).unwrap_or(&number.text);
                write!(f, "{sign}{text}{more}")
            }
            Self::Integer(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value:?}"),
        }
    }
}

impl Constant {
    /// The number that is written so.
    pub(super) fn written(text: &str) -> Result<Self, Problem> {
        let number = Rc::new(Number::read(text));
        let constant = Self::Written {
            sign: Sign::Plus,
            number,
        };
        match constant.integer().is_some() || constant.float().is_some() {
            true => Ok(constant),
            false => Err(Problem::BadNumber {
                text: constant.to_string(),
            }),
        }
    }

    /// The value, if it is an integer; those of more than 127 bits count as the largest.
    pub(super) fn integer(&self) -> Option<i128> {
        match self {
            Self::Written { sign, number } => number
                .integer
                .map(|value| if *sign == Sign::Minus { -value } else { value }),
            Self::Integer(value) => Some(*value),
            Self::Float(_) => None,
        }
    }

    /// The nearest value in double precision.
    pub(super) fn float(&self) -> Option<f64> {
        match self {
            Self::Written { sign, number } => number
                .double
                .map(|value| if *sign == Sign::Minus { -value } else { value }),
            Self::Integer(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
        }
    }

    /// The bits of the constant as an element.
    ///
    /// Floats are rounded once, to nearest; `f16` and `bf16` by way of `f64`. A number that is finite in the text is finite as an element.
    pub(super) fn bits(&self, element: ElementType) -> Result<u64, Problem> {
        if element.is_float() {
            self.float_bits(element)
        } else {
            self.integer_bits(element)
        }
    }

    /// A number of elements.
    pub(super) fn count(&self) -> Result<u64, Problem> {
        let count = self.integer().and_then(|value| u64::try_from(value).ok());
        count
            .filter(|count| *count > 0)
            .ok_or_else(|| Problem::BadCount { text: self.to_string() })
    }

    fn integer_bits(&self, element: ElementType) -> Result<u64, Problem> {
        let value = self.integer().ok_or_else(|| Problem::NotAnInteger {
            text: self.to_string(),
            element: element.name(),
        })?;
        let (least, most) = element.integers();
        if value < least || value > most {
            let range = format!("{least} to {most}");
            return Err(Problem::OutOfRange {
                text: self.to_string(),
                element: element.name(),
                range,
            });
        }
        Ok(value as u64 & (u64::MAX >> (64 - element.size() * 8)))
    }

    fn float_bits(&self, element: ElementType) -> Result<u64, Problem> {
        let bad = || Problem::BadNumber { text: self.to_string() };
        let wide = self.float().ok_or_else(bad)?;
        let (bits, finite, most) = match element {
            ElementType::F16 => {
                let value = f16::from_f64(wide);
                (value.to_bits().into(), value.is_finite(), f16::MAX.to_f64())
            }
            ElementType::BF16 => {
                let value = bf16::from_f64(wide);
                (value.to_bits().into(), value.is_finite(), bf16::MAX.to_f64())
            }
            ElementType::F32 => {
                let value = self.single().ok_or_else(bad)?;
                (value.to_bits().into(), value.is_finite(), f32::MAX.into())
            }
            _ => (wide.to_bits(), wide.is_finite(), f64::MAX),
        };
        let is_named = matches!(self, Self::Written { number, .. } if matches!(&*number.text, "inf" | "nan"));
        if !finite && !is_named {
            let range = format!("{:e} to {most:e}", -most);
            return Err(Problem::OutOfRange {
                text: self.to_string(),
                element: element.name(),
                range,
            });
        }
        Ok(bits)
    }

    /// The nearest value in single precision, rounded once.
    fn single(&self) -> Option<f32> {
        match self {
            Self::Written { sign, number } => number
                .single
                .map(|value| if *sign == Sign::Minus { -value } else { value }),
            Self::Integer(value) => Some(*value as f32),
            Self::Float(value) => Some(*value as f32),
        }
    }
}

/// A number without the marks between its digits.
fn digits(text: &str) -> String {
    text.replace('_', "")
}

/// A number in decimal digits, if it is written well. Hexadecimal digits are the integer that they write, not the bits of a float.
fn decimal(text: &str) -> Option<String> {
    let text = digits(text);
    match text.get(..2) {
        Some("0x" | "0X") => magnitude(&text).map(|value| value.to_string()),
        _ => Some(text),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::fold::negated;
    use proptest::prelude::*;

    fn parse(text: &str, element: ElementType) -> Result<u64, Problem> {
        number(text)?.bits(element)
    }

    fn number(text: &str) -> Result<Constant, Problem> {
        match text.strip_prefix('-') {
            None => Constant::written(text),
            Some(rest) => Ok(negated(&Constant::written(rest)?)),
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
    fn a_message_shows_the_beginning_of_a_long_number() {
        let text = format!("{}.5", "1".repeat(1000));
        let Err(Problem::NotAnInteger { text, .. }) = parse(&text, ElementType::I32) else {
            panic!("it is no integer");
        };
        assert_eq!(text, format!("{}...", "1".repeat(SHOWN)));
    }

    #[test]
    fn counts_are_positive_integers() {
        let count = |text| number(text).unwrap().count();
        assert_eq!(count("1_048_576"), Ok(1 << 20));
        assert_eq!(count("0x10"), Ok(16));
        for text in ["0", "-1", "1.5", "1e3", "nan", "18446744073709551616"] {
            assert_eq!(count(text), Err(Problem::BadCount { text: text.into() }));
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
