//! Arithmetic of submission and completion rings, as in NVMe.
//!
//! Rings are used one entry short, so that full and empty differ. Nothing here touches a ring's memory: the caller writes and reads entries
//! and doorbells.

use hawser_abi::queue::{MAX_ENTRIES, MIN_ENTRIES, PHASE};

/// A submission head that the device cannot have reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadHead;

/// Whether a ring may have this many entries: a power of two within the limits of the contract.
const fn is_ring_size(entries: u32) -> bool {
    entries.is_power_of_two() && entries >= MIN_ENTRIES && entries <= MAX_ENTRIES
}

/// The producer's side of a submission ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SubmissionRing {
    /// Entries less one: a mask, as their number is a power of two.
    mask: u32,
    head: u32,
    tail: u32,
}

impl SubmissionRing {
    /// An empty ring; none if a ring cannot have this many entries.
    pub const fn new(entries: u32) -> Option<Self> {
        if is_ring_size(entries) {
            Some(Self {
                mask: entries.wrapping_sub(1),
                head: 0,
                tail: 0,
            })
        } else {
            None
        }
    }

    /// Empties the ring: the device's queue was disabled.
    pub const fn reset(&mut self) {
        (self.head, self.tail) = (0, 0);
    }

    /// Number of entries.
    pub const fn entries(&self) -> u32 {
        self.mask.saturating_add(1)
    }

    /// Entries that the device may not have fetched.
    pub const fn outstanding(&self) -> u32 {
        self.tail.wrapping_sub(self.head) & self.mask
    }

    /// Entries that can be pushed.
    pub const fn free(&self) -> u32 {
        self.mask.saturating_sub(self.outstanding())
    }

    /// Takes the next entry, whose index is returned for the caller to write; none if the ring is full.
    pub fn push(&mut self) -> Option<u32> {
        let index = (self.free() > 0).then_some(self.tail)?;
        self.tail = index.wrapping_add(1) & self.mask;
        Some(index)
    }

    /// The value for the tail doorbell.
    pub const fn tail(&self) -> u32 {
        self.tail
    }

    /// Whether the device can have fetched up to `head`.
    pub const fn head_is_plausible(&self, head: u32) -> bool {
        head <= self.mask && (head.wrapping_sub(self.head) & self.mask) <= self.outstanding()
    }

    /// Frees the entries before `head`, which the device says it has fetched.
    pub const fn retire(&mut self, head: u32) -> Result<(), BadHead> {
        if !self.head_is_plausible(head) {
            return Err(BadHead);
        }
        self.head = head;
        Ok(())
    }
}

/// The consumer's side of a completion ring, whose memory is zero when the queue is enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompletionRing {
    mask: u32,
    head: u32,
    phase: u16,
}

impl CompletionRing {
    /// A ring in its first lap, whose entries have phase 1; none if a ring cannot have this many entries.
    pub const fn new(entries: u32) -> Option<Self> {
        if is_ring_size(entries) {
            Some(Self {
                mask: entries.wrapping_sub(1),
                head: 0,
                phase: PHASE,
            })
        } else {
            None
        }
    }

    /// Starts the first lap again: the device's queue was disabled and the ring's memory zeroed.
    pub const fn reset(&mut self) {
        (self.head, self.phase) = (0, PHASE);
    }

    /// Number of entries; more than that are never found at once.
    pub const fn entries(&self) -> u32 {
        self.mask.saturating_add(1)
    }

    /// Index of the entry to read next; also the value for the head doorbell.
    pub const fn head(&self) -> u32 {
        self.head
    }

    /// The phase bit that this entry has once the device has written it.
    pub const fn expected_phase(&self) -> u16 {
        self.phase
    }

    /// Goes on to the next entry.
    pub const fn advance(&mut self) {
        self.head = self.head.wrapping_add(1) & self.mask;
        if self.head == 0 {
            self.phase ^= PHASE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;
    use std::vec;

    #[test]
    fn only_sizes_of_the_contract_are_taken() {
        for entries in [0, 1, 3, 6, 1023, 2048, u32::MAX] {
            assert_eq!(
                (SubmissionRing::new(entries), CompletionRing::new(entries)),
                (None, None),
                "{entries}"
            );
        }
        for entries in [2, 64, 1024] {
            assert_eq!(
                SubmissionRing::new(entries).map(|ring| (ring.entries(), ring.free())),
                Some((entries, entries - 1))
            );
            assert_eq!(CompletionRing::new(entries).map(|ring| ring.entries()), Some(entries));
        }
    }

    #[test]
    fn a_head_beyond_the_tail_is_refused() {
        let mut ring = SubmissionRing::new(8).expect("a valid size");
        for _ in 0..3 {
            ring.push();
        }
        assert_eq!(ring.retire(2), Ok(()));
        for head in [1, 4, 7, 8, 10, 11, u32::MAX] {
            assert_eq!(ring.retire(head), Err(BadHead), "{head}");
        }
        assert_eq!((ring.retire(2), ring.retire(3)), (Ok(()), Ok(())));
        ring.reset();
        assert_eq!((ring.tail(), ring.outstanding()), (0, 0));
    }

    proptest! {
        /// The model is a queue of the numbers of commands; the ring memory says which command an entry holds.
        #[test]
        fn a_submission_ring_is_a_bounded_queue(power in 1_u32..6, moves in proptest::collection::vec(0_u32..12, 0..200)) {
            let entries = 1 << power;
            let mut ring = SubmissionRing::new(entries).expect("a valid size");
            let mut memory = vec![None; entries as usize];
            let (mut model, mut device_head, mut next) = (VecDeque::new(), 0, 0_u32);
            for step in moves {
                if step < 6 {
                    let index = ring.push();
                    prop_assert_eq!(index.is_some(), model.len() < entries as usize - 1);
                    if let Some(index) = index {
                        memory[index as usize] = Some(next);
                        model.push_back(next);
                        next += 1;
                    }
                } else {
                    for _ in 0..(step - 5).min(model.len() as u32) {
                        prop_assert_eq!(memory[device_head as usize].take(), model.pop_front());
                        device_head = (device_head + 1) % entries;
                    }
                    prop_assert_eq!(ring.retire(device_head), Ok(()));
                }
                prop_assert_eq!(ring.outstanding() as usize, model.len());
                prop_assert_eq!(ring.free() + ring.outstanding(), entries - 1);
                prop_assert_eq!(ring.tail(), (device_head + ring.outstanding()) % entries);
            }
        }

        /// The model is a device that writes its phase bit and flips it on every lap.
        #[test]
        fn a_completion_ring_finds_each_entry_once(power in 1_u32..5, bursts in proptest::collection::vec(1_u32..9, 0..60)) {
            let entries = 1 << power;
            let mut ring = CompletionRing::new(entries).expect("a valid size");
            let mut memory = vec![(0_u16, 0_u32); entries as usize];
            let (mut written, mut read) = (0_u32, 0_u32);
            for burst in bursts {
                for _ in 0..burst.min(entries - 1) {
                    let lap = written / entries;
                    memory[(written % entries) as usize] = (PHASE & !(lap as u16), written);
                    written += 1;
                }
                loop {
                    let (phase, number) = memory[ring.head() as usize];
                    if phase != ring.expected_phase() {
                        break;
                    }
                    prop_assert_eq!(number, read);
                    read += 1;
                    ring.advance();
                }
                prop_assert_eq!(read, written);
            }
        }
    }
}
