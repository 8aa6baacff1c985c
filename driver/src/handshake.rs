//! Who goes on with a job after one of its parts was mapped.
//!
//! The call that executes a transaction, and the transaction's EvtProgramDma, may end in either order and on different threads. The later of the two goes on.

/// How far the mapping of one part is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Handshake {
    /// No transaction is being executed.
    #[default]
    Idle,
    /// The call that executes has not returned, and EvtProgramDma has not ended.
    Executing,
    /// The call has returned; EvtProgramDma will go on.
    Returned,
    /// EvtProgramDma has ended; the call will go on when it returns.
    Programmed,
}

/// Who goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The one who asks.
    You,
    /// The other one, later.
    TheOther,
}

impl Handshake {
    /// A transaction is about to be executed.
    pub fn begin(&mut self) {
        *self = Self::Executing;
    }

    /// The call has returned with success.
    pub fn returned(&mut self) -> Next {
        self.step(Self::Programmed, Self::Returned)
    }

    /// EvtProgramDma has done its part.
    pub fn programmed(&mut self) -> Next {
        self.step(Self::Returned, Self::Programmed)
    }

    /// The call has failed: EvtProgramDma will not be called.
    pub fn failed(&mut self) {
        *self = Self::Idle;
    }

    fn step(&mut self, other_was_first: Self, i_was_first: Self) -> Next {
        if *self == other_was_first {
            *self = Self::Idle;
            Next::You
        } else {
            *self = i_was_first;
            Next::TheOther
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_one_goes_on_and_the_next_part_starts_anew() {
        let mut handshake = Handshake::default();
        for _ in 0..3 {
            handshake.begin();
            assert_eq!(
                (handshake.programmed(), handshake.returned()),
                (Next::TheOther, Next::You),
                "EvtProgramDma ran inside the call"
            );
            handshake.begin();
            assert_eq!(
                (handshake.returned(), handshake.programmed()),
                (Next::TheOther, Next::You),
                "EvtProgramDma ran later"
            );
            handshake.begin();
            handshake.failed();
            assert_eq!(handshake, Handshake::Idle);
        }
    }
}
