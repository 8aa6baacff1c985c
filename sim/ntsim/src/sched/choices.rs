//! The one stream of choices.

/// Who makes the choices of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Schedule {
    /// What came first goes first, with turns for everyone.
    #[default]
    FirstCome,
    /// Chosen at random from the seed.
    Random,
    /// The choices of an earlier run; after its end, first come.
    Replay(Vec<usize>),
}

/// One choice that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// What was chosen.
    pub label: &'static str,
    /// Out of how many.
    pub of: usize,
    /// The pick, below `of`.
    pub pick: usize,
}

/// A source of choices.
pub trait Choices {
    /// A number below `n`, which is at least 2. 0 is what first-come order does.
    fn choose(&mut self, n: usize, label: &'static str) -> usize;
}

/// Always what came first.
struct FirstCome;

impl Choices for FirstCome {
    fn choose(&mut self, _n: usize, _label: &'static str) -> usize {
        0
    }
}

/// Random choices that favour the first, by an amount that itself differs from seed to seed: some bugs need many switches, others few.
struct Random {
    state: u64,
    /// Out of 256.
    favour: u64,
}

impl Random {
    fn new(seed: u64) -> Self {
        let mut random = Self {
            state: seed ^ 0x5851_F42D_4C95_7F2D,
            favour: 0,
        };
        random.favour = [0, 64, 128, 192, 224, 248][(random.next() % 6) as usize];
        random
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

impl Choices for Random {
    fn choose(&mut self, n: usize, _label: &'static str) -> usize {
        let bits = self.next();
        if bits & 0xFF < self.favour {
            0
        } else {
            ((bits >> 8) % n as u64) as usize
        }
    }
}

/// The choices of an earlier run.
struct Replay {
    picks: std::vec::IntoIter<usize>,
}

impl Choices for Replay {
    fn choose(&mut self, n: usize, _label: &'static str) -> usize {
        self.picks.next().map_or(0, |pick| pick % n)
    }
}

impl Schedule {
    /// The source that this schedule stands for.
    #[must_use]
    pub fn choices(&self, seed: u64) -> Box<dyn Choices> {
        match self {
            Self::FirstCome => Box::new(FirstCome),
            Self::Random => Box::new(Random::new(seed)),
            Self::Replay(picks) => Box::new(Replay {
                picks: picks.clone().into_iter(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;

    fn draw(schedule: &Schedule, seed: u64) -> Vec<usize> {
        let mut choices = schedule.choices(seed);
        (2..200).map(|n| choices.choose(n, "test")).collect()
    }

    #[test]
    fn random_choices_follow_from_the_seed_and_stay_in_range() {
        for seed in 0..200 {
            let picks = draw(&Schedule::Random, seed);
            assert_eq!(picks, draw(&Schedule::Random, seed));
            assert!(picks.iter().enumerate().all(|(i, pick)| *pick < i + 2));
        }
        assert_ne!(draw(&Schedule::Random, 1), draw(&Schedule::Random, 2));
    }

    #[test]
    fn a_replay_repeats_the_picks_and_then_takes_the_first() {
        let picks = draw(&Schedule::Random, 5);
        assert_eq!(draw(&Schedule::Replay(picks.clone()), 0), picks);
        assert_eq!(draw(&Schedule::Replay(vec![1]), 0)[..3], [1, 0, 0]);
    }
}
