//! A DMA adapter of the HAL, reached through the function pointers of its `DMA_OPERATIONS`.
//!
//! The scatter-gather functions need DISPATCH_LEVEL: the framework raises the IRQL around them, so that its own callers need not.

use super::profile::{Settings, VERSION_3};
use crate::cross;
use core::ffi::c_void;
use wdk_sys::ntddk::{IoGetDmaAdapter, KeLowerIrql, KfRaiseIrql};
use wdk_sys::*;

/// The HAL's page size.
const PAGE: u32 = 4096;

/// An adapter and what the HAL said about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Adapter {
    object: PDMA_ADAPTER,
    /// Map registers that one transfer may use.
    pub(crate) registers: u32,
    /// Bytes of the largest scatter-gather list.
    pub(crate) list_bytes: u32,
    /// Longest fragment, bytes.
    pub(crate) fragment: u32,
}

/// One list to be made.
#[derive(Clone, Copy)]
pub(crate) struct ListRequest {
    /// The functional device object.
    pub(crate) device: PDEVICE_OBJECT,
    /// The first MDL of the fragment.
    pub(crate) mdl: PMDL,
    /// Where the fragment begins in it.
    pub(crate) offset: u64,
    /// Bytes.
    pub(crate) length: u32,
    /// `TRUE` when the device reads memory.
    pub(crate) write_to_device: BOOLEAN,
    /// `DMA_SYNCHRONOUS_CALLBACK` or 0.
    pub(crate) flags: u32,
    /// What to call with the list.
    pub(crate) routine: DRIVER_LIST_CONTROL,
    /// Its context.
    pub(crate) context: PVOID,
    /// The transfer context of DMA version 3.
    pub(crate) transfer_context: PVOID,
}

/// Memory for a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListBuffer {
    /// Non-paged pool.
    pub(crate) memory: *mut c_void,
    /// Bytes.
    pub(crate) bytes: u32,
}

/// What a single transfer takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TransferInfo {
    /// Map registers.
    pub(crate) registers: u32,
    /// Elements of the list.
    pub(crate) elements: u32,
    /// Bytes of the list.
    pub(crate) list_bytes: u32,
}

/// Reads a member of `DMA_OPERATIONS`; a member that is null stops the run and names itself.
macro_rules! operation {
    ($adapter:expr, $name:ident) => {{
        let table = $adapter.operations();
        // SAFETY: the HAL's table is valid as long as the adapter is.
        let member = unsafe { (*table).$name };
        member.unwrap_or_else(|| cross::unimplemented("DMA_OPERATIONS", stringify!($name)))
    }};
}

impl Adapter {
    /// Gets an adapter for a device. `None` when the HAL has none.
    pub(crate) fn get(pdo: PDEVICE_OBJECT, settings: &Settings) -> Option<Self> {
        let mut description = DEVICE_DESCRIPTION {
            Version: settings.version,
            Master: 1,
            ScatterGather: 1,
            Dma32BitAddresses: 1,
            Dma64BitAddresses: BOOLEAN::from(settings.dma64),
            InterfaceType: _INTERFACE_TYPE::PCIBus,
            MaximumLength: settings.maximum_length,
            DmaAddressWidth: settings.address_width,
            ..Default::default()
        };
        let mut registers = 0;
        // SAFETY: both pointers are to locals; the device object is that of the device being configured.
        let object = unsafe { IoGetDmaAdapter(pdo, &raw mut description, &raw mut registers) };
        if object.is_null() {
            return None;
        }
        let by_registers = u64::from(registers.saturating_sub(1)) * u64::from(PAGE);
        let fragment = u64::from(settings.maximum_length).min(by_registers);
        let fragment = u32::try_from(fragment).expect("not above the configured length");
        Some(Self {
            object,
            registers,
            list_bytes: 0,
            fragment,
        })
    }

    /// The HAL's pointer.
    pub(crate) fn raw(&self) -> PDMA_ADAPTER {
        self.object
    }

    fn operations(&self) -> PDMA_OPERATIONS {
        // SAFETY: the adapter was not put yet.
        unsafe { (*self.object).DmaOperations }
    }

    /// Asks for the size of the largest list: one element for each map register.
    pub(crate) fn measure_list(&mut self) -> NTSTATUS {
        let calculate = operation!(self, CalculateScatterGatherList);
        let mut registers = 0;
        let null = core::ptr::null_mut();
        let length = self.registers.saturating_mul(PAGE);
        // SAFETY: without an MDL only the length counts; the results are a field and a local.
        unsafe {
            calculate(
                self.object,
                null,
                null.cast(),
                length,
                &raw mut self.list_bytes,
                &raw mut registers,
            )
        }
    }

    /// The alignment of common buffers, as a mask.
    pub(crate) fn alignment_mask(&self) -> u32 {
        let get = operation!(self, GetDmaAlignment);
        // SAFETY: the adapter was not put yet.
        let bytes = unsafe { get(self.object) };
        bytes.saturating_sub(1)
    }

    /// Gives the adapter back.
    pub(crate) fn put(self) {
        let put = operation!(self, PutDmaAdapter);
        // SAFETY: the adapter was not put yet, and nothing uses it afterwards.
        unsafe { put(self.object) }
    }

    /// Makes the transfer context of DMA version 3 ready.
    pub(crate) fn initialize_context(&self, context: PVOID) {
        let initialize = operation!(self, InitializeDmaTransferContext);
        // SAFETY: the context has DMA_TRANSFER_CONTEXT_SIZE_V1 bytes.
        let _status = unsafe { initialize(self.object, context) };
    }

    /// What the HAL needs to map a buffer in one transfer. DMA version 3.
    pub(crate) fn transfer_info(
        &self,
        mdl: PMDL,
        offset: u64,
        length: u32,
        write: BOOLEAN,
    ) -> Result<TransferInfo, NTSTATUS> {
        let get = operation!(self, GetDmaTransferInfo);
        let mut info = DMA_TRANSFER_INFO {
            Version: DMA_TRANSFER_INFO_VERSION1,
            ..Default::default()
        };
        // SAFETY: the MDL describes the buffer, and the result is a local.
        let status = unsafe { get(self.object, mdl, offset, length, write, &raw mut info) };
        if !NT_SUCCESS(status) {
            return Err(status);
        }
        // SAFETY: version 1 was asked for.
        let found = unsafe { info.__bindgen_anon_1.V1 };
        Ok(TransferInfo {
            registers: found.MapRegisterCount,
            elements: found.ScatterGatherElementCount,
            list_bytes: found.ScatterGatherListSize,
        })
    }

    /// Has a list built in the caller's memory.
    pub(crate) fn build_list(&self, version: u32, list: &ListRequest, buffer: ListBuffer) -> NTSTATUS {
        if version < VERSION_3 {
            let build = operation!(self, BuildScatterGatherList);
            let va = current_va(list);
            return at_dispatch(|| {
                // SAFETY: the MDL describes locked memory, the buffer is the transaction's own, and the routine stands for the transaction's life.
                unsafe {
                    build(
                        self.object,
                        list.device,
                        list.mdl,
                        va,
                        list.length,
                        list.routine,
                        list.context,
                        list.write_to_device,
                        buffer.memory,
                        buffer.bytes,
                    )
                }
            });
        }
        let build = operation!(self, BuildScatterGatherListEx);
        let null = core::ptr::null_mut();
        at_dispatch(|| {
            // SAFETY: as above; the transfer context was initialized.
            unsafe {
                build(
                    self.object,
                    list.device,
                    list.transfer_context,
                    list.mdl,
                    list.offset,
                    list.length,
                    list.flags,
                    list.routine,
                    list.context,
                    list.write_to_device,
                    buffer.memory,
                    buffer.bytes,
                    None,
                    null,
                    null,
                )
            }
        })
    }

    /// Has the HAL allocate and build a list.
    pub(crate) fn get_list(&self, version: u32, list: &ListRequest) -> NTSTATUS {
        if version < VERSION_3 {
            let get = operation!(self, GetScatterGatherList);
            let va = current_va(list);
            return at_dispatch(|| {
                // SAFETY: the MDL describes locked memory, and the routine stands for the transaction's life.
                unsafe {
                    get(
                        self.object,
                        list.device,
                        list.mdl,
                        va,
                        list.length,
                        list.routine,
                        list.context,
                        list.write_to_device,
                    )
                }
            });
        }
        let get = operation!(self, GetScatterGatherListEx);
        let null = core::ptr::null_mut();
        at_dispatch(|| {
            // SAFETY: as above; the transfer context was initialized.
            unsafe {
                get(
                    self.object,
                    list.device,
                    list.transfer_context,
                    list.mdl,
                    list.offset,
                    list.length,
                    list.flags,
                    list.routine,
                    list.context,
                    list.write_to_device,
                    None,
                    null,
                    core::ptr::null_mut(),
                )
            }
        })
    }

    /// Gives a list back.
    pub(crate) fn put_list(&self, list: PSCATTER_GATHER_LIST, write_to_device: BOOLEAN) {
        let put = operation!(self, PutScatterGatherList);
        at_dispatch(|| {
            // SAFETY: the list came from this adapter and was not given back.
            unsafe { put(self.object, list, write_to_device) }
        });
    }

    /// Gives up waiting for map registers. DMA version 3.
    pub(crate) fn cancel_channel(&self, device: PDEVICE_OBJECT, context: PVOID) -> bool {
        let cancel = operation!(self, CancelAdapterChannel);
        // SAFETY: the context is that of the transfer which waits.
        unsafe { cancel(self.object, device, context) != 0 }
    }

    /// Memory that device and driver share: its address for the driver, null when there is none, and for the device.
    pub(crate) fn allocate_common(&self, bytes: u32) -> (PVOID, i64) {
        let allocate = operation!(self, AllocateCommonBuffer);
        let mut logical = PHYSICAL_ADDRESS::default();
        // SAFETY: the result is a local.
        let memory = unsafe { allocate(self.object, bytes, &raw mut logical, 1) };
        // SAFETY: every member of the union is plain bits.
        (memory, unsafe { logical.QuadPart })
    }

    /// Frees what [`Adapter::allocate_common`] gave.
    pub(crate) fn free_common(&self, bytes: u32, memory: PVOID, logical: i64) {
        let free = operation!(self, FreeCommonBuffer);
        let logical = PHYSICAL_ADDRESS { QuadPart: logical };
        // SAFETY: allocated by this adapter with this size, freed once.
        unsafe { free(self.object, bytes, logical, memory, 1) }
    }
}

/// The address that DMA version 2 wants instead of an offset: where the fragment begins in the MDL's address range.
fn current_va(list: &ListRequest) -> PVOID {
    let offset = usize::try_from(list.offset).expect("64-bit host");
    super::mdl::virtual_address(list.mdl).wrapping_byte_add(offset)
}

/// Runs `body` at DISPATCH_LEVEL.
fn at_dispatch<R>(body: impl FnOnce() -> R) -> R {
    let dispatch = KIRQL::try_from(DISPATCH_LEVEL).expect("a level");
    // SAFETY: callers of the framework's DMA functions run at or below DISPATCH_LEVEL.
    let before = unsafe { KfRaiseIrql(dispatch) };
    let result = body();
    // SAFETY: back to where it was.
    unsafe { KeLowerIrql(before) };
    result
}
