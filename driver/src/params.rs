//! What an administrator can set in the service's `Parameters` key.
//!
//! | value (REG_DWORD) | meaning | range | default |
//! |---|---|---|---|
//! | `MaxSteps` | most steps of a program | 1 to 65,536 | 65,536 |
//! | `MaxDataKiB` | most KiB of a data buffer | 1 to 1,048,576 | 1,048,576 |
//! | `ArenaKiB` | KiB of the arena for copies, tables and translated programs | 64 to 1,048,576 | 65,536 |
//! | `Queues` | queue pairs | 1 to 4 | 1 |
//! | `TimeoutMs` | time of a program that does not ask for one | 1 to 60,000 | 10,000 |
//! | `ModerationCount` | completions to collect before an interrupt | 0 to 1,024 | 0: none |
//! | `ModerationUs` | microseconds that an interrupt may wait | 0 to 10,000 | 0 |
//!
//! A value outside its range counts as the nearest one inside.

use hawser_abi::{pci, program};
use kmdf::{Name, Parameters, name};

/// A setting: a REG_DWORD value of the `Parameters` key. The INF writes the defaults.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Name of the value.
    pub name: &'static str,
    /// The least that counts.
    pub least: u32,
    /// The most that counts.
    pub most: u32,
    /// What an absent value means.
    pub default: u32,
    key: Name,
}

impl Setting {
    fn within(self, value: Option<u32>) -> u32 {
        value.unwrap_or(self.default).clamp(self.least, self.most)
    }
}

macro_rules! settings {
    ($($constant:ident: $name:literal, $least:expr, $most:expr, $default:expr;)+) => {
        $(const $constant: Setting = Setting {
            name: $name,
            least: $least,
            most: $most,
            default: $default,
            key: name!($name),
        };)+

        /// All settings.
        pub const SETTINGS: &[Setting] = &[$($constant),+];
    };
}

settings! {
    MAX_STEPS: "MaxSteps", 1, program::MAX_STEPS, program::MAX_STEPS;
    MAX_DATA_KIB: "MaxDataKiB", 1, (program::MAX_DATA / KIB as u64) as u32, (program::MAX_DATA / KIB as u64) as u32;
    ARENA_KIB: "ArenaKiB", (SMALLEST_ARENA / KIB) as u32, 1 << 20, 64 << 10;
    QUEUES: "Queues", 1, pci::MAX_QUEUES as u32, 1;
    TIMEOUT_MS: "TimeoutMs", 1, LONGEST_TIMEOUT_MS, 10_000;
    MODERATION_COUNT: "ModerationCount", 0, 1024, 0;
    MODERATION_US: "ModerationUs", 0, 10_000, 0;
}

/// The settings, within their ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// Most steps of a program.
    pub max_steps: u32,
    /// Most bytes of a data buffer.
    pub max_data: u64,
    /// Bytes of the arena that are asked for.
    pub arena: usize,
    /// Queue pairs that are asked for.
    pub queues: u16,
    /// Milliseconds of a program that does not ask for a time.
    pub timeout_ms: u32,
    /// Completions to collect before an interrupt.
    pub moderation_count: u16,
    /// Microseconds that an interrupt may wait.
    pub moderation_us: u16,
}

/// The longest time that a program can ask for, in milliseconds: the system gives a device two minutes to leave D0, and programs on the device are waited for.
pub const LONGEST_TIMEOUT_MS: u32 = 60_000;
/// The smallest arena that the driver starts with, in bytes.
pub const SMALLEST_ARENA: usize = 64 * KIB;

const KIB: usize = 1024;

impl Params {
    /// The settings that `key` holds; defaults where it cannot be opened.
    pub fn read(key: kmdf::Result<Parameters>) -> Self {
        let key = key.ok();
        Self::from_values(|name| key.as_ref().and_then(|key| key.number(name)))
    }

    fn from_values(value: impl Fn(Name) -> Option<u32>) -> Self {
        let setting = |setting: Setting| setting.within(value(setting.key));
        Self {
            max_steps: setting(MAX_STEPS),
            max_data: u64::from(setting(MAX_DATA_KIB)) * KIB as u64,
            arena: setting(ARENA_KIB) as usize * KIB,
            queues: setting(QUEUES) as u16,
            timeout_ms: setting(TIMEOUT_MS),
            moderation_count: setting(MODERATION_COUNT) as u16,
            moderation_us: setting(MODERATION_US) as u16,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_the_contract_s_limits() {
        let params = Params::from_values(|_| None);
        assert_eq!(
            (params.max_steps, params.max_data),
            (program::MAX_STEPS, program::MAX_DATA)
        );
        assert_eq!((params.arena, params.queues, params.timeout_ms), (64 << 20, 1, 10_000));
        assert_eq!((params.moderation_count, params.moderation_us), (0, 0));
    }

    #[test]
    fn values_are_brought_into_their_ranges() {
        let low = Params::from_values(|_| Some(0));
        assert_eq!(
            (low.max_steps, low.max_data, low.arena, low.queues, low.timeout_ms),
            (1, 1024, SMALLEST_ARENA, 1, 1)
        );
        let high = Params::from_values(|_| Some(u32::MAX));
        assert_eq!(
            (high.max_steps, high.max_data, high.arena),
            (program::MAX_STEPS, program::MAX_DATA, 1 << 30)
        );
        assert_eq!(
            (high.queues, high.timeout_ms, high.moderation_count),
            (4, LONGEST_TIMEOUT_MS, 1024)
        );
    }
}
