//! A queue of slots.

use hawser_core::{SLOTS, SlotId};

/// Slots in the order in which they came. Each slot is in it once at most, so it is never full.
#[derive(Debug)]
pub struct SlotQueue {
    slots: [Option<SlotId>; SLOTS],
    first: usize,
    count: usize,
}

impl SlotQueue {
    /// Without slots.
    pub const fn new() -> Self {
        Self {
            slots: [None; SLOTS],
            first: 0,
            count: 0,
        }
    }

    /// Adds a slot at the end.
    pub fn push(&mut self, slot: SlotId) {
        debug_assert!(self.count < SLOTS);
        let at = (self.first + self.count) % SLOTS;
        if let Some(place) = self.slots.get_mut(at) {
            *place = Some(slot);
            self.count += 1;
        }
    }

    /// Takes the first slot.
    pub fn pop(&mut self) -> Option<SlotId> {
        let slot = self.slots.get_mut(self.first)?.take()?;
        self.first = (self.first + 1) % SLOTS;
        self.count -= 1;
        Some(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hawser_core::SlotTable;

    #[test]
    fn slots_come_out_in_order_lap_after_lap() {
        let mut table = SlotTable::new();
        let slots: [SlotId; SLOTS] = core::array::from_fn(|_| table.allocate().expect("there are that many"));
        let mut queue = SlotQueue::new();
        assert_eq!(queue.pop(), None);
        for lap in 0..3 {
            for slot in slots {
                queue.push(slot);
            }
            for slot in &slots[..20 + lap] {
                assert_eq!(queue.pop(), Some(*slot));
            }
            for slot in &slots[20 + lap..] {
                assert_eq!(queue.pop(), Some(*slot));
            }
            assert_eq!(queue.pop(), None);
        }
    }
}
