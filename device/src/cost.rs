//! The cycles that a completion reports: a fixed model, so that the same command always costs the same.
//!
//! | what | cycles |
//! |---|---|
//! | a command that was fetched | 64 |
//! | an entry of a segment table | 1 |
//! | a step, once its operands are checked | 16 |
//! | moving an operand of a chunk | 1 for each 16 bytes begun |
//! | a run of contiguous host addresses within it | 4 |
//! | 16 multiplications of a matrix product, begun in a tile | 1 |
//!
//! A chunk is up to 64 KiB of each operand. A tile of a matrix is moved in rows, of which each is an operand of a chunk of its own unless
//! they follow each other in memory. Adjacent segments count as one run.

/// Cycles of a step beside those of its data.
pub const STEP_CYCLES: u64 = 16;

/// Cycles counted so far; saturates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cycles(u64);

impl Cycles {
    pub(crate) const fn of_command() -> Self {
        Self(64)
    }

    pub(crate) fn segments(&mut self, count: u64) {
        self.add(count);
    }

    pub(crate) fn step(&mut self) {
        self.add(STEP_CYCLES);
    }

    pub(crate) fn moved(&mut self, bytes: u64, runs: u64) {
        self.moved_often(1, bytes, runs);
    }

    /// So many moves of the same kind.
    pub(crate) fn moved_often(&mut self, times: u64, bytes: u64, runs: u64) {
        let once = bytes.div_ceil(16).saturating_add(runs.saturating_mul(4));
        self.add(once.saturating_mul(times));
    }

    /// Cycles that were counted apart.
    pub(crate) fn include(&mut self, others: Self) {
        self.add(others.0);
    }

    pub(crate) fn multiplied(&mut self, products: u64) {
        self.add(products.div_ceil(16));
    }

    pub(crate) const fn total(self) -> u64 {
        self.0
    }

    fn add(&mut self, cycles: u64) {
        self.0 = self.0.saturating_add(cycles);
    }
}
