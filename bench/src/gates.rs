//! What the measured ratios must be. This table is the only place that says so.

use crate::cases::{Stage, hawser_name, other_name, view_copy_name, view_name};
use crate::lists::Scatter;
use crate::programs::Kind;
use crate::rounds::{Timing, median};

/// A bound on a ratio of two cases.
#[derive(Clone, Debug)]
pub struct Gate {
    /// What it promises.
    pub promise: &'static str,
    /// The case that must not be slow.
    pub measured: String,
    /// What it is compared with.
    pub reference: String,
    /// Most that nanoseconds for a unit of the one may be, in those of the other.
    pub most: f64,
}

/// The steps of a small program.
pub const SMALL: u32 = 1000;
/// The steps of a program of middle size.
pub const MIDDLE: u32 = 10_000;
/// The steps of the largest program.
pub const LARGE: u32 = 65_536;
/// Elements of the scatter-gather lists.
pub const LISTS: [u64; 3] = [64, 4096, 65_536];

/// All gates.
pub fn all() -> Vec<Gate> {
    let mut gates = Vec::new();
    for steps in [SMALL, MIDDLE, LARGE] {
        gates.push(Gate {
            promise: "checking random steps is not slower than rbpf's verifier, step against instruction",
            measured: hawser_name(Stage::Check, Kind::Random, steps),
            reference: other_name("rbpf", "random", steps),
            most: 1.0,
        });
        gates.push(Gate {
            promise: "checking ordered steps takes at most twice as long as reading and comparing their bytes",
            measured: hawser_name(Stage::Check, Kind::Ordered, steps),
            reference: other_name("read+compare", "ordered", steps),
            most: 2.0,
        });
    }
    gates.push(Gate {
        promise: "check, plan and translation together take at most four times as long as rbpf's verifier",
        measured: hawser_name(Stage::Prepare, Kind::Random, LARGE),
        reference: other_name("rbpf", "random", LARGE),
        most: 4.0,
    });
    for kind in [Kind::Random, Kind::Arrays, Kind::Ordered] {
        gates.push(Gate {
            promise: "a step of a large program takes at most half as long again as one of a small program",
            measured: hawser_name(Stage::Prepare, kind, LARGE),
            reference: hawser_name(Stage::Prepare, kind, SMALL),
            most: 1.5,
        });
    }
    for kind in Kind::ADVERSARIAL {
        gates.push(Gate {
            promise: "an adversary's program takes at most twice as long as a random one of the same size",
            measured: hawser_name(Stage::Prepare, kind, LARGE),
            reference: hawser_name(Stage::Prepare, Kind::Random, LARGE),
            most: 2.0,
        });
    }
    for scatter in Scatter::ALL {
        for elements in LISTS {
            gates.push(Gate {
                promise: "a segment table is built at a quarter of the speed of copying, or faster",
                measured: view_name(scatter, elements),
                reference: view_copy_name(scatter, elements),
                most: 4.0,
            });
        }
    }
    gates
}

/// What became of a gate.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The gate.
    pub gate: Gate,
    /// The median of the ratios of all rounds.
    pub ratio: f64,
    /// The smallest and the largest.
    pub spread: (f64, f64),
}

impl Verdict {
    /// Whether the promise holds.
    pub fn holds(&self) -> bool {
        self.ratio <= self.gate.most
    }
}

/// Compares two cases round by round. A case that was not measured fails every gate.
pub fn judge(gate: Gate, timings: &[Timing]) -> Verdict {
    let rounds = |name: &str| {
        let timing = timings.iter().find(|timing| timing.name == name);
        timing.map(|timing| timing.rounds.as_slice()).unwrap_or_default()
    };
    let ratios = rounds(&gate.measured).iter().zip(rounds(&gate.reference));
    let ratios: Vec<f64> = ratios.map(|(measured, reference)| measured / reference).collect();
    let spread = ratios.iter().fold((f64::INFINITY, 0.0), |(low, high), ratio| {
        (f64::min(low, *ratio), f64::max(high, *ratio))
    });
    Verdict {
        gate,
        ratio: median(ratios),
        spread,
    }
}
