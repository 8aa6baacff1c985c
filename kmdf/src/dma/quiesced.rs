//! Proof that a device has ended its accesses to memory.
//!
//! Only an [`Authority`] makes [`Quiesced`] tokens. One comes out of each [`DmaEnabler`](super::DmaEnabler), it cannot be copied, and tokens cannot be made in any
//! other way. So a driver that keeps its authority private to one module has all of its claims "the device has let go" in that module, and can be read there.

/// Names one run of a program on the device: what was given to [`Mapped::start`](super::Mapped::start).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run(pub u64);

/// What a token speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    One(Run),
    All,
}

/// The device does not access the memory of a run, or any memory, any more.
///
/// It cannot be made up, and neither can the authority that makes it:
///
/// ```compile_fail,E0423
/// let proof = kmdf::dma::Quiesced(());
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
pub struct Quiesced(Scope);

impl Quiesced {
    /// The token speaks of this run.
    pub(super) fn covers(&self, run: Run) -> bool {
        match self.0 {
            Scope::One(one) => one == run,
            Scope::All => true,
        }
    }
}

/// The right to say that a device has ended its accesses to memory. Whoever has it answers for what it says.
#[derive(Debug)]
pub struct Authority(());

impl Authority {
    pub(super) const fn new() -> Self {
        Self(())
    }

    /// The device has said that this run is over, and what it said has been checked.
    pub const fn run_ended(&self, run: Run) -> Quiesced {
        Quiesced(Scope::One(run))
    }

    /// The device cannot access memory at all: it was reset, its bus mastering is off, or it is gone. Holds for what was started before.
    pub const fn device_stopped(&self) -> Quiesced {
        Quiesced(Scope::All)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_one_run_does_not_speak_of_another() {
        let authority = Authority::new();
        let ended = authority.run_ended(Run(7));
        assert!(ended.covers(Run(7)) && !ended.covers(Run(8)));
        assert!(authority.device_stopped().covers(Run(8)));
    }
}
