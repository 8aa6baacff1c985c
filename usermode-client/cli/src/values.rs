//! Elements as text and as JSON.

use half::{bf16, f16};
use hawser_abi::op::ElementType;
use serde_json::Value;

/// An element, as its bits and its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ElementValue {
    pub bits: u64,
    pub element: ElementType,
}

impl ElementValue {
    /// The first element of `bytes`; nothing if they are too few.
    pub fn from_bytes(bytes: &[u8], element: ElementType) -> Option<Self> {
        let mut bits = [0; 8];
        let size = element.size() as usize;
        bits[..size].copy_from_slice(bytes.get(..size)?);
        Some(Self {
            bits: u64::from_le_bytes(bits),
            element,
        })
    }

    fn number(self) -> Number {
        let bits = self.bits;
        match self.element {
            ElementType::I8 => Number::Signed((bits as i8).into()),
            ElementType::I16 => Number::Signed((bits as i16).into()),
            ElementType::I32 => Number::Signed((bits as i32).into()),
            ElementType::I64 => Number::Signed(bits as i64),
            ElementType::U8 | ElementType::U16 | ElementType::U32 | ElementType::U64 => Number::Unsigned(bits),
            ElementType::F16 => Number::Single(f16::from_bits(bits as u16).to_f32()),
            ElementType::BF16 => Number::Single(bf16::from_bits(bits as u16).to_f32()),
            ElementType::F32 => Number::Single(f32::from_bits(bits as u32)),
            ElementType::F64 => Number::Double(f64::from_bits(bits)),
        }
    }

    /// As JSON: a number, or a string where JSON has no such number.
    pub fn json(self) -> Value {
        let float = |value: f64| {
            if value.is_finite() {
                Value::from(value)
            } else {
                Value::from(value.to_string())
            }
        };
        match self.number() {
            Number::Signed(value) => value.into(),
            Number::Unsigned(value) => value.into(),
            // By way of its digits: the nearest double of 0.1 in single precision would be printed as 0.10000000149011612.
            Number::Single(value) => float(value.to_string().parse().unwrap_or(f64::NAN)),
            Number::Double(value) => float(value),
        }
    }
}

enum Number {
    Signed(i64),
    Unsigned(u64),
    Single(f32),
    Double(f64),
}

impl std::fmt::Display for ElementValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.number() {
            Number::Signed(value) => write!(f, "{value}"),
            Number::Unsigned(value) => write!(f, "{value}"),
            Number::Single(value) => write!(f, "{value:?}"),
            Number::Double(value) => write!(f, "{value:?}"),
        }
    }
}

/// The first `most` elements of `bytes`.
pub fn head(bytes: &[u8], element: ElementType, most: usize) -> Vec<ElementValue> {
    let elements = bytes.chunks_exact(element.size() as usize).take(most);
    elements
        .filter_map(|bytes| ElementValue::from_bytes(bytes, element))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_shown_by_their_type() {
        let shown = |bits, element| {
            let value = ElementValue { bits, element };
            format!("{value} {}", value.json())
        };
        assert_eq!(shown(0xFF, ElementType::I8), "-1 -1");
        assert_eq!(shown(0xFF, ElementType::U8), "255 255");
        assert_eq!(
            shown(u64::MAX, ElementType::U64),
            "18446744073709551615 18446744073709551615"
        );
        assert_eq!(shown(u64::MAX, ElementType::I64), "-1 -1");
        assert_eq!(shown(0.1_f32.to_bits().into(), ElementType::F32), "0.1 0.1");
        assert_eq!(shown(2.0_f64.to_bits(), ElementType::F64), "2.0 2.0");
        assert_eq!(shown(f16::from_f32(1.5).to_bits().into(), ElementType::F16), "1.5 1.5");
        assert_eq!(
            shown(bf16::from_f32(-1.5).to_bits().into(), ElementType::BF16),
            "-1.5 -1.5"
        );
        assert_eq!(shown(f32::NAN.to_bits().into(), ElementType::F32), "NaN \"NaN\"");
        assert_eq!(shown(f64::NEG_INFINITY.to_bits(), ElementType::F64), "-inf \"-inf\"");
    }

    #[test]
    fn the_head_is_short() {
        let values = head(&[1, 0, 2, 0, 3], ElementType::U16, 8);
        assert_eq!(values.iter().map(|value| value.bits).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(head(&[0; 64], ElementType::U16, 8).len(), 8);
    }
}
