//! A hash over what memory holds that devices, drivers and users share: equal for equal runs.
//!
//! Common buffers and user memory count, at the end of a run those that still exist. Pool does not: drivers and the kernel keep pointers of the host in it.

use super::{
    PAGE,
    host::Run,
    phys::{Physical, Use},
};
use crate::machine::Machine;

const START: u64 = 0xCBF2_9CE4_8422_2325;
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// Adds a word to a hash.
const fn mix(hash: u64, word: u64) -> u64 {
    (hash ^ word).wrapping_mul(STEP).rotate_left(29)
}

impl Machine {
    /// The hash of all common buffers and user memory that exist now.
    #[must_use]
    pub fn memory_hash(&self) -> u64 {
        self.mem.physical.contents_hash()
    }
}

impl Physical {
    /// The hash of all common buffers and user memory, in the order of their frames.
    fn contents_hash(&self) -> u64 {
        let shared = self.extents_of(&[Use::CommonBuffer, Use::User]);
        shared.into_iter().fold(START, |hash, run| self.mix_run(hash, run))
    }

    fn mix_run(&self, hash: u64, run: Run) -> u64 {
        let words = (run.pages as usize) * PAGE / size_of::<u64>();
        let first: *const u64 = self.address(super::Frame(run.frame)).cast();
        (0..words).fold(mix(mix(hash, run.frame), run.pages), |hash, index| {
            // SAFETY: frames in use are mapped in the kernel's view, page-aligned; devices and drivers run on this thread only.
            mix(hash, unsafe { first.wrapping_add(index).read() })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MemoryModel, Use};
    use super::*;

    fn write(memory: &Physical, frame: super::super::Frame, at: usize, value: u8) {
        // SAFETY: inside a frame that the test allocated.
        unsafe { memory.address(frame).wrapping_add(at).write(value) };
    }

    #[test]
    fn every_byte_that_is_shared_counts_and_pool_does_not() {
        let memory = Physical::new(MemoryModel::Flat, 1);
        let empty = memory.contents_hash();
        let pool = memory.allocate(1, Use::Pool).expect("room");
        write(&memory, pool, 7, 1);
        assert_eq!(memory.contents_hash(), empty);
        let mut seen = vec![empty];
        for of in [Use::CommonBuffer, Use::User] {
            let frame = memory.allocate(2, of).expect("room");
            seen.push(memory.contents_hash());
            write(&memory, frame, PAGE + 4095, 1);
            seen.push(memory.contents_hash());
            write(&memory, frame, PAGE + 4095, 0);
            write(&memory, frame, 0, 1);
            seen.push(memory.contents_hash());
        }
        let different: std::collections::BTreeSet<_> = seen.iter().collect();
        assert_eq!(different.len(), seen.len());
    }
}
