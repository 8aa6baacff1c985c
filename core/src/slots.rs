//! The fixed set of requests that can be on the device at once.
//!
//! A command carries the tag of its slot and a generation that changes with every use of the slot, so that a completion of an earlier
//! use, however late, is told from the one that is awaited.

use zerocopy::FromZeros;

/// Number of slots.
pub const SLOTS: usize = 32;

/// One use of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId {
    tag: u16,
    generation: u32,
}

impl SlotId {
    /// Number of the slot, below [`SLOTS`]; the tag of its commands.
    pub const fn tag(self) -> u16 {
        self.tag
    }

    /// The generation of its commands; never 0.
    pub const fn generation(self) -> u32 {
        self.generation
    }

    /// Number of the slot, as an index.
    pub const fn index(self) -> usize {
        self.tag as usize
    }
}

/// What a slot's command is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromZeros)]
pub struct OnQueue {
    /// The queue that it was written to.
    pub queue: u16,
    /// Number of its steps.
    pub steps: u32,
}

/// The slot is in another use by now, or in another state than the call needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaleSlot;

#[derive(Clone, Copy, Debug, FromZeros)]
struct Slot {
    /// Generation of the last use.
    generation: u32,
    command: OnQueue,
}

/// The slots. A slot is free, then reserved, then started, then reserved again until it is free. Zeroed memory is a table of free slots.
#[derive(Debug, FromZeros)]
pub struct SlotTable {
    /// Bit `n`: slot `n` is reserved or started.
    taken: u32,
    /// Bit `n`: slot `n` has a command that may be on the device.
    started: u32,
    slots: [Slot; SLOTS],
}

const _: () = assert!(SLOTS == u32::BITS as usize);

/// The bit of a slot; no bit for a number that is no slot's.
fn bit(tag: u16) -> u32 {
    1_u32.checked_shl(tag.into()).unwrap_or(0)
}

impl Default for SlotTable {
    fn default() -> Self {
        Self::new()
    }
}

impl SlotTable {
    /// A table of free slots.
    pub const fn new() -> Self {
        let unused = Slot {
            generation: 0,
            command: OnQueue { queue: 0, steps: 0 },
        };
        Self {
            taken: 0,
            started: 0,
            slots: [unused; SLOTS],
        }
    }

    /// Reserves a free slot under a new generation.
    pub fn allocate(&mut self) -> Option<SlotId> {
        let tag = u16::try_from(self.taken.trailing_ones()).ok()?;
        let slot = self.slots.get_mut(usize::from(tag))?;
        // 4 billion uses pass before a generation comes back.
        slot.generation = slot.generation.wrapping_add(1).max(1);
        self.taken |= bit(tag);
        Some(SlotId {
            tag,
            generation: slot.generation,
        })
    }

    /// Notes that the command of a reserved slot is about to reach the device.
    pub fn start(&mut self, slot: SlotId, command: OnQueue) -> Result<(), StaleSlot> {
        let state = self.reserved(slot)?;
        state.command = command;
        self.started |= bit(slot.tag);
        Ok(())
    }

    /// Notes that the command of a started slot is no longer on the device: it completed, or the device was stopped.
    pub fn end(&mut self, slot: SlotId) -> Result<(), StaleSlot> {
        self.command_of(slot).ok_or(StaleSlot)?;
        self.started &= !bit(slot.tag);
        Ok(())
    }

    /// Frees a reserved slot.
    pub fn free(&mut self, slot: SlotId) -> Result<(), StaleSlot> {
        self.reserved(slot)?;
        self.taken &= !bit(slot.tag);
        Ok(())
    }

    /// Number of slots that are not free.
    pub const fn in_use(&self) -> u32 {
        self.taken.count_ones()
    }

    /// The command of a started slot.
    pub fn command_of(&self, slot: SlotId) -> Option<OnQueue> {
        self.started_slot(slot.tag)
            .filter(|(id, _)| *id == slot)
            .map(|(_, command)| command)
    }

    /// All started slots.
    pub fn started(&self) -> impl Iterator<Item = SlotId> {
        (0..SLOTS as u16)
            .filter_map(|tag| self.started_slot(tag))
            .map(|(id, _)| id)
    }

    /// Whether there is a slot with this tag and whether it was used under this generation last; for tags from the device.
    pub(crate) fn last_use(&self, tag: u16) -> Option<SlotId> {
        self.slots.get(usize::from(tag)).map(|slot| SlotId {
            tag,
            generation: slot.generation,
        })
    }

    fn started_slot(&self, tag: u16) -> Option<(SlotId, OnQueue)> {
        let slot = self
            .slots
            .get(usize::from(tag))
            .filter(|_| self.started & bit(tag) != 0)?;
        Some((
            SlotId {
                tag,
                generation: slot.generation,
            },
            slot.command,
        ))
    }

    /// The slot, if this is its use and it is reserved and not started.
    fn reserved(&mut self, slot: SlotId) -> Result<&mut Slot, StaleSlot> {
        let is_reserved = self.taken & !self.started & bit(slot.tag) != 0;
        let state = self
            .slots
            .get_mut(slot.index())
            .filter(|state| state.generation == slot.generation);
        state.filter(|_| is_reserved).ok_or(StaleSlot)
    }

    #[cfg(test)]
    pub(crate) fn with_generation(generation: u32) -> Self {
        let slot = Slot {
            generation,
            command: OnQueue::default(),
        };
        Self {
            slots: [slot; SLOTS],
            ..Self::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, HashSet};

    const COMMAND: OnQueue = OnQueue { queue: 1, steps: 7 };

    #[test]
    fn a_slot_goes_through_its_states_in_order() {
        let mut table = SlotTable::new();
        let slot = table.allocate().expect("all slots are free");
        assert_eq!(table.end(slot), Err(StaleSlot), "not started");
        assert_eq!(table.start(slot, COMMAND), Ok(()));
        assert_eq!(table.start(slot, COMMAND), Err(StaleSlot), "started already");
        assert_eq!(table.free(slot), Err(StaleSlot), "still on the device");
        assert_eq!(table.command_of(slot), Some(COMMAND));
        assert_eq!(table.end(slot), Ok(()));
        assert_eq!(table.end(slot), Err(StaleSlot), "ended already");
        assert_eq!(table.command_of(slot), None);
        assert_eq!(table.free(slot), Ok(()));
        assert_eq!(table.free(slot), Err(StaleSlot), "free already");
        let again = table.allocate().expect("all slots are free");
        assert_eq!(again.tag(), slot.tag());
        assert_ne!(again.generation(), slot.generation());
        assert_eq!(table.start(slot, COMMAND), Err(StaleSlot), "an earlier use");
        assert_eq!(table.free(slot), Err(StaleSlot), "an earlier use");
    }

    #[test]
    fn generations_skip_zero() {
        let mut table = SlotTable::with_generation(u32::MAX);
        assert_eq!(table.allocate().map(SlotId::generation), Some(1));
    }

    #[test]
    fn there_are_as_many_slots_as_promised() {
        let mut table = SlotTable::new();
        let tags: HashSet<_> = std::iter::from_fn(|| table.allocate()).map(SlotId::tag).collect();
        assert_eq!(tags.len(), SLOTS);
        assert_eq!(table.in_use(), SLOTS as u32);
    }

    proptest! {
        #[test]
        fn a_table_agrees_with_a_map(
            operations in proptest::collection::vec((0_u8..4, any::<prop::sample::Index>()), 0..300)
        ) {
            let mut table = SlotTable::new();
            let mut model: BTreeMap<SlotId, bool> = BTreeMap::new();
            let mut ever = HashSet::new();
            for (operation, index) in operations {
                let known = (!model.is_empty()).then(|| *model.iter().nth(index.index(model.len())).expect("in range").0);
                match (operation, known) {
                    (0, _) => {
                        let slot = table.allocate();
                        prop_assert_eq!(slot.is_some(), model.len() < SLOTS);
                        if let Some(slot) = slot {
                            prop_assert!(ever.insert(slot), "{:?} came twice", slot);
                            model.insert(slot, false);
                        }
                    }
                    (1, Some(slot)) => {
                        prop_assert_eq!(table.start(slot, COMMAND).is_ok(), !model[&slot]);
                        model.insert(slot, true);
                    }
                    (2, Some(slot)) => {
                        prop_assert_eq!(table.end(slot).is_ok(), model[&slot]);
                        model.insert(slot, false);
                    }
                    (_, Some(slot)) => {
                        prop_assert_eq!(table.free(slot).is_ok(), !model[&slot]);
                        if !model[&slot] {
                            model.remove(&slot);
                        }
                    }
                    (_, None) => {}
                }
                prop_assert_eq!(table.in_use() as usize, model.len());
                let started: HashSet<_> = table.started().collect();
                prop_assert_eq!(started, model.iter().filter(|(_, on)| **on).map(|(slot, _)| *slot).collect());
            }
        }
    }
}
