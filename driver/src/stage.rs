//! Who is in the map stage, who waits for it, and who holds map registers after having been in it.
//!
//! The stage serves one request at a time, which is the only one that gains mappings. It waits for map registers only while it holds none, and only for requests
//! that will give theirs back: those that have left the stage and hold mappings, the *holders*. Where there are no holders, nothing of this driver's is in its way.

use hawser_core::SlotId;
use kmdf::{NewDevice, Result, SpinLock};

use crate::device::Device;
use crate::slots::OwnedJob;
use crate::tags::SlotQueue;

/// The map stage.
#[derive(Debug)]
pub struct MapStage(SpinLock<Gate>);

/// A count of the releases so far: it tells whether map registers may have become free since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Releases(u32);

/// What a job does that found too few map registers, and gave up those it had.
#[derive(Debug)]
pub enum Shortage {
    /// It tries again: some have become free meanwhile.
    TryAgain(OwnedJob),
    /// It waits, parked, until a holder releases.
    Wait,
    /// It ends: nobody will release any.
    GiveUp(OwnedJob),
}

impl MapStage {
    /// An empty stage.
    pub fn new(device: &NewDevice<'_>) -> Result<Self> {
        Ok(Self(device.spin_lock(Gate::new())?))
    }

    /// Lets a job in, or parks it until it is its turn.
    pub fn admit(&self, device: &Device, job: OwnedJob) -> Option<OwnedJob> {
        let slot = job.slot?;
        let mut gate = self.0.lock();
        match gate.admit(slot) {
            Admission::Inside => Some(job),
            Admission::Outside => {
                device.slots.park(job);
                None
            }
        }
    }

    /// The job inside has left; gives the next one.
    pub fn leave(&self, device: &Device) -> Option<OwnedJob> {
        let mut gate = self.0.lock();
        device.slots.take(gate.leave()?)
    }

    /// The releases so far, and whether there are holders: to be asked before a part is mapped.
    pub fn holders(&self) -> (Releases, Holders) {
        let gate = self.0.lock();
        (Releases(gate.releases), gate.are_there_holders())
    }

    /// A job is about to leave with mappings.
    pub fn hold(&self) {
        self.0.lock().hold();
    }

    /// A holder has released its mappings. Gives the job inside where it waits for that.
    pub fn release(&self, device: &Device) -> Option<OwnedJob> {
        let mut gate = self.0.lock();
        gate.release();
        device.slots.take(gate.unblock()?)
    }

    /// The job inside found too few map registers and holds none any more. `before` was taken before its attempt.
    pub fn short(&self, device: &Device, job: OwnedJob, before: Releases) -> Shortage {
        let mut gate = self.0.lock();
        match gate.short(before) {
            Verdict::TryAgain => Shortage::TryAgain(job),
            Verdict::GiveUp => Shortage::GiveUp(job),
            Verdict::Wait => {
                device.slots.park(job);
                Shortage::Wait
            }
        }
    }

    /// Gives the job inside where it waits for a release, to look whether there is still reason to.
    pub fn take_blocked(&self, device: &Device) -> Option<OwnedJob> {
        let mut gate = self.0.lock();
        device.slots.take(gate.unblock()?)
    }
}

/// Whether any request holds mappings that it will give back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holders {
    /// None does.
    None,
    /// Some do.
    Some,
}

#[derive(Debug)]
struct Gate {
    inside: Option<SlotId>,
    outside: SlotQueue,
    holders: u32,
    releases: u32,
    /// The job inside is parked until a holder releases.
    blocked: bool,
}

/// Whether a job may go in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Admission {
    Inside,
    Outside,
}

/// What a job does that found too few map registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    TryAgain,
    Wait,
    GiveUp,
}

impl Gate {
    const fn new() -> Self {
        Self {
            inside: None,
            outside: SlotQueue::new(),
            holders: 0,
            releases: 0,
            blocked: false,
        }
    }

    fn admit(&mut self, slot: SlotId) -> Admission {
        if self.inside.is_some() {
            self.outside.push(slot);
            return Admission::Outside;
        }
        self.inside = Some(slot);
        Admission::Inside
    }

    fn leave(&mut self) -> Option<SlotId> {
        self.inside = self.outside.pop();
        self.inside
    }

    const fn are_there_holders(&self) -> Holders {
        if self.holders == 0 {
            Holders::None
        } else {
            Holders::Some
        }
    }

    fn hold(&mut self) {
        self.holders = self.holders.saturating_add(1);
    }

    fn release(&mut self) {
        debug_assert!(self.holders > 0, "a holder releases once");
        self.holders = self.holders.saturating_sub(1);
        self.releases = self.releases.wrapping_add(1);
    }

    fn short(&mut self, before: Releases) -> Verdict {
        if before != Releases(self.releases) {
            return Verdict::TryAgain;
        }
        if self.holders == 0 {
            return Verdict::GiveUp;
        }
        self.blocked = true;
        Verdict::Wait
    }

    fn unblock(&mut self) -> Option<SlotId> {
        core::mem::take(&mut self.blocked).then_some(self.inside)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hawser_core::SlotTable;

    fn slots<const N: usize>() -> [SlotId; N] {
        let mut table = SlotTable::new();
        core::array::from_fn(|_| table.allocate().expect("free"))
    }

    #[test]
    fn one_job_at_a_time_in_the_order_of_arrival() {
        let [a, b, c] = slots();
        let mut gate = Gate::new();
        assert_eq!(gate.admit(a), Admission::Inside);
        assert_eq!(gate.admit(b), Admission::Outside);
        assert_eq!(gate.admit(c), Admission::Outside);
        assert_eq!(gate.leave(), Some(b));
        assert_eq!(gate.admit(a), Admission::Outside, "the stage is not free in between");
        assert_eq!(gate.leave(), Some(c));
        assert_eq!(gate.leave(), Some(a));
        assert_eq!(gate.leave(), None);
        assert_eq!(gate.admit(b), Admission::Inside);
    }

    #[test]
    fn nobody_waits_for_registers_that_nobody_will_release() {
        let [a] = slots();
        let mut gate = Gate::new();
        assert_eq!(gate.admit(a), Admission::Inside);
        assert_eq!(gate.short(Releases(0)), Verdict::GiveUp);
        assert_eq!(gate.unblock(), None);
    }

    #[test]
    fn who_waits_goes_on_at_each_release_and_gives_up_after_the_last() {
        let [a] = slots();
        let mut gate = Gate::new();
        gate.hold();
        gate.hold();
        assert_eq!(gate.admit(a), Admission::Inside);
        let mut before = Releases(gate.releases);
        for _ in 0..2 {
            assert_eq!(gate.short(before), Verdict::Wait);
            gate.release();
            assert_eq!(gate.unblock(), Some(a));
            assert_eq!(gate.unblock(), None, "one of them goes on");
            before = Releases(gate.releases);
        }
        assert_eq!(gate.short(before), Verdict::GiveUp);
    }

    #[test]
    fn a_release_during_the_attempt_is_not_lost() {
        let [a] = slots();
        let mut gate = Gate::new();
        gate.hold();
        assert_eq!(gate.admit(a), Admission::Inside);
        let before = Releases(gate.releases);
        gate.release();
        assert_eq!(gate.unblock(), None, "it does not wait yet");
        assert_eq!(gate.short(before), Verdict::TryAgain);
    }
}
