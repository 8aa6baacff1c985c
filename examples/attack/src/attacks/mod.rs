//! The attacks, by what they are after.

mod aliasing;
mod beyond_the_buffer;
mod fields;
mod header;
mod local_memory;
mod resources;
mod shapes;

use hawser_abi::info::DeviceInfo;

use crate::attack::Attack;

/// Attacks of one kind.
pub struct Chapter {
    /// What they are after.
    pub title: &'static str,
    /// The attacks.
    pub attacks: Vec<Attack>,
}

/// All attacks on a driver that reports these limits.
pub fn chapters(info: &DeviceInfo) -> Vec<Chapter> {
    let chapter = |title, attacks| Chapter { title, attacks };
    vec![
        chapter("beyond the buffer", beyond_the_buffer::attacks()),
        chapter("device-local memory of others", local_memory::attacks(info)),
        chapter("matrices that are larger than they look", shapes::attacks()),
        chapter("results that change their own sources", aliasing::attacks()),
        chapter("a header that lies", header::attacks()),
        chapter("fields that mean nothing", fields::attacks()),
        chapter("more than there is", resources::attacks(info)),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use hawser_abi::reason::Reason;
    use zerocopy::FromZeros;

    use super::*;

    /// Refusals that a program cannot bring about here, with the reason why.
    const OUT_OF_REACH: [(Reason, &str); 3] = [
        (Reason::UnsupportedOpcode, "the device runs every operation"),
        (Reason::UnsupportedSourceType, "the device converts from every type"),
        (Reason::CookieInUse, "it takes two submissions"),
    ];

    #[test]
    fn every_reason_to_refuse_a_program_is_on_the_tour() {
        let info = DeviceInfo {
            max_steps: 10,
            max_data: 1 << 20,
            scratch_size: 1 << 20,
            arena_size: 1 << 16,
            ..DeviceInfo::new_zeroed()
        };
        let attacks = chapters(&info).into_iter().flat_map(|chapter| chapter.attacks);
        let shown: BTreeSet<Reason> = attacks.map(|attack| attack.expected.reason).collect();
        let refusals = Reason::ALL
            .iter()
            .filter(|reason| (1..=0x40).contains(&(**reason as u32)));
        let left_out = OUT_OF_REACH.map(|(reason, _)| reason);
        for reason in refusals {
            assert_ne!(shown.contains(reason), left_out.contains(reason), "{}", reason.name());
        }
    }
}
