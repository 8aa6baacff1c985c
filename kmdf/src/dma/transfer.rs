//! The life of a request's mappings: idle, being mapped, mapped, started, released.

use core::mem::ManuallyDrop;

use wdk_sys::{
    _WDF_DMA_DIRECTION, BOOLEAN, PSCATTER_GATHER_LIST, WDF_DMA_DIRECTION, WDFCONTEXT, WDFDEVICE, WDFDMATRANSACTION,
    call_unsafe_wdf_function_binding,
};

use super::quiesced::{EnablerId, Quiesced, Run};
use super::scatter_gather::ScatterGatherList;
use crate::context;
use crate::device::DeviceOps;
use crate::ledger::{LedgerKind, LedgerRef};
use crate::request::Request;
use crate::status::{NtStatus, Result, check};

/// What a driver does with a scatter-gather list.
pub trait ProgramDma: 'static {
    /// The device that does the DMA.
    type Device: DeviceOps;

    /// EvtProgramDma: the part is mapped, and [`Programmed::list`] says how the device reaches it. DISPATCH_LEVEL.
    ///
    /// `key` is what was given to [`Execution::execute`]. Runs within that call, or after it, on any thread. The list's addresses stay valid until the mapping is
    /// released; the list itself until `programmed` is handed to [`Mapping::programmed`], as it has to be: from then on, the mapping can be released.
    fn program(device: &Self::Device, key: usize, programmed: Programmed<'_>);
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The device only reads the memory.
    ToDevice,
    /// The device only writes the memory.
    FromDevice,
}

impl Direction {
    const fn raw(self) -> WDF_DMA_DIRECTION {
        match self {
            Self::ToDevice => _WDF_DMA_DIRECTION::WdfDmaDirectionWriteToDevice,
            Self::FromDevice => _WDF_DMA_DIRECTION::WdfDmaDirectionReadFromDevice,
        }
    }
}

/// A part of a request's user buffer that is to be mapped.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Offset of the first byte.
    pub offset: usize,
    /// Number of bytes, at least 1.
    pub length: usize,
    /// Which way they go.
    pub direction: Direction,
}

/// What happens where map registers are short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// EvtProgramDma comes when the HAL has found some. Only for who holds none that others, or it itself, may need for going on.
    WaitForRegisters,
    /// [`Execution::execute`] fails with `STATUS_INSUFFICIENT_RESOURCES`.
    Immediate,
}

impl Patience {
    const fn is_immediate(self) -> BOOLEAN {
        match self {
            Self::WaitForRegisters => 0,
            Self::Immediate => 1,
        }
    }
}

/// `N` transactions that map nothing.
#[derive(Debug)]
pub struct IdleSet<const N: usize> {
    handles: [WDFDMATRANSACTION; N],
    enabler: EnablerId,
    ledger: LedgerRef,
}

// SAFETY: transactions may be used from any thread, one at a time: they are owned.
unsafe impl<const N: usize> Send for IdleSet<N> {}
// SAFETY: nothing can be done to the transactions through a shared reference.
unsafe impl<const N: usize> Sync for IdleSet<N> {}

impl<const N: usize> IdleSet<N> {
    /// A set of these transactions.
    ///
    /// # Safety
    /// They were made by this enabler, which is alive and deletes them, are idle, and nobody else uses them.
    pub(super) unsafe fn new(handles: [WDFDMATRANSACTION; N], enabler: EnablerId, ledger: LedgerRef) -> Self {
        Self {
            handles,
            enabler,
            ledger,
        }
    }

    /// Ties the transactions to a request, of which nothing is mapped yet.
    pub fn begin(self, request: Request) -> Mapping<N> {
        Mapping {
            tied: Tied {
                set: self,
                request: ManuallyDrop::new(request),
                lengths: [0; N],
                mapped: 0,
            },
            executing: false,
        }
    }
}

/// A request and the mappings it has. Has no drop: dropping it frees neither.
#[derive(Debug)]
struct Tied<const N: usize> {
    set: IdleSet<N>,
    request: ManuallyDrop<Request>,
    lengths: [usize; N],
    mapped: usize,
}

/// How many of the mapped bytes the framework is told were transferred.
#[derive(Clone, Copy)]
enum Transferred {
    All,
    None,
}

impl<const N: usize> Tied<N> {
    /// Ends every mapping. The caller has proof that the device does not use them.
    fn release(self, transferred: Transferred) -> (IdleSet<N>, Request) {
        let mapped = self.set.handles.iter().zip(self.lengths).take(self.mapped);
        for (&transaction, length) in mapped {
            let bytes = match transferred {
                Transferred::All => length,
                Transferred::None => 0,
            };
            end(transaction, bytes);
            self.set
                .ledger
                .get()
                .give_back(LedgerKind::ScatterGather, length as u64);
        }
        (self.set, ManuallyDrop::into_inner(self.request))
    }
}

/// Ends the transfer of a transaction, which releases its scatter-gather list, and makes it idle.
fn end(transaction: WDFDMATRANSACTION, bytes: usize) {
    let mut status = 0;
    // SAFETY: the transaction is in its transfer, once: EvtProgramDma was called for it, and nobody has ended it since.
    let ended = unsafe {
        call_unsafe_wdf_function_binding!(WdfDmaTransactionDmaCompletedFinal, transaction, bytes, &raw mut status)
    };
    debug_assert!(ended != 0, "the final completion always ends a transfer");
    reset(transaction);
}

/// Makes a transaction that is not in a transfer ready for another one.
fn reset(transaction: WDFDMATRANSACTION) {
    // SAFETY: the transaction is not in a transfer.
    let status = unsafe { call_unsafe_wdf_function_binding!(WdfDmaTransactionRelease, transaction) };
    debug_assert!(status >= 0, "releasing cannot fail outside a transfer");
}

/// A request whose parts are being mapped, one after the other.
#[derive(Debug)]
pub struct Mapping<const N: usize> {
    tied: Tied<N>,
    /// The transaction after the mapped ones is on its way.
    executing: bool,
}

impl<const N: usize> Mapping<N> {
    /// The request.
    pub fn request(&self) -> &Request {
        &self.tied.request
    }

    /// The number of parts mapped.
    pub const fn mapped(&self) -> usize {
        self.tied.mapped
    }

    /// Prepares the next transaction for `part`, as a single transfer. `IRQL <= DISPATCH_LEVEL`.
    ///
    /// After success, the returned [`Execution`] has to be executed, and its outcome brought back, before anything else can be done.
    pub fn prepare<P: ProgramDma>(&mut self, part: Part, patience: Patience) -> Result<Execution> {
        let next = self.tied.set.handles.get(self.tied.mapped).copied();
        let (Some(transaction), false) = (next, self.executing) else {
            return Err(NtStatus::INVALID_PARAMETER);
        };
        let buffer = self.tied.request.user_buffer()?;
        if part.length == 0 || !buffer.contains(part.offset, part.length) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        // SAFETY: the transaction is idle; the setting is lost with every release.
        unsafe { call_unsafe_wdf_function_binding!(WdfDmaTransactionSetSingleTransferRequirement, transaction, 1) };
        let immediate = patience.is_immediate();
        // SAFETY: as above.
        unsafe { call_unsafe_wdf_function_binding!(WdfDmaTransactionSetImmediateExecution, transaction, immediate) };
        let address = buffer.virtual_address(part.offset);
        // SAFETY: the transaction is idle; the range lies within the MDL, whose pages stay locked until the request is completed, and it cannot be completed while
        // it is tied.
        let status = unsafe {
            call_unsafe_wdf_function_binding!(
                WdfDmaTransactionInitialize,
                transaction,
                Some(on_program_dma::<P>),
                part.direction.raw(),
                buffer.mdl(),
                address.cast(),
                part.length
            )
        };
        check(status)?;
        self.executing = true;
        if let Some(length) = self.tied.lengths.get_mut(self.tied.mapped) {
            *length = part.length;
        }
        Ok(Execution { transaction })
    }

    fn is_executing(&self, transaction: WDFDMATRANSACTION) -> bool {
        self.executing && self.tied.set.handles.get(self.tied.mapped) == Some(&transaction)
    }

    /// Takes the proof that the part on its way is mapped. Gives it back where it belongs to another request.
    pub fn programmed<'l>(&mut self, proof: Programmed<'l>) -> core::result::Result<(), Programmed<'l>> {
        if !self.is_executing(proof.transaction) {
            return Err(proof);
        }
        let length = self.tied.lengths.get(self.tied.mapped).copied().unwrap_or(0);
        self.tied
            .set
            .ledger
            .get()
            .take(LedgerKind::ScatterGather, length as u64);
        self.executing = false;
        self.tied.mapped += 1;
        Ok(())
    }

    /// Takes the proof that the part on its way could not be mapped. Gives it back where it belongs to another request.
    pub fn failed(&mut self, proof: ExecutionFailed) -> core::result::Result<(), ExecutionFailed> {
        if !self.is_executing(proof.transaction) {
            return Err(proof);
        }
        reset(proof.transaction);
        self.executing = false;
        Ok(())
    }

    /// All parts are mapped. Comes back while one is on its way.
    #[allow(
        clippy::result_large_err,
        reason = "the value comes back: nothing is lost on an error"
    )]
    pub fn finish(self) -> core::result::Result<Mapped<N>, Self> {
        if self.executing {
            Err(self)
        } else {
            Ok(Mapped { tied: self.tied })
        }
    }

    /// Unmaps everything: the device was never told the addresses. Comes back while a part is on its way. `IRQL <= DISPATCH_LEVEL`.
    #[allow(
        clippy::result_large_err,
        reason = "the value comes back: nothing is lost on an error"
    )]
    pub fn abandon(self) -> core::result::Result<(IdleSet<N>, Request), Self> {
        if self.executing {
            Err(self)
        } else {
            Ok(self.tied.release(Transferred::None))
        }
    }
}

/// A prepared transaction, to be executed.
#[derive(Debug)]
#[must_use = "the mapping waits for it"]
pub struct Execution {
    transaction: WDFDMATRANSACTION,
}

// SAFETY: a transaction may be used from any thread.
unsafe impl Send for Execution {}

impl Execution {
    /// Starts mapping. `IRQL <= DISPATCH_LEVEL`, no lock held that [`ProgramDma::program`] takes: it may run within this call. After success only that callback
    /// tells about the mapping.
    pub fn execute(self, key: usize) -> core::result::Result<(), ExecutionFailed> {
        let transaction = self.transaction;
        // SAFETY: prepared, and executed once.
        let status = unsafe {
            call_unsafe_wdf_function_binding!(
                WdfDmaTransactionExecute,
                transaction,
                core::ptr::without_provenance_mut(key)
            )
        };
        check(status).map_err(|status| ExecutionFailed { transaction, status })
    }
}

/// Proof that a transaction could not be executed.
#[derive(Debug)]
#[must_use = "the mapping waits for it"]
pub struct ExecutionFailed {
    transaction: WDFDMATRANSACTION,
    status: NtStatus,
}

impl ExecutionFailed {
    /// Why.
    pub const fn status(&self) -> NtStatus {
        self.status
    }
}

/// Proof that EvtProgramDma was called for a transaction: it is mapped, and nothing releases it as long as the mapping waits for this.
///
/// Whoever hands it in has let go of the list, which the system takes back with the mapping:
///
/// ```compile_fail,E0505
/// fn late<const N: usize>(mapping: &mut kmdf::dma::Mapping<N>, programmed: kmdf::dma::Programmed<'_>) {
///     let elements = programmed.list().elements();
///     let _ = mapping.programmed(programmed);
///     let _ = elements.len();
/// }
/// ```
#[derive(Debug)]
#[must_use = "the mapping waits for it"]
pub struct Programmed<'l> {
    transaction: WDFDMATRANSACTION,
    list: ScatterGatherList<'l>,
}

impl<'l> Programmed<'l> {
    /// How the device reaches the part.
    pub const fn list(&self) -> &ScatterGatherList<'l> {
        &self.list
    }
}

callback! {
    unsafe extern "C" fn on_program_dma<P: ProgramDma>(
        transaction: WDFDMATRANSACTION,
        device: WDFDEVICE,
        key: WDFCONTEXT,
        _direction: WDF_DMA_DIRECTION,
        list: PSCATTER_GATHER_LIST,
    ) -> BOOLEAN {
        // SAFETY: the framework passed the device to this callback.
        let Some(device) = (unsafe { context::get::<P::Device>(device.cast()) }) else {
            return 0;
        };
        // SAFETY: a list of the HAL's, whole and left alone until the transfer ends. It does not end before the mapping has been given the proof, of which the list is a part.
        let list = unsafe { ScatterGatherList::new(list) };
        P::program(device, key.addr(), Programmed { transaction, list });
        1
    }
}

/// A request all of whose parts are mapped, but which the device has not been told about.
#[derive(Debug)]
pub struct Mapped<const N: usize> {
    tied: Tied<N>,
}

impl<const N: usize> Mapped<N> {
    /// The request.
    pub fn request(&self) -> &Request {
        &self.tied.request
    }

    /// The device is about to be told the addresses, as the run `run`.
    pub fn start(self, run: Run) -> Started<N> {
        Started { tied: self.tied, run }
    }

    /// Unmaps everything: the device was never told the addresses. `IRQL <= DISPATCH_LEVEL`.
    pub fn abandon(self) -> (IdleSet<N>, Request) {
        self.tied.release(Transferred::None)
    }
}

/// A request whose memory the device may access.
///
/// There is no way back without proof:
///
/// ```compile_fail,E0599
/// fn give_up(started: kmdf::dma::Started<4>) {
///     started.abandon();
/// }
/// ```
///
/// And the request cannot be completed meanwhile:
///
/// ```compile_fail,E0507
/// fn complete(started: &kmdf::dma::Started<4>) {
///     started.request().complete(kmdf::NtStatus::SUCCESS);
/// }
/// ```
#[derive(Debug)]
pub struct Started<const N: usize> {
    tied: Tied<N>,
    run: Run,
}

impl<const N: usize> Started<N> {
    /// The request.
    pub fn request(&self) -> &Request {
        &self.tied.request
    }

    /// The run.
    pub const fn run(&self) -> Run {
        self.run
    }

    /// Unmaps everything, given proof that the device has ended this run. Comes back where the proof speaks of another run or device. `IRQL <= DISPATCH_LEVEL`.
    #[allow(
        clippy::result_large_err,
        reason = "the value comes back: nothing is lost on an error"
    )]
    pub fn release(self, proof: &Quiesced) -> core::result::Result<(IdleSet<N>, Request), Self> {
        if proof.covers(self.tied.set.enabler, self.run) {
            Ok(self.tied.release(Transferred::All))
        } else {
            Err(self)
        }
    }
}
