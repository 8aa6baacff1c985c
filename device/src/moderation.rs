//! Interrupt moderation: collects completions of a queue until there are enough or the first has waited long enough.

/// The `MODERATION` register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moderation(u32);

impl Moderation {
    pub(crate) const fn from_register(value: u32) -> Self {
        Self(value)
    }

    pub(crate) const fn register(self) -> u32 {
        self.0
    }

    const fn count(self) -> u32 {
        self.0 & 0xFFFF
    }

    const fn wait_ns(self) -> u64 {
        (self.0 >> 16) as u64 * 1000
    }
}

/// Completions of one queue for which no interrupt has been raised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Collected {
    count: u32,
    since_ns: u64,
}

impl Collected {
    pub(crate) fn add(&mut self, now_ns: u64) {
        if self.count == 0 {
            self.since_ns = now_ns;
        }
        self.count = self.count.saturating_add(1);
    }

    /// When the interrupt is due: `None` without completions, otherwise a time that may have passed.
    pub(crate) fn due_ns(self, moderation: Moderation) -> Option<u64> {
        match self.count {
            0 => None,
            count if count >= moderation.count().max(1) => Some(0),
            _ => Some(self.since_ns.saturating_add(moderation.wait_ns())),
        }
    }

    /// Takes the completions, if the interrupt is due.
    pub(crate) fn take_due(&mut self, moderation: Moderation, now_ns: u64) -> bool {
        let due = self.due_ns(moderation).is_some_and(|due| due <= now_ns);
        if due {
            *self = Self::default();
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_moderation_every_completion_is_due() {
        for register in [0, 1, 1 << 16, 0xFFFF_0001, 0x0000_0008] {
            let mut collected = Collected::default();
            assert!(!collected.take_due(Moderation::from_register(register), 5));
            collected.add(5);
            assert!(
                collected.take_due(Moderation::from_register(register), 5),
                "{register:#x}"
            );
            assert!(!collected.take_due(Moderation::from_register(register), 5));
        }
    }

    #[test]
    fn time_runs_from_the_first_completion() {
        let moderation = Moderation::from_register(10 << 16 | 3);
        let mut collected = Collected::default();
        collected.add(1_000);
        collected.add(9_000);
        assert_eq!(collected.due_ns(moderation), Some(11_000));
        assert!(!collected.take_due(moderation, 10_999));
        assert!(collected.take_due(moderation, 11_000));
    }

    #[test]
    fn enough_completions_are_due_at_once() {
        let moderation = Moderation::from_register(0xFFFF << 16 | 3);
        let mut collected = Collected::default();
        for _ in 0..2 {
            collected.add(7);
            assert!(!collected.take_due(moderation, 7));
        }
        collected.add(7);
        assert!(collected.take_due(moderation, 7));
    }
}
