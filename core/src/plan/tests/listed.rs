//! Plans of more ranges than are listed together: where the first is chosen, and how much room there is, must not matter.

use std::vec;
use std::vec::Vec;

use hawser_abi::reason::Reason;
use proptest::prelude::*;

use super::laws::{copies_of, laws};
use super::{BOTH, copies, fates, model};
use crate::cuts::MOST_ADDED;
use crate::limits::Limits;
use crate::plan::TOGETHER;
use crate::testing::{READ, WRITTEN, planned, planned_with};

/// Short ranges behind each other, each accessed otherwise than its neighbours, and all of them cheaper to copy.
fn short(count: usize, salt: usize) -> Vec<u8> {
    let range = |number: usize| {
        let length = if number % 8 == salt {
            64
        } else {
            1 + (number + salt) % 3
        };
        let mut range = vec![[READ, BOTH, WRITTEN][number % 3]; length];
        // Some touch, and are copied to where they touch too.
        range.resize(length + usize::from((number * 7 + salt).is_multiple_of(4)), 0);
        range
    };
    (0..count).flat_map(range).collect()
}

/// How many short ranges there are before the next that is long.
fn count() -> impl Strategy<Value = usize> {
    let borders = [TOGETHER, 2 * TOGETHER].map(|border| border - 2..border + 3);
    let [first, second] = borders;
    prop_oneof![1 => Just(0_usize), 2 => 0_usize..40, 3 => first, 1 => second]
}

prop_compose! {
    fn codes()(
        parts in proptest::collection::vec((count(), prop::sample::select(vec![0, READ, WRITTEN, BOTH]), 600_usize..3000), 1..4),
        salt in 0_usize..8
    ) -> Vec<u8> {
        let part = |(count, code, length)| [short(count, salt), vec![0], vec![code; length], vec![0]].concat();
        parts.into_iter().map(part).collect::<Vec<_>>().concat()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_range_may_be_chosen_wherever_it_is_listed(codes in codes(), most in 0_u32..4, registers in prop::sample::select(vec![0, 1, u32::MAX])) {
        let limits = Limits { max_mappings: most, map_registers: registers, ..Limits::default() };
        let planned = planned(&codes, 0, &limits);
        prop_assert_eq!(fates(&planned, codes.len()), model(&codes, 0, &limits));
        prop_assert_eq!(laws(&codes, &planned.pieces, copies_of(&planned)), Ok(()));
        for pair in copies(&planned).windows(2) {
            let ((data, block, length), (next_data, next_block, _)) = (pair[0], pair[1]);
            prop_assert!(data + length != next_data || block + length == next_block, "what touches is copied to where it touches");
        }
    }

    #[test]
    fn a_plan_needs_as_much_room_as_it_says(codes in codes(), most in 0_u32..4) {
        let limits = Limits { max_mappings: most, ..Limits::default() };
        let copied = Limits { max_mappings: 0, ..limits };
        let needed = planned(&codes, 0, &copied).pieces.len() + MOST_ADDED;
        let exact = planned_with(&codes, 0, &limits, needed);
        prop_assert_eq!(fates(&exact, codes.len()), model(&codes, 0, &limits));
        for less in [0, MOST_ADDED - 1, MOST_ADDED, needed - TOGETHER.min(needed), needed - 1] {
            if less < needed {
                let refusal = planned_with(&codes, 0, &limits, less).plan.expect_err("there is too little room");
                prop_assert_eq!((refusal.reason, refusal.length, refusal.limit), (Reason::ArenaTooSmall, needed as u64, less as u64));
            }
        }
    }
}
