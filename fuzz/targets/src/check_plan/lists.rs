//! Made-up scatter-gather lists.

use hawser_core_model::{HOLE, Part, Segment};

use super::case::{Control, flags};
use crate::choice::mix;

const PAGE: u64 = 4096;

/// The elements of a mapping: one for each page, or for each run of pages that continue each other. One of them may be wrong.
pub(super) fn elements(part: &Part, page_offset: u64, control: &Control) -> Vec<Segment> {
    let scattered = control.flags & flags::SCATTERED != 0;
    let mut list: Vec<Segment> = Vec::new();
    let mut at = part.start;
    while at < part.end {
        let memory = page_offset + at;
        let end = part.end.min((memory / PAGE + 1) * PAGE - page_offset);
        let random = mix((u64::from(control.seed) << 32) | (memory / PAGE));
        let continued = list.last_mut().filter(|_| !scattered && !random.is_multiple_of(4));
        match continued {
            Some(last) => last.1 += end - at,
            // Page frames below 2 to the power of 20, which every device reaches.
            None => list.push(((random >> 40 & 0xF_FFFF) * PAGE + memory % PAGE, end - at)),
        }
        at = end;
    }
    if control.flags & flags::WRONG_ELEMENT != 0 {
        spoil(&mut list, mix(control.seed.into()));
    }
    list
}

fn spoil(list: &mut Vec<Segment>, random: u64) {
    let index = (random >> 8) as usize % list.len();
    let element = &mut list[index];
    match random % 8 {
        0 => element.1 = 0,
        1 => element.1 += 1,
        2 => element.1 -= 1,
        3 => element.1 = u64::from(u32::MAX) - random % 3,
        4 => element.0 = HOLE - random % 2 * (element.1 - 1),
        5 => element.0 |= random << 32,
        6 => list.truncate(index),
        // Two elements for one page, which may be one segment too many.
        _ => {
            let (address, length) = *element;
            *element = (address, length / 2);
            list.insert(index + 1, (address.wrapping_add(PAGE * 7), length - length / 2));
        }
    }
}
