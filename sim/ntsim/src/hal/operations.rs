//! The functions behind the pointers of `DMA_OPERATIONS`.

use super::{
    adapter::{self, Level, check_level},
    common::{self, Freed},
    lists::{self, ListCall, Place, size_of_list},
    request::{Start, Wanted},
    types::Direction,
};
use crate::{
    mem::PAGE,
    trace::{self, Kind},
    verifier::{self, dma},
};
use wdk_sys::{
    BOOLEAN, DISPATCH_LEVEL, DMA_ADAPTER_INFO_V1, DMA_ADAPTER_INFO_VERSION1, DMA_TRANSFER_CONTEXT_SIZE_V1,
    DMA_TRANSFER_INFO_V1, DMA_TRANSFER_INFO_V2, DMA_TRANSFER_INFO_VERSION1, DMA_TRANSFER_INFO_VERSION2,
    NODE_REQUIREMENT, NTSTATUS, PDEVICE_OBJECT, PDMA_ADAPTER, PDMA_ADAPTER_INFO, PDMA_COMPLETION_ROUTINE,
    PDMA_TRANSFER_INFO, PDRIVER_LIST_CONTROL, PHYSICAL_ADDRESS, PMDL, PPHYSICAL_ADDRESS, PSCATTER_GATHER_LIST, PULONG,
    PVOID, STATUS_INVALID_PARAMETER, STATUS_NOT_SUPPORTED, STATUS_SUCCESS, ULONG, ULONGLONG,
};

dma_operations! {
    /// Releases an adapter.
    #[irql(any)]
    #[trace("adapter={}", adapter::index(DmaAdapter))]
    fn PutDmaAdapter(DmaAdapter: PDMA_ADAPTER) {
        adapter::put(DmaAdapter);
    }

    /// Allocates a common buffer.
    #[irql(any)]
    #[trace("adapter={} length={Length} cached={CacheEnabled}", adapter::index(DmaAdapter))]
    fn AllocateCommonBuffer(DmaAdapter: PDMA_ADAPTER, Length: ULONG, LogicalAddress: PPHYSICAL_ADDRESS, CacheEnabled: BOOLEAN) -> PVOID {
        common::allocate(DmaAdapter, Length, LogicalAddress)
    }

    /// Allocates a common buffer; below a maximum address if one is given.
    #[irql(any)]
    #[trace("adapter={} length={Length} cached={CacheEnabled}", adapter::index(DmaAdapter))]
    fn AllocateCommonBufferEx(
        DmaAdapter: PDMA_ADAPTER, MaximumAddress: PPHYSICAL_ADDRESS, Length: ULONG, LogicalAddress: PPHYSICAL_ADDRESS,
        CacheEnabled: BOOLEAN, PreferredNode: NODE_REQUIREMENT
    ) -> PVOID {
        let _ = PreferredNode;
        if !MaximumAddress.is_null() {
            crate::cross::unimplemented("DMA_OPERATIONS", "AllocateCommonBufferEx with a maximum address");
        }
        common::allocate(DmaAdapter, Length, LogicalAddress)
    }

    /// Frees a common buffer.
    #[irql(any)]
    #[trace("adapter={} length={Length}", adapter::index(DmaAdapter))]
    fn FreeCommonBuffer(
        DmaAdapter: PDMA_ADAPTER, Length: ULONG, LogicalAddress: PHYSICAL_ADDRESS, VirtualAddress: PVOID, CacheEnabled: BOOLEAN
    ) {
        let _ = CacheEnabled;
        // SAFETY: every pattern of bits is a number.
        let logical = unsafe { LogicalAddress.QuadPart }.cast_unsigned();
        common::free(DmaAdapter, Freed { length: Length, logical, memory: VirtualAddress });
    }

    /// The alignment that DMA buffers need: none.
    #[irql(any)]
    #[trace("adapter={}", adapter::index(DmaAdapter))]
    fn GetDmaAlignment(DmaAdapter: PDMA_ADAPTER) -> ULONG {
        check_level(Level::AtMost(DISPATCH_LEVEL), "GetDmaAlignment");
        adapter::view(DmaAdapter, |_| 1).unwrap_or(1)
    }

    /// Makes a scatter/gather list and gives it to a routine.
    #[irql(any)]
    #[trace("{}", get_call(DmaAdapter, DeviceObject, Mdl, CurrentVa, Length, ExecutionRoutine, Context, WriteToDevice).describe())]
    fn GetScatterGatherList(
        DmaAdapter: PDMA_ADAPTER, DeviceObject: PDEVICE_OBJECT, Mdl: PMDL, CurrentVa: PVOID, Length: ULONG,
        ExecutionRoutine: PDRIVER_LIST_CONTROL, Context: PVOID, WriteToDevice: BOOLEAN
    ) -> NTSTATUS {
        get_call(DmaAdapter, DeviceObject, Mdl, CurrentVa, Length, ExecutionRoutine, Context, WriteToDevice).run()
    }

    /// Makes a scatter/gather list in the caller's memory and gives it to a routine.
    #[irql(any)]
    #[trace("{}", ListCall {
        name: "BuildScatterGatherList",
        place: Place::Callers { at: ScatterGatherBuffer, length: ScatterGatherLength },
        ..get_call(DmaAdapter, DeviceObject, Mdl, CurrentVa, Length, ExecutionRoutine, Context, WriteToDevice)
    }.describe())]
    fn BuildScatterGatherList(
        DmaAdapter: PDMA_ADAPTER, DeviceObject: PDEVICE_OBJECT, Mdl: PMDL, CurrentVa: PVOID, Length: ULONG,
        ExecutionRoutine: PDRIVER_LIST_CONTROL, Context: PVOID, WriteToDevice: BOOLEAN, ScatterGatherBuffer: PVOID,
        ScatterGatherLength: ULONG
    ) -> NTSTATUS {
        let call = get_call(DmaAdapter, DeviceObject, Mdl, CurrentVa, Length, ExecutionRoutine, Context, WriteToDevice);
        let place = Place::Callers { at: ScatterGatherBuffer, length: ScatterGatherLength };
        ListCall { name: "BuildScatterGatherList", place, ..call }.run()
    }

    /// Ends the mapping of a scatter/gather list.
    #[irql(any)]
    #[trace(
        "adapter={} elements={} WriteToDevice={WriteToDevice}",
        adapter::index(DmaAdapter), lists::element_count(DmaAdapter, ScatterGather)
    )]
    fn PutScatterGatherList(DmaAdapter: PDMA_ADAPTER, ScatterGather: PSCATTER_GATHER_LIST, WriteToDevice: BOOLEAN) {
        lists::put(DmaAdapter, ScatterGather, Direction::of(WriteToDevice));
    }

    /// The memory that a list for a buffer takes, and the map registers.
    #[irql(any)]
    #[trace("{}", describe_size(DmaAdapter, Mdl, CurrentVa, Length))]
    fn CalculateScatterGatherList(
        DmaAdapter: PDMA_ADAPTER, Mdl: PMDL, CurrentVa: PVOID, Length: ULONG, ScatterGatherListSize: PULONG, pNumberOfMapRegisters: PULONG
    ) -> NTSTATUS {
        check_level(Level::AtMost(DISPATCH_LEVEL), "CalculateScatterGatherList");
        if adapter::view(DmaAdapter, |_| ()).is_none() {
            return STATUS_INVALID_PARAMETER;
        }
        let registers = registers(Mdl, CurrentVa, Length);
        // SAFETY: the caller's result, valid for the call by contract.
        unsafe { ScatterGatherListSize.write(size_of_list(registers)) };
        if !pNumberOfMapRegisters.is_null() {
            // SAFETY: the caller's result, valid for the call by contract.
            unsafe { pNumberOfMapRegisters.write(registers) };
        }
        STATUS_SUCCESS
    }

    /// What the adapter can do.
    #[irql(any)]
    #[trace("adapter={}", adapter::index(DmaAdapter))]
    fn GetDmaAdapterInfo(DmaAdapter: PDMA_ADAPTER, AdapterInfo: PDMA_ADAPTER_INFO) -> NTSTATUS {
        check_level(Level::AtMost(DISPATCH_LEVEL), "GetDmaAdapterInfo");
        // SAFETY: the caller's record, valid for the call by contract.
        let version = unsafe { (*AdapterInfo).Version };
        if version != DMA_ADAPTER_INFO_VERSION1 {
            return STATUS_NOT_SUPPORTED;
        }
        let Some(width) = adapter::view(DmaAdapter, |adapter| adapter.width) else { return STATUS_INVALID_PARAMETER };
        let info = DMA_ADAPTER_INFO_V1 {
            ReadDmaCounterAvailable: 0,
            ScatterGatherLimit: ULONG::MAX,
            DmaAddressWidth: width,
            Flags: 0,
            MinimumTransferUnit: 1,
        };
        // SAFETY: as above; version 1 has this record.
        let place = unsafe { &raw mut (*AdapterInfo).__bindgen_anon_1.V1 };
        // SAFETY: as above.
        unsafe { place.write(info) };
        STATUS_SUCCESS
    }

    /// What a transfer would take.
    #[irql(any)]
    #[trace("length={Length} WriteOnly={WriteOnly} -> regs={0} elements={0}", transfer(Mdl, Offset, Length).pages())]
    fn GetDmaTransferInfo(
        DmaAdapter: PDMA_ADAPTER, Mdl: PMDL, Offset: ULONGLONG, Length: ULONG, WriteOnly: BOOLEAN, TransferInfo: PDMA_TRANSFER_INFO
    ) -> NTSTATUS {
        check_level(Level::AtMost(DISPATCH_LEVEL), "GetDmaTransferInfo");
        if adapter::view(DmaAdapter, |_| ()).is_none() {
            return STATUS_INVALID_PARAMETER;
        }
        transfer_info(transfer(Mdl, Offset, Length), TransferInfo)
    }

    /// Prepares a transfer context for a new transfer.
    #[irql(any)]
    #[trace("adapter={}", adapter::index(DmaAdapter))]
    fn InitializeDmaTransferContext(DmaAdapter: PDMA_ADAPTER, DmaTransferContext: PVOID) -> NTSTATUS {
        check_level(Level::AtMost(DISPATCH_LEVEL), "InitializeDmaTransferContext");
        if adapter::view(DmaAdapter, |_| ()).is_none() {
            return STATUS_INVALID_PARAMETER;
        }
        // SAFETY: the caller's context, which has this size by contract.
        unsafe { DmaTransferContext.cast::<u8>().write_bytes(0, DMA_TRANSFER_CONTEXT_SIZE_V1 as usize) };
        // SAFETY: as above.
        unsafe { DmaTransferContext.cast::<u64>().write_unaligned(CONTEXT_READY) };
        STATUS_SUCCESS
    }

    /// Makes a scatter/gather list for a transfer.
    #[irql(any)]
    #[trace("{}", ex_call(DmaAdapter, DeviceObject, transfer(Mdl, Offset, Length), Flags, ExecutionRoutine, Context, WriteToDevice).describe())]
    fn GetScatterGatherListEx(
        DmaAdapter: PDMA_ADAPTER, DeviceObject: PDEVICE_OBJECT, DmaTransferContext: PVOID, Mdl: PMDL, Offset: ULONGLONG, Length: ULONG,
        Flags: ULONG, ExecutionRoutine: PDRIVER_LIST_CONTROL, Context: PVOID, WriteToDevice: BOOLEAN,
        DmaCompletionRoutine: PDMA_COMPLETION_ROUTINE, CompletionContext: PVOID, ScatterGatherList: *mut PSCATTER_GATHER_LIST
    ) -> NTSTATUS {
        let _ = (DmaCompletionRoutine, CompletionContext);
        check_context(DmaTransferContext);
        let call = ex_call(DmaAdapter, DeviceObject, transfer(Mdl, Offset, Length), Flags, ExecutionRoutine, Context, WriteToDevice);
        ListCall { result: ScatterGatherList, ..call }.run()
    }

    /// Makes a scatter/gather list for a transfer in the caller's memory.
    #[irql(any)]
    #[trace("{}", ListCall {
        name: "BuildScatterGatherListEx",
        place: Place::Callers { at: ScatterGatherBuffer, length: ScatterGatherLength },
        ..ex_call(DmaAdapter, DeviceObject, transfer(Mdl, Offset, Length), Flags, ExecutionRoutine, Context, WriteToDevice)
    }.describe())]
    fn BuildScatterGatherListEx(
        DmaAdapter: PDMA_ADAPTER, DeviceObject: PDEVICE_OBJECT, DmaTransferContext: PVOID, Mdl: PMDL, Offset: ULONGLONG, Length: ULONG,
        Flags: ULONG, ExecutionRoutine: PDRIVER_LIST_CONTROL, Context: PVOID, WriteToDevice: BOOLEAN, ScatterGatherBuffer: PVOID,
        ScatterGatherLength: ULONG, DmaCompletionRoutine: PDMA_COMPLETION_ROUTINE, CompletionContext: PVOID, ScatterGatherList: PVOID
    ) -> NTSTATUS {
        let _ = (DmaCompletionRoutine, CompletionContext);
        check_context(DmaTransferContext);
        let call = ex_call(DmaAdapter, DeviceObject, transfer(Mdl, Offset, Length), Flags, ExecutionRoutine, Context, WriteToDevice);
        let place = Place::Callers { at: ScatterGatherBuffer, length: ScatterGatherLength };
        ListCall { name: "BuildScatterGatherListEx", place, result: ScatterGatherList.cast(), ..call }.run()
    }
}

/// What a prepared transfer context begins with.
const CONTEXT_READY: u64 = u64::from_le_bytes(*b"DmaReady");

fn check_context(context: PVOID) {
    // SAFETY: the caller's context, which has at least this size by contract.
    let ready = !context.is_null() && unsafe { context.cast::<u64>().read_unaligned() } == CONTEXT_READY;
    if !ready {
        let text = "a transfer context was used that InitializeDmaTransferContext did not prepare";
        verifier::violation_with(dma::CONTEXT_NOT_INITIALIZED, [context.addr() as u64, 0, 0], text);
    }
}

#[allow(clippy::too_many_arguments, reason = "the parameters of GetScatterGatherList")]
fn get_call(
    adapter: PDMA_ADAPTER,
    device: PDEVICE_OBJECT,
    mdl: PMDL,
    current: PVOID,
    length: ULONG,
    routine: PDRIVER_LIST_CONTROL,
    context: PVOID,
    write: BOOLEAN,
) -> ListCall {
    let wanted = Wanted {
        mdl,
        start: Start::Address(current.addr()),
        length,
    };
    ListCall {
        name: "GetScatterGatherList",
        ..ex_call(adapter, device, wanted, 0, routine, context, write)
    }
}

fn ex_call(
    adapter: PDMA_ADAPTER,
    device: PDEVICE_OBJECT,
    wanted: Wanted,
    flags: ULONG,
    routine: PDRIVER_LIST_CONTROL,
    context: PVOID,
    write: BOOLEAN,
) -> ListCall {
    ListCall {
        name: "GetScatterGatherListEx",
        adapter,
        device,
        wanted,
        direction: Direction::of(write),
        flags,
        routine,
        context,
        place: Place::Own,
        result: core::ptr::null_mut(),
    }
}

fn transfer(mdl: PMDL, offset: ULONGLONG, length: ULONG) -> Wanted {
    Wanted {
        mdl,
        start: Start::Offset(offset),
        length,
    }
}

/// The map registers for a buffer: without an MDL, for the worst place of `length` bytes that begin at `current` in their page.
fn registers(mdl: PMDL, current: PVOID, length: ULONG) -> u32 {
    if mdl.is_null() {
        return crate::mem::mdl::span(current.addr() % PAGE, length as usize) as u32;
    }
    Wanted {
        mdl,
        start: Start::Address(current.addr()),
        length,
    }
    .pages()
}

fn describe_size(adapter: PDMA_ADAPTER, mdl: PMDL, current: PVOID, length: ULONG) -> String {
    let registers = registers(mdl, current, length);
    let given = u32::from(!mdl.is_null());
    format!(
        "adapter={} length={length} mdl={given} -> size={} regs={registers}",
        adapter::index(adapter),
        size_of_list(registers)
    )
}

/// Fills in what a transfer takes, in the version that the caller asks for.
fn transfer_info(wanted: Wanted, info: PDMA_TRANSFER_INFO) -> NTSTATUS {
    let pages = wanted.pages();
    let size = size_of_list(pages);
    // SAFETY: the caller's record, valid for the call by contract.
    let version = unsafe { (*info).Version };
    match version {
        DMA_TRANSFER_INFO_VERSION1 => {
            let value = DMA_TRANSFER_INFO_V1 {
                MapRegisterCount: pages,
                ScatterGatherElementCount: pages,
                ScatterGatherListSize: size,
            };
            // SAFETY: as above; version 1 has this record.
            let place = unsafe { &raw mut (*info).__bindgen_anon_1.V1 };
            // SAFETY: as above.
            unsafe { place.write(value) };
        }
        DMA_TRANSFER_INFO_VERSION2 => {
            let value = DMA_TRANSFER_INFO_V2 {
                MapRegisterCount: pages,
                ScatterGatherElementCount: pages,
                ScatterGatherListSize: size,
                LogicalPageCount: pages,
            };
            // SAFETY: as above; version 2 has this record.
            let place = unsafe { &raw mut (*info).__bindgen_anon_1.V2 };
            // SAFETY: as above.
            unsafe { place.write(value) };
        }
        _ => {
            trace::emit(Kind::Note, "GetDmaTransferInfo", || {
                format!("version {version} does not exist")
            });
            return STATUS_NOT_SUPPORTED;
        }
    }
    STATUS_SUCCESS
}
