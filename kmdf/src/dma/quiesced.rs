//! Proof that a device has ended its accesses to memory.
//!
//! Only an [`Authority`] makes [`Quiesced`] tokens. One comes out of each [`DmaEnabler`](super::DmaEnabler), it cannot be copied, and tokens cannot be made in any
//! other way. So a driver that keeps its authority private to one module has all of its claims "the device has let go" in that module, and can be read there.

use wdk_sys::WDFDMAENABLER;

/// Names a DMA enabler, among those that are alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EnablerId(usize);

impl EnablerId {
    /// The name of the enabler with this handle.
    pub(super) fn of(handle: WDFDMAENABLER) -> Self {
        Self(handle.addr())
    }
}

/// Names one run of a program on the device: what was given to [`Mapped::start`](super::Mapped::start).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run(pub u64);

/// What a token speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    One(Run),
    All,
}

/// A device does not access the memory of a run, or any memory, any more.
///
/// It speaks of the device whose enabler the authority came out of, and proves nothing about another one.
///
/// It cannot be made up, and neither can the authority that makes it:
///
/// ```compile_fail,E0423
/// let make_up = kmdf::dma::Quiesced;
/// ```
///
/// ```compile_fail,E0423
/// let authority = kmdf::dma::Authority(());
/// ```
///
/// ```compile_fail,E0277
/// fn copies<T: Clone>(_: &T) {}
/// fn two(authority: &kmdf::dma::Authority) {
///     copies(authority);
/// }
/// ```
#[derive(Debug)]
pub struct Quiesced(EnablerId, Scope);

impl Quiesced {
    /// The token speaks of this run of the device with this enabler.
    pub(super) fn covers(&self, enabler: EnablerId, run: Run) -> bool {
        let in_scope = match self.1 {
            Scope::One(one) => one == run,
            Scope::All => true,
        };
        in_scope && self.0 == enabler
    }
}

/// The right to say that a device has ended its accesses to memory. Whoever has it answers for what it says.
#[derive(Debug)]
pub struct Authority(EnablerId);

impl Authority {
    pub(super) const fn new(enabler: EnablerId) -> Self {
        Self(enabler)
    }

    const fn token(&self, scope: Scope) -> Quiesced {
        Quiesced(self.0, scope)
    }

    /// The device has said that this run is over, and what it said has been checked.
    pub const fn run_ended(&self, run: Run) -> Quiesced {
        self.token(Scope::One(run))
    }

    /// The device cannot access memory at all: it was reset, its bus mastering is off, or it is gone. Holds for what was started before.
    pub const fn device_stopped(&self) -> Quiesced {
        self.token(Scope::All)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_one_run_does_not_speak_of_another() {
        let enabler = EnablerId(1);
        let authority = Authority::new(enabler);
        let ended = authority.run_ended(Run(7));
        assert!(ended.covers(enabler, Run(7)) && !ended.covers(enabler, Run(8)));
        assert!(authority.device_stopped().covers(enabler, Run(8)));
    }

    #[test]
    fn a_token_of_one_device_does_not_speak_of_another() {
        let authority = Authority::new(EnablerId(1));
        let other = EnablerId(2);
        assert!(!authority.run_ended(Run(7)).covers(other, Run(7)));
        assert!(!authority.device_stopped().covers(other, Run(7)));
    }
}
