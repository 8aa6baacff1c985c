//! The states of a DMA transaction, and which call is legal in which of them. Pure.
//!
//! The numbers are those of the real framework: a call in the wrong state is bug check 0x10D with parameter 1 = 8 and the state found as parameter 3.

/// Where a transaction is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum TransactionState {
    /// Created, never initialized.
    Created = 1,
    /// Initialized: knows its buffer, not executed.
    Initialized = 3,
    /// Executed: the device owns the buffer, or map registers are awaited.
    Transfer = 4,
    /// The last fragment was reported as done.
    TransferCompleted = 5,
    /// Mapping failed, or more bytes were reported than were asked for.
    TransferFailed = 6,
    /// Released: may be initialized again.
    Released = 7,
    /// Deleted.
    Deleted = 8,
}

/// A call whose legality depends on the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `WdfDmaTransactionInitialize` and its kin.
    Initialize,
    /// `WdfDmaTransactionExecute`.
    Execute,
    /// `WdfDmaTransactionDmaCompleted` and its kin.
    Complete,
    /// `WdfDmaTransactionCancel`.
    Cancel,
    /// `WdfDmaTransactionGetTransferInfo`.
    GetTransferInfo,
}

impl TransactionState {
    /// The number that a bug check reports.
    #[must_use]
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// Whether the real framework goes on, rather than bug-checking.
    #[must_use]
    pub const fn allows(self, operation: Operation) -> bool {
        match operation {
            Operation::Initialize => matches!(self, Self::Created | Self::Released),
            Operation::Execute | Operation::GetTransferInfo => matches!(self, Self::Initialized),
            Operation::Complete => matches!(self, Self::Transfer),
            Operation::Cancel => !matches!(self, Self::Created | Self::Released | Self::Deleted),
        }
    }

    /// Whether `WdfDmaTransactionSetImmediateExecution` is in time: later calls take effect all the same, after a verifier break.
    #[must_use]
    pub const fn may_set_immediate_execution(self) -> bool {
        matches!(self, Self::Created | Self::Initialized | Self::Released)
    }

    /// Whether `WdfDmaTransactionSetSingleTransferRequirement` is in time: it must precede Initialize.
    #[must_use]
    pub const fn may_set_single_transfer(self) -> bool {
        matches!(self, Self::Created | Self::Released)
    }

    /// Whether the transfer context of DMA version 3 is valid.
    #[must_use]
    pub const fn has_transfer_context(self) -> bool {
        !matches!(self, Self::Created | Self::Released | Self::Deleted)
    }
}

#[cfg(test)]
mod tests {
    use super::{Operation::*, TransactionState as S};

    const ALL: [S; 7] = [
        S::Created,
        S::Initialized,
        S::Transfer,
        S::TransferCompleted,
        S::TransferFailed,
        S::Released,
        S::Deleted,
    ];

    #[test]
    fn numbers_are_those_of_the_real_framework() {
        let numbers: Vec<u32> = ALL.iter().map(|state| state.number()).collect();
        assert_eq!(numbers, [1, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn each_operation_has_exactly_its_states() {
        let legal = |operation| {
            ALL.into_iter()
                .filter(|state| state.allows(operation))
                .collect::<Vec<_>>()
        };
        assert_eq!(legal(Initialize), [S::Created, S::Released]);
        assert_eq!(legal(Execute), [S::Initialized]);
        assert_eq!(legal(Complete), [S::Transfer]);
        assert_eq!(
            legal(Cancel),
            [S::Initialized, S::Transfer, S::TransferCompleted, S::TransferFailed]
        );
        assert_eq!(legal(GetTransferInfo), [S::Initialized]);
    }
}
