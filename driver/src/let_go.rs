//! Letting go: the only module that says that the device has ended its accesses to a request's memory.
//!
//! It says so on two grounds: a completion entry that was checked ([`Ended`]) and names the very run, or proof that the whole device has stopped ([`Stopped`]).

use hawser_core::{Ended, SlotId};
use kmdf::dma::{Authority, Quiesced, Run};

use crate::device::Device;
use crate::job::Dma;
use crate::slots::OwnedJob;
use crate::stop::Stopped;

/// The authority to say that DMA has ended.
#[derive(Debug)]
pub struct LetGo(Authority);

impl LetGo {
    /// Takes the authority that came with the device's DMA enabler.
    pub const fn new(authority: Authority) -> Self {
        Self(authority)
    }
}

/// The run of a slot's command: tag and generation, as the device returns them.
pub const fn run_of(slot: SlotId) -> Run {
    Run((slot.generation() as u64) << 16 | slot.tag() as u64)
}

/// Lets go of a job's memory since the device has completed its command.
pub fn after_completion(device: &Device, job: OwnedJob, ended: &Ended) -> OwnedJob {
    let proof = device.let_go.0.run_ended(run_of(ended.slot));
    release(job, &proof)
}

/// Lets go of a job's memory since the device has stopped.
pub fn after_stop(device: &Device, job: OwnedJob, _stopped: &Stopped) -> OwnedJob {
    let proof = device.let_go.0.device_stopped();
    release(job, &proof)
}

fn release(mut job: OwnedJob, proof: &Quiesced) -> OwnedJob {
    job.dma = match job.take_dma() {
        Dma::Started(started) => match started.release(proof) {
            Ok((idle, request)) => Dma::LetGo(idle, request),
            Err(started) => Dma::Started(started),
        },
        other => other,
    };
    job.work.timeline.let_go = job.age();
    job
}

#[cfg(test)]
mod tests {
    use super::*;
    use hawser_core::SlotTable;

    #[test]
    fn every_use_of_a_slot_is_another_run() {
        let mut table = SlotTable::new();
        let first = table.allocate().expect("free");
        let other = table.allocate().expect("free");
        assert_ne!(run_of(first), run_of(other));
        table.free(first).expect("reserved");
        let again = table.allocate().expect("free");
        assert_eq!(again.tag(), first.tag());
        assert_ne!(run_of(again), run_of(first));
    }
}
