//! Measures cases in turn: each round runs every case once, so that what else the machine does meets all of them alike.
//!
//! Time is the processor's time of this thread. Another process that takes the processor away for a while does not count; what it leaves in
//! the caches does. Before each measurement a case runs once without being measured, and so finds its inputs and its workspace where a
//! driver finds them: the I/O manager has just written the one, and the program before has used the other.

use std::time::Duration;

use anyhow::{Context, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use rustix::time::{ClockId, clock_gettime};

/// Something to measure.
pub struct Case<'a> {
    /// Its name in tables and gates.
    pub name: String,
    /// Steps, instructions or elements that one run works on.
    pub units: u64,
    /// Bytes that one run works on.
    pub bytes: u64,
    /// Runs it once.
    pub run: Box<dyn FnMut() + 'a>,
}

/// What was measured of a case.
#[derive(Clone, Debug)]
pub struct Timing {
    /// The case's name.
    pub name: String,
    /// Bytes of a unit.
    pub bytes_per_unit: f64,
    /// Nanoseconds for each unit, by round.
    pub rounds: Vec<f64>,
}

impl Timing {
    /// The smallest of all rounds.
    pub fn least(&self) -> f64 {
        self.rounds.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// The median of all rounds.
    pub fn median(&self) -> f64 {
        median(self.rounds.clone())
    }

    /// Bytes in each nanosecond, in the fastest round.
    pub fn gigabytes_per_second(&self) -> f64 {
        self.bytes_per_unit / self.least()
    }
}

/// Nanoseconds for a unit of the case `measured` in those of `reference`, for each round, if both were measured.
///
/// The ratio is taken round by round, because the two runs of a round met the same machine.
pub fn ratios(timings: &[Timing], measured: &str, reference: &str) -> Option<Vec<f64>> {
    let rounds = |name: &str| Some(&timings.iter().find(|timing| timing.name == name)?.rounds);
    let pairs = rounds(measured)?.iter().zip(rounds(reference)?);
    Some(pairs.map(|(measured, reference)| measured / reference).collect())
}

/// The ratio of two cases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// The median of the ratios of all rounds.
    pub median: f64,
    /// The smallest of them.
    pub least: f64,
    /// The largest of them.
    pub most: f64,
}

impl Ratio {
    /// What is to be said of the [`ratios`] of two cases, if both were measured.
    pub fn of(timings: &[Timing], measured: &str, reference: &str) -> Option<Self> {
        let ratios = ratios(timings, measured, reference)?;
        Some(Self {
            median: median(ratios.clone()),
            least: ratios.iter().copied().fold(f64::INFINITY, f64::min),
            most: ratios.iter().copied().fold(0.0, f64::max),
        })
    }
}

/// The median; of an even number, the upper one in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Keeps this thread on one processor, the last one that it may use if none is asked for.
pub fn pin(processor: Option<usize>) -> Result<()> {
    let allowed = sched_getaffinity(None).context("the system does not tell the processors of this thread")?;
    let last = || (0..CpuSet::MAX_CPU).rev().find(|processor| allowed.is_set(*processor));
    let processor = processor
        .or_else(last)
        .context("there is no processor for this thread")?;
    let mut one = CpuSet::new();
    one.set(processor);
    sched_setaffinity(None, &one).with_context(|| format!("this thread may not run on processor {processor}"))
}

/// How often the memory in which cases work is allocated anew: which lines of it share a set of a cache is luck, and makes a tenth of a difference.
const PLACES: u32 = 3;

/// Rounds, divided among the places in memory.
pub fn shares(rounds: u32) -> impl Iterator<Item = u32> {
    (0..PLACES)
        .map(move |place| (rounds + place) / PLACES)
        .filter(|share| *share > 0)
}

/// Adds more rounds of the same cases.
pub fn add(timings: &mut Vec<Timing>, more: Vec<Timing>) {
    if timings.is_empty() {
        *timings = more;
        return;
    }
    for (timing, more) in timings.iter_mut().zip(more) {
        assert_eq!(timing.name, more.name, "the cases are always the same");
        timing.rounds.extend(more.rounds);
    }
}

/// Measures all cases `rounds` times, each for at least `shortest` at a time.
pub fn measure(cases: &mut [Case<'_>], rounds: u32, shortest: Duration) -> Vec<Timing> {
    let repeats: Vec<u32> = cases.iter_mut().map(|case| repeats(case, shortest)).collect();
    let mut timings: Vec<Timing> = cases.iter().map(timing).collect();
    for _ in 0..rounds {
        for ((case, repeats), timing) in cases.iter_mut().zip(&repeats).zip(&mut timings) {
            (case.run)();
            timing.rounds.push(nanoseconds(case, *repeats));
        }
    }
    timings
}

fn timing(case: &Case<'_>) -> Timing {
    Timing {
        name: case.name.clone(),
        bytes_per_unit: case.bytes as f64 / case.units as f64,
        rounds: Vec::new(),
    }
}

/// How often a case has to run to take `shortest`, judged by its second run.
fn repeats(case: &mut Case<'_>, shortest: Duration) -> u32 {
    processor_time(case, 1);
    let once = processor_time(case, 1).max(Duration::from_nanos(1));
    let repeats = shortest.as_nanos().div_ceil(once.as_nanos());
    u32::try_from(repeats).unwrap_or(u32::MAX).max(1)
}

/// Nanoseconds for each unit of a case.
fn nanoseconds(case: &mut Case<'_>, repeats: u32) -> f64 {
    processor_time(case, repeats).as_nanos() as f64 / (f64::from(repeats) * case.units as f64)
}

/// Time that the processor spends on `repeats` runs of a case.
fn processor_time(case: &mut Case<'_>, repeats: u32) -> Duration {
    let start = thread_time();
    for _ in 0..repeats {
        (case.run)();
    }
    thread_time().saturating_sub(start)
}

/// Time that the processor has spent on this thread.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    // The clock starts at zero with the thread.
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 3.0);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn a_ratio_is_the_median_of_the_ratios_of_the_rounds() {
        let timing = |name: &str, rounds: [f64; 3]| Timing {
            name: name.to_owned(),
            bytes_per_unit: 64.0,
            rounds: rounds.to_vec(),
        };
        // The ratio of the medians would be 1.
        let timings = [timing("ours", [10.0, 20.0, 90.0]), timing("theirs", [20.0, 10.0, 30.0])];
        let ratio = Ratio::of(&timings, "ours", "theirs").unwrap();
        assert_eq!((ratio.median, ratio.least, ratio.most), (2.0, 0.5, 3.0));
        assert_eq!(ratios(&timings, "ours", "theirs"), Some(vec![0.5, 2.0, 3.0]));
        assert_eq!(Ratio::of(&timings, "ours", "nobody's"), None);
    }

    #[test]
    fn no_round_is_lost_among_the_places() {
        for rounds in 0..50 {
            assert_eq!(shares(rounds).sum::<u32>(), rounds);
        }
        assert_eq!(shares(21).collect::<Vec<_>>(), [7, 7, 7]);
    }

    #[test]
    fn rounds_in_other_places_are_more_rounds() {
        let timing = |name: &str, rounds: &[f64]| Timing {
            name: name.to_owned(),
            bytes_per_unit: 1.0,
            rounds: rounds.to_vec(),
        };
        let mut timings = Vec::new();
        add(&mut timings, vec![timing("a", &[1.0, 2.0]), timing("b", &[3.0, 4.0])]);
        add(&mut timings, vec![timing("a", &[5.0]), timing("b", &[6.0])]);
        let rounds: Vec<_> = timings.iter().map(|timing| timing.rounds.clone()).collect();
        assert_eq!(rounds, [vec![1.0, 2.0, 5.0], vec![3.0, 4.0, 6.0]]);
    }

    #[test]
    fn every_round_runs_every_case_in_turn() {
        let order = std::cell::RefCell::new(String::new());
        let case = |name: &'static str| Case {
            name: name.to_owned(),
            units: 1,
            bytes: 8,
            run: Box::new(|| order.borrow_mut().push_str(name)),
        };
        let timings = measure(&mut [case("a"), case("b")], 3, Duration::ZERO);
        // Each was run twice before, to see how long it takes, and in each round once before it was measured.
        assert_eq!(order.take(), "aabbaabbaabbaabb");
        let [a, b] = &timings[..] else {
            panic!("two cases, two timings")
        };
        assert_eq!((a.name.as_str(), a.rounds.len(), b.rounds.len()), ("a", 3, 3));
        assert!(a.least() <= a.median() && a.gigabytes_per_second() > 0.0);
    }

    #[test]
    fn waiting_takes_no_time_and_working_does() {
        let case = |run: fn()| Case {
            name: String::new(),
            units: 1,
            bytes: 1,
            run: Box::new(run),
        };
        let work = || {
            let start = thread_time();
            while thread_time() - start < Duration::from_millis(20) {}
        };
        assert!(processor_time(&mut case(work), 2) >= Duration::from_millis(40));
        let asleep = processor_time(&mut case(|| std::thread::sleep(Duration::from_millis(40))), 1);
        assert!(asleep < Duration::from_millis(40), "{asleep:?}");
    }

    #[test]
    fn a_thread_can_be_kept_on_one_processor() {
        pin(None).unwrap();
        assert_eq!(sched_getaffinity(None).unwrap().count(), 1);
        assert!(pin(Some(CpuSet::MAX_CPU - 1)).is_err());
    }
}
