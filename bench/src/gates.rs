//! What the measured ratios must be. This table is the only place that says so.

use crate::cases::{Stage, hawser_name, other_name, view_copy_name, view_name};
use crate::lists::Scatter;
use crate::programs::Kind;
use crate::rounds::{Timing, median};
use crate::scale::Scale;

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

/// All gates.
pub fn all(scale: &Scale) -> Vec<Gate> {
    let (small, large) = (scale.small(), scale.large());
    let mut gates = Vec::new();
    for steps in scale.sizes {
        gates.push(Gate {
            promise: "checking random steps is not slower than rbpf's verifier, step against instruction",
            measured: hawser_name(Stage::Check, Kind::Random, steps),
            reference: other_name("rbpf", "random", steps),
            most: 1.0,
        });
    }
    for steps in scale.sizes {
        gates.push(Gate {
            promise: "checking ordered steps takes at most twice as long as reading and comparing their bytes",
            measured: hawser_name(Stage::Check, Kind::Ordered, steps),
            reference: other_name("read+compare", "ordered", steps),
            most: 2.0,
        });
    }
    gates.push(Gate {
        promise: "check, plan and translation together take at most four times as long as rbpf's verifier",
        measured: hawser_name(Stage::Prepare, Kind::Random, large),
        reference: other_name("rbpf", "random", large),
        most: 4.0,
    });
    for kind in [Kind::Random, Kind::Arrays, Kind::Ordered] {
        gates.push(Gate {
            promise: "a step of a large program takes at most half as long again as one of a small program",
            measured: hawser_name(Stage::Prepare, kind, large),
            reference: hawser_name(Stage::Prepare, kind, small),
            most: 1.5,
        });
    }
    for kind in Kind::ADVERSARIAL {
        gates.push(Gate {
            promise: "an adversary's program takes at most twice as long as a random one of the same size",
            measured: hawser_name(Stage::Prepare, kind, large),
            reference: hawser_name(Stage::Prepare, Kind::Random, large),
            most: 2.0,
        });
    }
    for scatter in Scatter::ALL {
        for elements in scale.lists.iter().copied() {
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

/// Judges all gates; those of which a case was not measured are left out of a `partial` measurement, and fail otherwise.
pub fn judge_all(gates: Vec<Gate>, timings: &[Timing], partial: bool) -> Vec<Verdict> {
    let measured = |name: &str| timings.iter().any(|timing| timing.name == name);
    let kept = gates
        .into_iter()
        .filter(|gate| !partial || (measured(&gate.measured) && measured(&gate.reference)));
    kept.map(|gate| judge(gate, timings)).collect()
}

/// Compares two cases round by round. A case that was not measured has no ratio, and fails.
fn judge(gate: Gate, timings: &[Timing]) -> Verdict {
    let rounds = |name: &str| {
        let timing = timings.iter().find(|timing| timing.name == name);
        timing.map(|timing| timing.rounds.as_slice()).unwrap_or_default()
    };
    let pairs = rounds(&gate.measured).iter().zip(rounds(&gate.reference));
    let ratios: Vec<f64> = pairs.map(|(measured, reference)| measured / reference).collect();
    let spread = ratios.iter().fold((f64::INFINITY, 0.0), |(low, high), ratio| {
        (f64::min(low, *ratio), f64::max(high, *ratio))
    });
    Verdict {
        gate,
        ratio: median(ratios),
        spread,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timing(name: &str, rounds: &[f64]) -> Timing {
        Timing {
            name: name.to_owned(),
            bytes_per_unit: 64.0,
            rounds: rounds.to_vec(),
        }
    }

    fn gate(most: f64) -> Gate {
        Gate {
            promise: "ours is as fast as theirs",
            measured: "ours".to_owned(),
            reference: "theirs".to_owned(),
            most,
        }
    }

    #[test]
    fn the_median_of_the_ratios_decides() {
        // The medians of the times alone would say 1.
        let timings = [
            timing("ours", &[10.0, 20.0, 90.0]),
            timing("theirs", &[20.0, 10.0, 30.0]),
        ];
        let verdict = judge(gate(2.0), &timings);
        assert_eq!((verdict.ratio, verdict.spread), (2.0, (0.5, 3.0)));
        assert!(verdict.holds());
        assert!(!judge(gate(1.9), &timings).holds());
    }

    #[test]
    fn a_gate_without_its_cases_fails_unless_a_part_was_asked_for() {
        let timings = [timing("ours", &[1.0])];
        let [verdict] = &judge_all(vec![gate(2.0)], &timings, false)[..] else {
            panic!("one gate, one verdict")
        };
        assert!(!verdict.holds());
        assert!(judge_all(vec![gate(2.0)], &timings, true).is_empty());
    }

    #[test]
    fn every_kind_of_promise_has_a_gate() {
        let gates = all(&Scale::full());
        for part in ["rbpf", "read+compare", "ordered", "fragments", "segment table"] {
            let named = |gate: &Gate| gate.measured.contains(part) || gate.reference.contains(part);
            assert!(gates.iter().any(named), "{part}");
        }
    }
}
