//! What the measured ratios must be. This table is the only place that says so.

use crate::cases::{Stage, hawser_name, list_copy_name, other_name, view_name};
use crate::lists::Scatter;
use crate::programs::Kind;
use crate::rounds::{Ratio, Timing};
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
            promise: "checking ordered steps takes at most twice as long as reading them and comparing the range of every operand with the end of its space",
            measured: hawser_name(Stage::Check, Kind::Ordered, steps),
            reference: other_name("read+ranges", "ordered", steps),
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
                promise: "a segment table is built at a quarter of the speed of copying its list, or faster",
                measured: view_name(scatter, elements),
                reference: list_copy_name(scatter, elements),
                most: 4.0,
            });
        }
    }
    for gate in &mut gates {
        gate.most *= scale.loosened;
    }
    gates
}

/// What became of a gate.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The gate.
    pub gate: Gate,
    /// The measured ratio; there is none if a case was not measured.
    pub ratio: Option<Ratio>,
}

impl Verdict {
    /// Whether the promise holds.
    pub fn holds(&self) -> bool {
        self.ratio.is_some_and(|ratio| ratio.median <= self.gate.most)
    }
}

/// Judges all gates. Those of which a case was not measured are left out of a `partial` measurement, and fail otherwise.
pub fn judge_all(gates: Vec<Gate>, timings: &[Timing], partial: bool) -> Vec<Verdict> {
    let verdicts = gates.into_iter().map(|gate| Verdict {
        ratio: Ratio::of(timings, &gate.measured, &gate.reference),
        gate,
    });
    verdicts.filter(|verdict| !partial || verdict.ratio.is_some()).collect()
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
    fn a_gate_holds_up_to_its_bound() {
        let timings = [timing("ours", &[10.0]), timing("theirs", &[5.0])];
        for (most, holds) in [(1.9, false), (2.0, true)] {
            let verdicts = judge_all(vec![gate(most)], &timings, false);
            assert_eq!(verdicts.iter().map(Verdict::holds).collect::<Vec<_>>(), [holds]);
        }
    }

    #[test]
    fn a_gate_without_its_cases_fails_unless_a_part_was_asked_for() {
        let timings = [timing("ours", &[1.0])];
        let verdicts = judge_all(vec![gate(2.0)], &timings, false);
        assert_eq!(verdicts.iter().map(Verdict::holds).collect::<Vec<_>>(), [false]);
        assert!(judge_all(vec![gate(2.0)], &timings, true).is_empty());
    }

    #[test]
    fn every_kind_of_promise_has_a_gate() {
        let gates = all(&Scale::full());
        for part in ["rbpf", "read+ranges", "ordered", "fragments", "segment table"] {
            let named = |gate: &Gate| gate.measured.contains(part) || gate.reference.contains(part);
            assert!(gates.iter().any(named), "{part}");
        }
    }
}
