//! The element types of programs as Rust types.

use half::{bf16, f16};
use hawser_abi::op::ElementType;

mod sealed {
    /// Only the types of the contract are elements.
    pub trait Sealed {}
}

/// A Rust type whose values are elements of programs.
pub trait Element: Copy + sealed::Sealed {
    /// The type in programs.
    const TYPE: ElementType;
    /// The bits of the value in the low bits.
    fn to_bits(self) -> u64;
    /// The value with these low bits.
    fn from_bits(bits: u64) -> Self;
}

/// An integer.
pub trait Integer: Element {}

/// A floating-point number.
pub trait Float: Signed {}

/// A number with a sign.
pub trait Signed: Element {}

macro_rules! kinds {
    ($($kind:ident: $($type:ty),+);+ $(;)?) => {
        $($(impl $kind for $type {})+)+
    };
}

kinds! {
    Integer: i8, u8, i16, u16, i32, u32, i64, u64;
    Signed: i8, i16, i32, i64, f16, bf16, f32, f64;
    Float: f16, bf16, f32, f64;
}

macro_rules! integers {
    ($($type:ty as $unsigned:ty = $element:ident),+ $(,)?) => {
        $(
            impl sealed::Sealed for $type {}
            impl Element for $type {
                const TYPE: ElementType = ElementType::$element;
                fn to_bits(self) -> u64 {
                    (self as $unsigned).into()
                }
                fn from_bits(bits: u64) -> Self {
                    bits as Self
                }
            }
        )+
    };
}

macro_rules! floats {
    ($($type:ty as $unsigned:ty = $element:ident),+ $(,)?) => {
        $(
            impl sealed::Sealed for $type {}
            impl Element for $type {
                const TYPE: ElementType = ElementType::$element;
                fn to_bits(self) -> u64 {
                    <$type>::to_bits(self).into()
                }
                fn from_bits(bits: u64) -> Self {
                    <$type>::from_bits(bits as $unsigned)
                }
            }
        )+
    };
}

integers! {
    i8 as u8 = I8, u8 as u8 = U8, i16 as u16 = I16, u16 as u16 = U16,
    i32 as u32 = I32, u32 as u32 = U32, i64 as u64 = I64, u64 as u64 = U64,
}
floats! { f16 as u16 = F16, bf16 as u16 = BF16, f32 as u32 = F32, f64 as u64 = F64 }

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round_trips<T: Element>(bits: u64) -> bool {
        let kept = bits & (u64::MAX >> (64 - T::TYPE.size() * 8));
        T::from_bits(bits).to_bits() == kept
    }

    proptest! {
        #[test]
        fn bits_survive_and_fit_the_type(bits in any::<u64>()) {
            prop_assert!(round_trips::<i8>(bits) && round_trips::<u8>(bits));
            prop_assert!(round_trips::<i16>(bits) && round_trips::<u16>(bits));
            prop_assert!(round_trips::<i32>(bits) && round_trips::<u32>(bits));
            prop_assert!(round_trips::<i64>(bits) && round_trips::<u64>(bits));
            prop_assert!(round_trips::<f16>(bits) && round_trips::<bf16>(bits));
            prop_assert!(round_trips::<f32>(bits) && round_trips::<f64>(bits));
        }
    }
}
