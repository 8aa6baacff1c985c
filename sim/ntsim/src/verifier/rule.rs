//! What a rule is, and the macro that defines them.

/// A rule that drivers have to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The short name that reports and tests use.
    pub id: &'static str,
    /// The Windows bug check that stands for it.
    pub code: u32,
    /// The first parameter of that bug check.
    pub p1: u64,
    /// What is wrong.
    pub text: &'static str,
}

/// Defines the rules of one area, and `RULES`, the list of them.
///
/// ```text
/// rules! {
///     /// What is wrong, in one sentence.
///     NAME = "identifier", 0xC4, 0x1000;
/// }
/// ```
#[macro_export]
macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $name:ident = $id:literal, $code:literal, $p1:literal;)*) => {
        $(
            $(#[doc = $doc])+
            pub const $name: $crate::verifier::Rule =
                $crate::verifier::Rule { id: $id, code: $code, p1: $p1, text: concat!($($doc),+) };
        )*
        /// The rules of this area.
        pub const RULES: &[$crate::verifier::Rule] = &[$($name),*];
    };
}
