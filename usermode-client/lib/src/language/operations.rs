//! What can be called, and what it takes.

use hawser_abi::op::{ElementType, Opcode, Predicate};
use hawser_abi::rules::{ABSENT, IMMEDIATE, MEMORY, Spaces, rule};

/// Everything that can be called, but for the names of types.
pub(super) const NAMES: [&str; 35] = [
    "copy",
    "fill",
    "add",
    "sub",
    "mul",
    "div",
    "rem",
    "min",
    "max",
    "fma",
    "neg",
    "abs",
    "sqrt",
    "relu",
    "and",
    "or",
    "xor",
    "not",
    "shl",
    "shr",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "select",
    "sum",
    "dot",
    "argmin",
    "argmax",
    "prefix_sum",
    "matmul",
    "transpose",
    "sat",
];

/// What a name calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Callee {
    /// An operation under its own name.
    Operation(Opcode),
    /// A comparison.
    Comparison(Predicate),
    /// A conversion to this type.
    Conversion(ElementType),
    /// The larger of a value and 0.
    Relu,
    /// The operation inside saturates.
    Saturate,
}

impl Callee {
    pub(super) fn named(name: &str) -> Option<Self> {
        match (Opcode::named(name), name) {
            // They need a predicate and a type, which their other forms name.
            (Some(Opcode::Compare | Opcode::Convert), _) => None,
            (Some(operation), _) => Some(Self::Operation(operation)),
            (None, "relu") => Some(Self::Relu),
            (None, "sat") => Some(Self::Saturate),
            (None, _) => Predicate::named(name)
                .map(Self::Comparison)
                .or(ElementType::named(name).map(Self::Conversion)),
        }
    }
}

/// What may stand in the place of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    Array,
    Number,
    Either,
}

impl Takes {
    fn of(spaces: Spaces) -> Option<Self> {
        match spaces {
            ABSENT => None,
            IMMEDIATE => Some(Self::Number),
            MEMORY => Some(Self::Array),
            _ => Some(Self::Either),
        }
    }
}

/// The sources of an operation, in their order.
pub(super) fn sources_of(operation: Opcode) -> Vec<Takes> {
    let [_, sources @ ..] = &rule(operation).operands;
    sources.iter().filter_map(|source| Takes::of(source.spaces)).collect()
}

/// The sources of an operation as a message names them.
pub(super) fn sources_in_words(operation: Opcode) -> String {
    let sources = sources_of(operation);
    let count = ["no", "one", "two", "three"]
        .get(sources.len())
        .copied()
        .unwrap_or("more");
    let plural = if sources.len() == 1 { "" } else { "s" };
    match sources.last() {
        Some(Takes::Array) => format!("{count} array{plural}"),
        Some(Takes::Number) => format!("{count} number{plural}"),
        _ => format!("{count} array{plural} or number{plural}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_calls_something_and_every_operation_has_a_name() {
        for name in NAMES {
            assert!(Callee::named(name).is_some(), "{name}");
        }
        for operation in Opcode::ALL {
            let has_other_form = matches!(operation, Opcode::Compare | Opcode::Convert);
            assert_eq!(NAMES.contains(&operation.name()), !has_other_form);
        }
        for predicate in Predicate::ALL {
            assert!(NAMES.contains(&predicate.name()));
        }
        assert_eq!(Callee::named("bf16"), Some(Callee::Conversion(ElementType::BF16)));
        assert_eq!(Callee::named("compare"), None);
    }

    #[test]
    fn sources_are_those_of_the_table() {
        assert_eq!(sources_of(Opcode::Fill), [Takes::Number]);
        assert_eq!(sources_of(Opcode::Select), [Takes::Array, Takes::Either, Takes::Either]);
        assert_eq!(sources_in_words(Opcode::Fma), "three arrays or numbers");
        assert_eq!(sources_in_words(Opcode::Sum), "one array");
        assert_eq!(sources_in_words(Opcode::Fill), "one number");
    }
}
