//! How much is measured.

use std::time::Duration;

/// Sizes of programs and lists, and how often they are measured.
#[derive(Clone, Debug)]
pub struct Scale {
    /// Steps of a small, a middle and a large program.
    pub sizes: [u32; 3],
    /// Steps, or instructions, that all programs of one kind and size have together.
    pub distinct: u32,
    /// Elements of the scatter-gather lists.
    pub lists: Vec<u64>,
    /// How often each case is measured.
    pub rounds: u32,
    /// How long a case runs at least, each time.
    pub shortest: Duration,
    /// What every bound is multiplied by.
    pub loosened: f64,
}

impl Scale {
    /// The scale at which the gates count: more steps than a branch predictor can learn.
    pub fn full() -> Self {
        Self {
            sizes: [1000, 10_000, 65_536],
            distinct: 65_536,
            lists: vec![64, 4096, 65_536],
            rounds: 21,
            shortest: Duration::from_millis(1),
            loosened: 1.0,
        }
    }

    /// Small enough for a test, which sees that everything runs. Its times say little: only what is a thousand times too slow fails.
    pub fn quick() -> Self {
        Self {
            sizes: [50, 100, 500],
            distinct: 500,
            lists: vec![64],
            rounds: 2,
            shortest: Duration::ZERO,
            loosened: 1000.0,
        }
    }

    /// Steps of the smallest programs.
    pub fn small(&self) -> u32 {
        self.sizes[0]
    }

    /// Steps of the largest programs.
    pub fn large(&self) -> u32 {
        self.sizes[2]
    }
}
