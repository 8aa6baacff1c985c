//! Other verifiers of programs, and programs for them.

pub mod bpf;
pub mod wasm;

/// How the instructions of a program are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// At random.
    Random,
    /// A pattern that repeats.
    Ordered,
}

impl Mix {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Random, Self::Ordered];

    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Ordered => "ordered",
        }
    }
}
